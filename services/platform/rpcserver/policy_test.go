package rpcserver_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/dynamicpb"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

const (
	scopedCheck = "/echo.v1.ScopedService/Check"
	scopedWatch = "/echo.v1.ScopedService/Watch"
)

// tokens is an authenticator whose credentials are names.
type tokens map[string]caller.Caller

func (a tokens) Authenticate(_ context.Context, h http.Header) (caller.Caller, error) {
	shown, found := strings.CutPrefix(h.Get("Authorization"), "Bearer ")
	if !found {
		return caller.Caller{}, fault.New(fault.Unauthenticated, "CREDENTIAL_REQUIRED", "Show a credential.")
	}
	if who, known := a[shown]; known {
		return who, nil
	}
	return caller.Caller{Name: "claimed"}, fault.New(fault.Unauthenticated, "CREDENTIAL_INVALID", "Show another.")
}

func staff() tokens {
	account := uuid.MustParse("00000000-0000-0000-0000-000000000001")
	return tokens{
		"roleless":       {Name: "roleless", Kind: caller.Token},
		"viewer":         {Name: "viewer", Kind: caller.Token, Role: caller.Viewer},
		"operator":       {Name: "operator", Kind: caller.Key, Role: caller.Operator},
		"admin":          {Name: "admin", Kind: caller.Key, Role: caller.Admin},
		"bound viewer":   {Name: "bound viewer", Kind: caller.Key, Role: caller.Viewer, Account: account},
		"bound operator": {Name: "bound operator", Kind: caller.Key, Role: caller.Operator, Account: account},
		"nameless":       {Role: caller.Admin},
	}
}

func bearer(token string) http.Header {
	if token == "" {
		return http.Header{}
	}
	return http.Header{"Authorization": {"Bearer " + token}}
}

// invoke makes one call of the procedure in its shape and returns what becomes of it.
func invoke(t *testing.T, h *http.Client, url, procedure string, header http.Header, m *dynamicpb.Message, opts ...connect.ClientOption) error {
	t.Helper()
	client, ctx := newClient(h, url, procedure, opts...), within(t)
	put := func(into http.Header) {
		for k, v := range header {
			into[k] = v
		}
	}
	switch procedure {
	case collect:
		s := client.CallClientStream(ctx)
		put(s.RequestHeader())
		_ = s.Send(m) // what went wrong is told by the answer
		_, err := s.CloseAndReceive()
		return err
	case chat:
		s := client.CallBidiStream(ctx)
		put(s.RequestHeader())
		_ = s.Send(m)
		_ = s.CloseRequest()
		_, err := s.Receive()
		_ = s.CloseResponse()
		return err
	case watch, scopedWatch:
		req := connect.NewRequest(m)
		put(req.Header())
		s, err := client.CallServerStream(ctx, req)
		if err != nil {
			return err
		}
		for s.Receive() {
		}
		_ = s.Close()
		return s.Err()
	}
	req := connect.NewRequest(m)
	put(req.Header())
	_, err := client.CallUnary(ctx, req)
	return err
}

