package rpcserver_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/dynamicpb"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

// built is a server that does not listen.
func built(t *testing.T, e *echo, change func(*rpcserver.Options)) *rpcserver.Server {
	t.Helper()
	health, err := rpcserver.NewHealth(nil, rpcserver.HealthOptions{})
	require.NoError(t, err)
	o := rpcserver.Options{Health: health, Mounts: []rpcserver.Mount{e.mount()}, Authenticator: rpcservertest.Everybody()}
	if change != nil {
		change(&o)
	}
	s, err := rpcserver.New(rpcserver.Default(), o)
	require.NoError(t, err)
	return s
}

// deadlines is a response writer that remembers its write deadlines, and the one of its last write.
type deadlines struct {
	*httptest.ResponseRecorder
	end, written time.Time
}

func (d *deadlines) SetWriteDeadline(end time.Time) error { d.end = end; return nil }

func (d *deadlines) Write(p []byte) (int, error) {
	d.written = d.end
	return d.ResponseRecorder.Write(p)
}

func TestCallersThatDoNotReadAreCut(t *testing.T) {
	for _, major := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			w := &deadlines{}
			e := &echo{}
			s := built(t, e, nil)
			ask := func(method, path, contentType, body string) *deadlines {
				w = &deadlines{ResponseRecorder: httptest.NewRecorder()}
				r := httptest.NewRequest(method, path, strings.NewReader(body))
				r.ProtoMajor = major
				r.Header.Set("Content-Type", contentType)
				s.ServeHTTP(w, r)
				return w
			}
			begun := time.Now()
			require.Equal(t, begun.Add(40*time.Second), ask(http.MethodGet, "/ready", "", "").end)
			require.Equal(t, begun.Add(20*time.Second), ask(http.MethodPost, check, "application/json", "{}").end)
			require.Equal(t, begun.Add(20*time.Second), ask(http.MethodPost, check, "text/plain", "{}").end, "a refusal")

			e.do = func(context.Context, *dynamicpb.Message) error {
				require.Equal(t, begun.Add(30*time.Second), w.written)
				require.Zero(t, w.end, "a stream may be silent")
				time.Sleep(time.Minute)
				return nil
			}
			ask(http.MethodPost, watch, "application/connect+json", "\x00\x00\x00\x00\x02{}")
			require.Equal(t, begun.Add(90*time.Second), w.written)
			require.Equal(t, begun.Add(90*time.Second), w.end, "what is left in buffers")
		})
	}
}

// hasty makes the time of writes a hundred times shorter.
type hasty struct{ http.ResponseWriter }

func (h hasty) SetWriteDeadline(end time.Time) error {
	if !end.IsZero() {
		end = time.Now().Add(time.Until(end) / 100)
	}
	return http.NewResponseController(h.ResponseWriter).SetWriteDeadline(end)
}

func (h hasty) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func TestACallerWithoutAWindowHoldsNoPlace(t *testing.T) {
	large := make([]byte, 256<<10)
	for _, procedure := range []string{check, chat} {
		t.Run(procedure, func(t *testing.T) {
			left := make(chan struct{}, 2)
			s := built(t, &echo{do: func(_ context.Context, m *dynamicpb.Message) error { set(m, "data", large); return nil }},
				func(o *rpcserver.Options) {
					leave := func() { left <- struct{}{} }
					o.Admit = func(context.Context, caller.Caller, string) (func(), error) { return leave, nil }
					o.Enter = func(context.Context, caller.Caller, string, any) (func(), error) { return leave, nil }
				})
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			var protocols http.Protocols
			protocols.SetUnencryptedHTTP2(true)
			server := &http.Server{Protocols: &protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s.ServeHTTP(hasty{w}, r)
			})}
			served := make(chan struct{})
			go func() {
				defer close(served)
				_ = server.Serve(listener)
			}()
			defer func() {
				_ = server.Close()
				<-served
			}()

			c, err := net.Dial("tcp", listener.Addr().String())
			require.NoError(t, err)
			defer func() { _ = c.Close() }()
			a := greet(t, c, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			stream, err := a.open(procedure)
			require.NoError(t, err)
			require.NoError(t, a.WriteData(stream, false, framed(0, nil)))
			if procedure == check {
				require.NoError(t, a.WriteData(stream, true, nil))
			}
			await(t, left, "one share is given back")
			await(t, left, "the other share is given back")
		})
	}
}

func TestStreamsEnd(t *testing.T) {
	const limit = 100 * time.Millisecond
	e := &echo{do: func(ctx context.Context, _ *dynamicpb.Message) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Limits = map[string]rpcserver.Limits{watch: {Timeout: limit}, chat: {Timeout: limit}, collect: {Timeout: limit}}
	}, e.mount())
	for _, procedure := range []string{watch, chat, collect} {
		err := invoke(t, r.HTTP2, r.URL, procedure, nil, to(number), connect.WithGRPC())
		require.Equal(t, connect.CodeDeadlineExceeded, connect.CodeOf(err), "%s: %v", procedure, err)
	}
	// Nobody sends, so the handler waits for a message and not for its context.
	a := newAttacker(t, r)
	a.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for _, procedure := range []string{chat, collect} {
		_, err := a.open(procedure)
		require.NoError(t, err)
		require.Equal(t, "4", a.status())
	}
}

