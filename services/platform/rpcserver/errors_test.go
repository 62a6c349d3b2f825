package rpcserver_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/dynamicpb"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
	"trunkline/services/platform/telemetry"
)

func TestErrorsReachTheCallerWithDetailsInEveryProtocol(t *testing.T) {
	internal := errors.New("pq: password authentication failed for user trunkline")
	cases := []struct {
		name    string
		err     error
		code    connect.Code
		reason  string
		message string
	}{
		{"a fault keeps reason and message", vaultDown, connect.CodeUnavailable, "VAULT_UNAVAILABLE", "The secret store is down."},
		{"a wrapped fault is found", errors.Join(errors.New("context"), vaultDown), connect.CodeUnavailable, "VAULT_UNAVAILABLE", "The secret store is down."},
		{"an unknown error is hidden", internal, connect.CodeInternal, "INTERNAL", "internal error"},
		{"the text of an internal fault is hidden", fault.New(fault.Internal, "BROKEN", "table operators").Wrap(internal), connect.CodeInternal, "BROKEN", "internal error"},
		{"a connect error keeps its code and gets a reason", connect.NewError(connect.CodeOutOfRange, errors.New("past the end")), connect.CodeOutOfRange, "OUT_OF_RANGE", "past the end"},
		{"a connect error of code unknown is hidden", connect.NewError(connect.CodeUnknown, internal), connect.CodeUnknown, "UNKNOWN", "internal error"},
		{"a context error becomes its code", context.DeadlineExceeded, connect.CodeDeadlineExceeded, "DEADLINE_EXCEEDED", "out of time"},
	}
	var current error
	e := &echo{do: func(context.Context, *dynamicpb.Message) error { return current }}
	var logs safeBuffer
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Logger = slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}, e.mount())

	for _, c := range cases {
		current = c.err
		for _, p := range protocols() {
			t.Run(c.name+" over "+p.name, func(t *testing.T) {
				logs.Reset()
				client := newClient(r.HTTP2, r.URL, check, p.options...)
				_, err := call(within(t), client, to(number))
				ce := connectError(t, err)
				require.Equal(t, c.code, ce.Code())
				require.Contains(t, ce.Message(), c.message)
				require.NotContains(t, ce.Error(), "password")
				info := detail[*errdetails.ErrorInfo](t, err)
				require.Equal(t, c.reason, info.GetReason())
				require.Equal(t, "trunkline", info.GetDomain())
				id := detail[*errdetails.RequestInfo](t, err).GetRequestId()
				require.NotEmpty(t, id)
				require.Equal(t, id, ce.Meta().Get("X-Request-Id"))
				if c.code == connect.CodeInternal || c.code == connect.CodeUnknown {
					require.Contains(t, logs.String(), "password authentication failed")
					require.Equal(t, 1, strings.Count(logs.String(), "\n"), "logged once")
				}
			})
		}
	}
}

func TestRetryAndMetadataAndViolationsAreSent(t *testing.T) {
	current := error(vaultDown)
	e := &echo{do: func(context.Context, *dynamicpb.Message) error { return current }}
	r := rpcservertest.Start(t, nil, e.mount())
	for _, p := range protocols() {
		t.Run(p.name, func(t *testing.T) {
			client := newClient(r.HTTP2, r.URL, check, p.options...)
			current = vaultDown
			_, err := call(within(t), client, to(number))
			require.Equal(t, 3*time.Second, detail[*errdetails.RetryInfo](t, err).GetRetryDelay().AsDuration())
			require.Equal(t, map[string]string{"store": "vault"}, detail[*errdetails.ErrorInfo](t, err).GetMetadata())

			current = fault.Invalid("BAD_RULE", fault.Violation{Field: "candidates[2].operator_id", Description: "is unknown"})
			_, err = call(within(t), client, to(number))
			v := detail[*errdetails.BadRequest](t, err).GetFieldViolations()
			require.Len(t, v, 1)
			require.Equal(t, "candidates[2].operatorId", v[0].GetField())
		})
	}
}