func TestEveryProtocolAndShapeAsksForTheCredentialOfTheSchema(t *testing.T) {
	handled := make(chan caller.Caller, 1)
	e := &echo{do: func(ctx context.Context, _ *dynamicpb.Message) error {
		handled <- caller.From(ctx)
		return nil
	}}
	denials := make(chan rpcserver.Denial, 1)
	r, reg := startCounting(t, e, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Authenticator, o.Mounts = staff(), append(o.Mounts, e.mountAs("ScopedService"))
		o.Denied = func(_ context.Context, d rpcserver.Denial) { denials <- d }
	})
	wires := append(protocols(), wireProtocol{"Connect GET", []connect.ClientOption{
		connect.WithIdempotency(connect.IdempotencyNoSideEffects), connect.WithHTTPGet(),
	}})
	unscoped, scoped := []string{check, lookup, collect, watch, chat}, []string{scopedCheck, scopedWatch}
	for _, c := range []struct {
		name, token, shown string
		procedures         []string
		code               connect.Code
		reason             string
	}{
		{"no credential", "", "anonymous", append(unscoped, scoped...), connect.CodeUnauthenticated, "CREDENTIAL_REQUIRED"},
		{"a credential nobody knows", "forged", "claimed", append(unscoped, scoped...), connect.CodeUnauthenticated, "CREDENTIAL_INVALID"},
		{"a credential without name", "nameless", "anonymous", append(unscoped, scoped...), connect.CodeUnauthenticated, "CREDENTIAL_REQUIRED"},
		{"no role", "roleless", "roleless", append(unscoped, scoped...), connect.CodePermissionDenied, "ROLE_TOO_LOW"},
		{"too low a role", "viewer", "viewer", unscoped, connect.CodePermissionDenied, "ROLE_TOO_LOW"},
		{"too low a role and an account", "bound viewer", "bound viewer", unscoped, connect.CodePermissionDenied, "ROLE_TOO_LOW"},
		{"an account for a method that knows none", "bound operator", "bound operator", unscoped, connect.CodePermissionDenied, "ACCOUNT_NOT_ALLOWED"},
		{"the role that is asked for", "operator", "", unscoped, 0, ""},
		{"a higher role", "admin", "", append(unscoped, scoped...), 0, ""},
		{"the least role", "viewer", "", scoped, 0, ""},
		{"an account for a method that is limited to it", "bound viewer", "", scoped, 0, ""},
		{"an account and a higher role", "bound operator", "", scoped, 0, ""},
	} {
		for _, p := range wires {
			for _, procedure := range c.procedures {
				if p.name == "Connect GET" && procedure != lookup {
					continue
				}
				t.Run(c.name+" by "+p.name+" for "+procedure, func(t *testing.T) {
					labels := map[string]string{"reason": c.reason}
					before := sample(t, reg, "trunkline_access_denied_total", labels)
					err := invoke(t, r.HTTP2, r.URL, procedure, bearer(c.token), to(number), p.options...)
					if c.code == 0 {
						require.NoError(t, err)
						require.Equal(t, staff()[c.token], await(t, handled, "the handler knows the caller"))
						return
					}
					require.Equal(t, c.code, connect.CodeOf(err), "%v", err)
					require.Equal(t, c.reason, detail[*errdetails.ErrorInfo](t, err).GetReason())
					require.NotEmpty(t, detail[*errdetails.RequestInfo](t, err).GetRequestId())
					d := await(t, denials, "the refusal is told")
					require.Equal(t, []string{procedure, c.shown, c.reason}, []string{d.Procedure, d.Caller.Name, d.Reason})
					require.Equal(t, netip.MustParseAddr("127.0.0.1"), d.Peer)
					require.InDelta(t, before+1, sample(t, reg, "trunkline_access_denied_total", labels), 0)
					require.Empty(t, handled, "the handler does not run")
				})
			}
		}
	}
	require.Empty(t, denials)
	const refusals, wiresOfAll = 3, 4
	require.InDelta(t, refusals*wiresOfAll, requests(t, reg, "Chat", "UNAUTHENTICATED"), 0, "each call is counted once")
}

func TestARoleThatIsTooLowIsNamedBesideTheOneThatIsNeeded(t *testing.T) {
	r, _ := startCounting(t, &echo{}, func(_ *rpcserver.Config, o *rpcserver.Options) { o.Authenticator = staff() })
	err := invoke(t, r.HTTP2, r.URL, check, bearer("viewer"), to(number))
	require.Equal(t, map[string]string{"needed_role": "operator", "role": "viewer"}, detail[*errdetails.ErrorInfo](t, err).GetMetadata())
	require.ErrorContains(t, err, "needs the role operator")
}