func TestAStreamWithoutALimitEndsAfterHalfAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ends time.Duration
		e := &echo{do: func(ctx context.Context, _ *dynamicpb.Message) error {
			end, _ := ctx.Deadline()
			ends = time.Until(end)
			return nil
		}}
		s := built(t, e, nil)
		r := httptest.NewRequest(http.MethodPost, watch, strings.NewReader("\x00\x00\x00\x00\x02{}"))
		r.Header.Set("Content-Type", "application/connect+json")
		s.ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, 30*time.Minute, ends)
	})
}

func TestStrangersOpenAFewWatchesOnly(t *testing.T) {
	const allowed, health = 200, "/grpc.health.v1.Health/Watch"
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) { o.Authenticator = staff() }, (&echo{}).mount())
	a := newAttacker(t, r)
	for range allowed {
		stream, err := a.open(health)
		require.NoError(t, err)
		require.NoError(t, a.WriteData(stream, true, framed(0, nil)))
		require.True(t, a.await(func(f http2.Frame) bool { _, told := f.(*http2.DataFrame); return told }))
	}
	another := func() answer { // it ends at once, for there is no such service
		return send(t, r.HTTP2, http.MethodPost, r.URL+health, "application/grpc", nil, bytes.NewReader(framed(0, []byte("\x0a\x01x"))))
	}
	refused := another()
	require.Equal(t, "resource_exhausted", refused.code)
	require.Equal(t, rpcserver.ReasonTooManyStreams, refused.reason)
	require.NoError(t, a.WriteRSTStream(1, http2.ErrCodeCancel))
	require.Eventually(t, func() bool { return another().reason == rpcserver.ReasonUnknownService }, 15*time.Second, 10*time.Millisecond,
		"there is room again")
	require.NoError(t, invoke(t, r.HTTP2, r.URL, lookup, bearer("operator"), to(number)))
}

func TestAPlaceIsTakenWhenTheMessageIsThere(t *testing.T) {
	admitted, entered := make(chan struct{}, 10), make(chan any, 10)
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Admit = func(context.Context, caller.Caller, string) (func(), error) {
			admitted <- struct{}{}
			return nil, nil
		}
		o.Enter = func(ctx context.Context, who caller.Caller, procedure string, message any) (func(), error) {
			_, limited := ctx.Deadline()
			if !limited || who.Name != "test" || procedure != rpcserver.Procedure(ctx) {
				return nil, fault.New(fault.Internal, "TEST", "not told who enters")
			}
			entered <- message
			return nil, nil
		}
	}, (&echo{}).mount())
	a := newAttacker(t, r)
	a.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	slow, err := a.open(check)
	require.NoError(t, err)
	await(t, admitted, "the slow call is admitted")

	for _, procedure := range []string{check, lookup, watch} {
		require.NoError(t, invoke(t, r.HTTP2, r.URL, procedure, nil, to(number)))
		m, ok := await(t, entered, "a call enters").(*dynamicpb.Message)
		require.True(t, ok)
		require.Equal(t, number, get(m, "to").String())
	}
	for _, procedure := range []string{collect, chat} {
		require.NoError(t, invoke(t, r.HTTP2, r.URL, procedure, nil, to(number)))
		require.Nil(t, await(t, entered, "a stream enters"))
	}
	send(t, r.HTTP1, http.MethodPost, r.URL+check, "application/json", nil, strings.NewReader(`{"to":1}`))
	send(t, r.HTTP1, http.MethodPost, r.URL+"/grpc.health.v1.Health/Check", "application/json", nil, strings.NewReader("{}"))
	require.Empty(t, entered, "no slow call, no bad message and no probe takes a place")

	require.NoError(t, a.WriteData(slow, true, framed(0, nil)))
	require.Equal(t, "0", a.status())
	await(t, entered, "the slow call enters")
}

func TestACallThatMayNotEnterIsToldWhenToComeBack(t *testing.T) {
	e := &echo{do: func(context.Context, *dynamicpb.Message) error { panic("the handler must not run") }}
	left := make(chan struct{}, 1)
	r, reg := startCounting(t, e, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Admit = func(context.Context, caller.Caller, string) (func(), error) {
			return func() { left <- struct{}{} }, nil
		}
		o.Enter = func(context.Context, caller.Caller, string, any) (func(), error) {
			return nil, fault.New(fault.Unavailable, "OVERLOADED", "Too much to do.").WithRetry(time.Second)
		}
	})
	for _, p := range protocols() {
		for _, procedure := range []string{check, collect, chat} {
			err := invoke(t, r.HTTP2, r.URL, procedure, nil, to(number), p.options...)
			require.Equal(t, connect.CodeUnavailable, connect.CodeOf(err), "%v", err)
			require.Equal(t, time.Second, detail[*errdetails.RetryInfo](t, err).GetRetryDelay().AsDuration())
			await(t, left, "the share is given back")
		}
	}
	require.InDelta(t, 4, requests(t, reg, "Check", "UNAVAILABLE"), 0)
}