func TestEveryFaultKindHasItsCode(t *testing.T) {
	var current error
	e := &echo{do: func(context.Context, *dynamicpb.Message) error { return current }}
	r := rpcservertest.Start(t, nil, e.mount())
	client := newClient(r.HTTP2, r.URL, check, connect.WithGRPC())
	for _, kind := range fault.Kinds() {
		current = fault.New(kind, "R", "text")
		_, err := call(within(t), client, to(number))
		var want connect.Code
		name := kind.String()
		require.NoError(t, want.UnmarshalText([]byte(lower(name))), name)
		require.Equal(t, want, connect.CodeOf(err), name)
	}
}

func lower(s string) string { return string(bytes.ToLower([]byte(s))) }

func TestPanicsAnswerInternalAndAreCounted(t *testing.T) {
	e := &echo{do: func(context.Context, *dynamicpb.Message) error { panic("secret " + number) }}
	var logs safeBuffer
	reg := prometheus.NewRegistry()
	metrics, err := rpcserver.NewMetrics(reg, "test", nil)
	require.NoError(t, err)
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Logger, o.Registerer, o.Metrics = slog.New(slog.NewJSONHandler(&logs, nil)), reg, metrics
	}, e.mount())
	for _, p := range protocols() {
		_, err := call(within(t), newClient(r.HTTP2, r.URL, check, p.options...), to(number))
		require.Equal(t, connect.CodeInternal, connect.CodeOf(err), p.name)
		require.NotContains(t, err.Error(), "secret")
		require.Equal(t, "INTERNAL", detail[*errdetails.ErrorInfo](t, err).GetReason())
	}
	stream, err := newClient(r.HTTP2, r.URL, watch, connect.WithGRPC()).CallServerStream(within(t), connect.NewRequest(to(number)))
	require.NoError(t, err)
	for stream.Receive() {
	}
	require.Equal(t, connect.CodeInternal, connect.CodeOf(stream.Err()))
	require.NoError(t, stream.Close())

	require.Contains(t, logs.String(), `"stack":"goroutine`)
	require.EqualValues(t, 4, requests(t, reg, "Check", "INTERNAL"))
	require.EqualValues(t, 1, requests(t, reg, "Watch", "INTERNAL"))
	require.EqualValues(t, 5, sample(t, reg, "trunkline_rpc_panics_total", nil))
}

func TestTheServersDeadlineEndsAUnaryCall(t *testing.T) {
	e := &echo{do: func(ctx context.Context, _ *dynamicpb.Message) error {
		<-ctx.Done()
		return errors.New("driver: connection was torn down") // drivers hide context errors
	}}
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) {
		c.RequestTimeout = 50 * time.Millisecond
	}, e.mount())
	for _, p := range protocols() {
		_, err := call(within(t), newClient(r.HTTP2, r.URL, check, p.options...), to(number))
		require.Equal(t, connect.CodeDeadlineExceeded, connect.CodeOf(err), p.name)
		require.Equal(t, "DEADLINE_EXCEEDED", detail[*errdetails.ErrorInfo](t, err).GetReason())
	}
}

func TestRequestIDRules(t *testing.T) {
	seen := make(chan string, 1)
	e := &echo{do: func(ctx context.Context, _ *dynamicpb.Message) error {
		seen <- telemetry.RequestID(ctx)
		return nil
	}}
	r := rpcservertest.Start(t, nil, e.mount())
	long := string(bytes.Repeat([]byte("a"), 64))
	cases := []struct {
		name, sent string
		kept       bool
	}{
		{"a plain id is kept", "abc-DEF_1.2", true},
		{"an id of 64 characters is kept", long, true},
		{"an id of 65 characters is replaced", long + "a", false},
		{"an id with a space is replaced", "a b", false},
		{"an id with a quote is replaced", `a"b`, false},
		{"an id outside ASCII is replaced", "ä", false},
		{"a missing id is made", "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, p := range protocols() {
				req := connect.NewRequest(to(number))
				if c.sent != "" {
					req.Header().Set("X-Request-Id", c.sent)
				}
				res, err := newClient(r.HTTP2, r.URL, check, p.options...).CallUnary(within(t), req)
				require.NoError(t, err)
				inside := <-seen
				require.Equal(t, inside, res.Header().Get("X-Request-Id"))
				require.Equal(t, c.kept, inside == c.sent)
				require.Regexp(t, `^[A-Za-z0-9._-]{1,64}$`, inside)
			}
		})
	}
}