func TestARefusalWaitsForNoMessage(t *testing.T) {
	r, _ := startCounting(t, &echo{}, func(c *rpcserver.Config, o *rpcserver.Options) {
		o.Authenticator = staff()
		c.RequestTimeout = time.Hour
	})
	for _, contentType := range []string{"application/json", "application/proto", "application/grpc", "application/grpc-web+json"} {
		body, stuck := io.Pipe()
		a := send(t, r.HTTP2, http.MethodPost, r.URL+check, contentType, bearer("viewer"), body)
		require.Equal(t, "ROLE_TOO_LOW", a.reason, contentType)
		_ = stuck.Close()
		a = send(t, r.HTTP1, http.MethodPost, r.URL+check, contentType, bearer("viewer"), strings.NewReader("no message"))
		require.Equal(t, "ROLE_TOO_LOW", a.reason, contentType)
	}
}

func TestUnauthenticatedAnswersNameTheScheme(t *testing.T) {
	r, _ := startCounting(t, &echo{}, func(_ *rpcserver.Config, o *rpcserver.Options) { o.Authenticator = staff() })
	query := lookup + "?connect=v1&encoding=json&message=%7B%7D"
	for name, c := range map[string]struct {
		method, path, token string
		status              int
		scheme              string
	}{
		"a POST without credential":    {http.MethodPost, check, "", 401, "Bearer"},
		"a POST with a bad one":        {http.MethodPost, check, "forged", 401, "Bearer"},
		"a GET without credential":     {http.MethodGet, query, "", 401, "Bearer"},
		"a POST with too low a role":   {http.MethodPost, check, "viewer", 403, ""},
		"a GET with the right one":     {http.MethodGet, query, "operator", 200, ""},
		"a method that does not exist": {http.MethodPost, unruled, "", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var body io.Reader
			if c.method == http.MethodPost {
				body = strings.NewReader("{}")
			}
			a := send(t, r.HTTP1, c.method, r.URL+c.path, "application/json", bearer(c.token), body)
			require.Equal(t, c.status, a.status, a.text)
			require.Equal(t, c.scheme, a.header.Get("Www-Authenticate"))
		})
	}
}

func TestAServerWithoutAuthenticatorRefusesEveryCall(t *testing.T) {
	var logs safeBuffer
	e := &echo{do: func(context.Context, *dynamicpb.Message) error { panic("the handler must not run") }}
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Authenticator, o.Logger = nil, slog.New(slog.NewJSONHandler(&logs, nil))
	}, e.mount(), e.mountAs("ScopedService"))
	require.Equal(t, 1, strings.Count(logs.String(), "no authenticator"))
	for _, procedure := range []string{check, lookup, collect, watch, chat, scopedCheck, scopedWatch} {
		for _, p := range protocols() {
			err := invoke(t, r.HTTP2, r.URL, procedure, bearer("admin"), to(number), p.options...)
			require.Equal(t, connect.CodeUnauthenticated, connect.CodeOf(err), "%v", err)
			require.Equal(t, "CREDENTIAL_REQUIRED", detail[*errdetails.ErrorInfo](t, err).GetReason())
		}
	}
	for _, page := range []string{"/health", "/ready", "/health/detailed"} {
		require.Equal(t, 200, send(t, r.HTTP1, http.MethodGet, r.URL+page, "", nil, nil).status, page)
	}
	a := send(t, r.HTTP1, http.MethodPost, r.URL+"/grpc.health.v1.Health/Check", "application/json", nil, strings.NewReader("{}"))
	require.Equal(t, 200, a.status)
	reflection := grpcreflect.NewClient(r.HTTP2, r.URL, connect.WithGRPC()).NewStream(within(t))
	_, err := reflection.ListServices()
	require.NoError(t, err)
	_, _ = reflection.Close()
}

// broken fails in ways that are not the caller's fault.
type broken struct{ err error }

func (b broken) Authenticate(context.Context, http.Header) (caller.Caller, error) {
	return caller.Caller{}, b.err
}

func TestAnAuthenticatorThatCannotTellIsNotTakenForARefusal(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		code   connect.Code
		reason string
	}{
		"it is not ready":            {vaultDown, connect.CodeUnavailable, "VAULT_UNAVAILABLE"},
		"it has a defect":            {errors.New("dial tcp 10.0.0.9: secret-token"), connect.CodeInternal, "INTERNAL"},
		"the caller did not wait":    {context.Canceled, connect.CodeCanceled, "CANCELED"},
		"the time of the call is up": {context.DeadlineExceeded, connect.CodeDeadlineExceeded, "DEADLINE_EXCEEDED"},
	} {
		t.Run(name, func(t *testing.T) {
			e := &echo{do: func(context.Context, *dynamicpb.Message) error { panic("the handler must not run") }}
			r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
				o.Authenticator = broken{c.err}
				o.Denied = func(context.Context, rpcserver.Denial) { panic("this is no denial") }
			}, e.mount())
			for _, p := range protocols() {
				err := invoke(t, r.HTTP2, r.URL, check, bearer("admin"), to(number), p.options...)
				require.Equal(t, c.code, connect.CodeOf(err), "%v", err)
				require.Equal(t, c.reason, detail[*errdetails.ErrorInfo](t, err).GetReason())
				require.NotContains(t, err.Error(), "secret-token")
			}
		})
	}
}

func TestAHandlerReachedAroundTheServerRefuses(t *testing.T) {
	var handler http.Handler
	mount := (&echo{do: func(context.Context, *dynamicpb.Message) error { panic("the handler must not run") }}).mount()
	build := mount.Handler
	mount.Handler = func(opts ...connect.HandlerOption) (string, http.Handler) {
		path, h := build(opts...)
		handler = h
		return path, h
	}
	rpcservertest.Start(t, nil, mount)
	r := httptest.NewRequest(http.MethodPost, check, strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	require.Equal(t, http.StatusUnauthorized, w.Code)
}

func TestAdmissionLastsAsLongAsTheCall(t *testing.T) {
	type admitted struct {
		who       caller.Caller
		procedure string
	}
	var running atomic.Int64
	asked, left := make(chan admitted, 1), make(chan struct{}, 1)
	e := &echo{do: func(_ context.Context, m *dynamicpb.Message) error {
		if running.Load() != 1 {
			return errors.New("the handler runs outside of its share")
		}
		if get(m, "note").String() == "panic" {
			panic("a defect")
		}
		return nil
	}}
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Authenticator = staff()
		o.Admit = func(_ context.Context, who caller.Caller, procedure string) (func(), error) {
			asked <- admitted{who, procedure}
			running.Add(1)
			return func() {
				running.Add(-1)
				left <- struct{}{}
			}, nil
		}
	}, e.mount())
	for _, p := range protocols() {
		for _, procedure := range []string{check, lookup, collect, watch, chat} {
			t.Run(procedure+" by "+p.name, func(t *testing.T) {
				require.NoError(t, invoke(t, r.HTTP2, r.URL, procedure, bearer("operator"), to(number), p.options...))
				require.Equal(t, admitted{staff()["operator"], procedure}, await(t, asked, "the limits are asked"))
				await(t, left, "the share is given back")

				err := invoke(t, r.HTTP2, r.URL, procedure, bearer("operator"), set(newMessage(), "note", "panic"), p.options...)
				require.Equal(t, connect.CodeInternal, connect.CodeOf(err))
				await(t, asked, "the limits are asked")
				await(t, left, "the share is given back after a panic")

				require.Error(t, invoke(t, r.HTTP2, r.URL, procedure, bearer("viewer"), to(number), p.options...))
				require.Empty(t, asked, "who may not call counts for nothing")
			})
		}
	}
	a := send(t, r.HTTP1, http.MethodPost, r.URL+"/grpc.health.v1.Health/Check", "application/json", nil, strings.NewReader("{}"))
	require.Equal(t, 200, a.status)
	require.Empty(t, asked, "probes are not limited")
}

func TestACallThatIsNotAdmittedIsToldWhenToComeBack(t *testing.T) {
	e := &echo{do: func(context.Context, *dynamicpb.Message) error { panic("the handler must not run") }}
	r, reg := startCounting(t, e, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Admit = func(context.Context, caller.Caller, string) (func(), error) {
			return nil, fault.New(fault.ResourceExhausted, "RATE_LIMITED", "Slow down.").WithRetry(time.Second)
		}
		o.Denied = func(context.Context, rpcserver.Denial) { panic("this is no denial") }
	})
	for _, p := range protocols() {
		for _, procedure := range []string{check, collect, watch, chat} {
			err := invoke(t, r.HTTP2, r.URL, procedure, nil, to(number), p.options...)
			require.Equal(t, connect.CodeResourceExhausted, connect.CodeOf(err), "%v", err)
			require.Equal(t, time.Second, detail[*errdetails.RetryInfo](t, err).GetRetryDelay().AsDuration())
		}
	}
	require.InDelta(t, 4, requests(t, reg, "Check", "RESOURCE_EXHAUSTED"), 0)
}

func TestACallBeyondTheMostInFlightIsRefusedBeforeItsMessageIsRead(t *testing.T) {
	entered, gate := make(chan struct{}), make(chan struct{})
	var refuse atomic.Bool
	var left atomic.Int64
	e := &echo{do: func(context.Context, *dynamicpb.Message) error {
		entered <- struct{}{}
		<-gate
		return nil
	}}
	r, _ := startCounting(t, e, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Limits = map[string]rpcserver.Limits{watch: {MaxCalls: 2}}
		o.Admit = func(context.Context, caller.Caller, string) (func(), error) {
			if refuse.Load() {
				return nil, fault.New(fault.ResourceExhausted, "RATE_LIMITED", "Slow down.")
			}
			return func() { left.Add(1) }, nil
		}
	})
	refuse.Store(true)
	for range 3 { // what is not admitted takes no place for long
		require.Eventually(t, func() bool {
			err := invoke(t, r.HTTP2, r.URL, watch, nil, to(number))
			return detail[*errdetails.ErrorInfo](t, err).GetReason() == "RATE_LIMITED"
		}, 15*time.Second, time.Millisecond)
	}
	refuse.Store(false)
	for round := range int64(2) {
		ended := make(chan error, 2)
		for range 2 {
			go func() { ended <- invoke(t, r.HTTP2, r.URL, watch, nil, to(number)) }()
			<-entered
		}
		a := send(t, r.HTTP1, http.MethodPost, r.URL+watch, "application/connect+json", nil, endless{})
		require.Contains(t, a.text, "Too many calls", "before its message is there")
		gate <- struct{}{}
		gate <- struct{}{}
		require.NoError(t, <-ended)
		require.NoError(t, <-ended)
		require.Eventually(t, func() bool { return left.Load() == 2*(round+1) }, 15*time.Second, time.Millisecond, "places are given back")
	}
}

func TestCredentialsAreInNoLogNoTraceAndNoAnswer(t *testing.T) {
	const canary = "tl_CANARY0123456789"
	var logs safeBuffer
	recorder := tracetest.NewSpanRecorder()
	who := staff()
	who[canary] = caller.Caller{Name: "key:1", Role: caller.Operator}
	e := &echo{do: func(_ context.Context, m *dynamicpb.Message) error {
		if get(m, "note").String() == "panic" {
			panic("a defect")
		}
		return errors.New("a failure that is logged")
	}}
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Authenticator = who
		o.Logger = slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	}, e.mount())
	for _, header := range []http.Header{
		{"Authorization": {"Bearer " + canary}}, {"Authorization": {"Bearer x" + canary}}, {"X-Api-Key": {canary}},
	} {
		for _, body := range []string{`{}`, `{"note":"panic"}`, `{"to":1}`} {
			for _, target := range []string{check, check + "?access_token=" + canary, unruled, "/health?api_key=" + canary} {
				a := send(t, r.HTTP1, http.MethodPost, r.URL+target, "application/json", header, strings.NewReader(body))
				require.NotContains(t, a.text, canary)
			}
		}
	}
	require.NotEmpty(t, recorder.Ended())
	for _, span := range recorder.Ended() {
		for _, attribute := range span.Attributes() {
			require.NotContains(t, attribute.Value.String(), canary, attribute.Key)
		}
		require.NotContains(t, span.Name()+span.Status().Description, canary)
	}
	require.Contains(t, logs.String(), "CREDENTIAL_IN_URL")
	require.NotContains(t, logs.String(), canary)
}
