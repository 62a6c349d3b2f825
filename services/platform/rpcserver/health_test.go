package rpcserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

// dependency is a check whose result the test chooses.
type dependency struct{ err atomic.Pointer[error] }

func (d *dependency) set(err error) { d.err.Store(&err) }

func (d *dependency) check(context.Context) error {
	if p := d.err.Load(); p != nil {
		return *p
	}
	return nil
}

func page(t *testing.T, s http.Handler, path string) (int, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	var body map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
	return w.Code, body
}

func TestReadinessFollowsTheDependencies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var postgres, redis dependency
		health, err := rpcserver.NewHealth([]rpcserver.Dependency{
			{Name: "postgres", Required: true, Check: postgres.check},
			{Name: "redis", Check: redis.check},
		}, rpcserver.HealthOptions{Interval: 3 * time.Second})
		require.NoError(t, err)
		cfg := rpcserver.Default()
		s, err := rpcserver.New(cfg, rpcserver.Options{Health: health})
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})

		code, body := page(t, s, "/ready")
		require.Equal(t, 503, code)
		require.Equal(t, []any{"starting", "postgres: not checked yet"}, body["reasons"])
		code, body = page(t, s, "/health")
		require.Equal(t, 200, code)
		require.Equal(t, "alive", body["status"])

		go func() { defer close(ended); health.Run(ctx) }()
		synctest.Wait()
		health.MarkStarted()
		began := time.Now().UTC()
		code, body = page(t, s, "/ready")
		require.Equal(t, 200, code)
		require.Equal(t, map[string]any{"status": "ready"}, body)

		redis.set(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
		time.Sleep(3 * time.Second) // the bubble's clock, which costs no time
		synctest.Wait()
		code, body = page(t, s, "/readyz")
		require.Equal(t, 200, code)
		require.Equal(t, map[string]any{"status": "ready", "degraded": []any{"redis"}}, body)

		postgres.set(errors.New("password=hunter2 host=10.1.2.3"))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		code, body = page(t, s, "/ready")
		require.Equal(t, 503, code)
		require.Equal(t, []any{"postgres: error"}, body["reasons"])

		_, body = page(t, s, "/health/detailed")
		rows := body["dependencies"].([]any)
		require.Equal(t, map[string]any{
			"name": "postgres", "required": true, "state": "down", "latency_ms": 0.0,
			"since": stamp(began, 6), "checked_at": stamp(began, 6), "last_error": "error",
		}, rows[0])
		require.Equal(t, map[string]any{
			"name": "redis", "required": false, "state": "down", "latency_ms": 0.0,
			"since": stamp(began, 3), "checked_at": stamp(began, 6), "last_error": "connection refused",
		}, rows[1])

		postgres.set(nil)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		code, _ = page(t, s, "/ready")
		require.Equal(t, 200, code)
		_, body = page(t, s, "/health/detailed")
		require.Equal(t, "error", body["dependencies"].([]any)[0].(map[string]any)["last_error"], "the last error stays")

		health.Drain()
		code, body = page(t, s, "/ready")
		require.Equal(t, 503, code)
		require.Equal(t, []any{"draining"}, body["reasons"])
		stop()
		<-ended
	})
}

func stamp(began time.Time, seconds int) string {
	return began.Add(time.Duration(seconds) * time.Second).Format(time.RFC3339Nano)
}

func TestACheckThatHangsIsDownAndDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var running, most atomic.Int32
		var quick dependency
		health, err := rpcserver.NewHealth([]rpcserver.Dependency{
			{Name: "stuck", Required: true, Check: func(context.Context) error {
				most.Store(max(most.Load(), running.Add(1)))
				defer running.Add(-1)
				<-release
				return nil
			}},
			{Name: "quick", Required: true, Check: quick.check},
			{Name: "broken", Check: func(context.Context) error { panic("nil map") }},
		}, rpcserver.HealthOptions{Interval: time.Second, Timeout: time.Second})
		require.NoError(t, err)
		health.MarkStarted()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); health.Run(ctx) }()

		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"stuck: timeout"}, health.Readiness().Reasons)
		require.Equal(t, []string{"broken"}, health.Readiness().Degraded)
		require.EqualValues(t, 1, most.Load(), "a hanging check is not started again")
		require.Equal(t, rpcserver.StateUp, health.Dependencies()[1].State)

		close(release)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.True(t, health.Readiness().Ready)
		stop()
		<-ended
	})
}

func TestFailuresAreClassifiedWithoutTheirText(t *testing.T) {
	cases := map[string]error{
		"timeout":            fmt.Errorf("ping: %w", context.DeadlineExceeded),
		"name not resolved":  &net.DNSError{Name: "db.internal.example", IsNotFound: true},
		"connection refused": &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"connection closed":  fmt.Errorf("read: %w", net.ErrClosed),
		"VAULT_SEALED":       fault.New(fault.Unavailable, "VAULT_SEALED", "sealed"),
		"error":              errors.New("user=trunkline password=x"),
	}
	for want, err := range cases {
		synctest.Test(t, func(t *testing.T) {
			health, e := rpcserver.NewHealth([]rpcserver.Dependency{
				{Name: "d", Required: true, Check: func(context.Context) error { return err }},
			}, rpcserver.HealthOptions{})
			require.NoError(t, e)
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() { defer close(ended); health.Run(ctx) }()
			synctest.Wait()
			require.Equal(t, want, health.Dependencies()[0].LastError)
			stop()
			<-ended
		})
	}
}

func TestGRPCHealthFollowsReadiness(t *testing.T) {
	health, err := rpcserver.NewHealth(nil, rpcserver.HealthOptions{})
	require.NoError(t, err)
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) { o.Health = health }, (&echo{}).mount())
	ask := func(name string) (healthv1.HealthCheckResponse_ServingStatus, error) {
		c := connect.NewClient[healthv1.HealthCheckRequest, healthv1.HealthCheckResponse](r.HTTP2, r.URL+"/grpc.health.v1.Health/Check", connect.WithGRPC())
		res, err := c.CallUnary(within(t), connect.NewRequest(&healthv1.HealthCheckRequest{Service: name}))
		if err != nil {
			return 0, err
		}
		return res.Msg.GetStatus(), nil
	}
	w := connect.NewClient[healthv1.HealthCheckRequest, healthv1.HealthCheckResponse](r.HTTP2, r.URL+"/grpc.health.v1.Health/Watch", connect.WithGRPC())
	stream, err := w.CallServerStream(within(t), connect.NewRequest(&healthv1.HealthCheckRequest{}))
	require.NoError(t, err)
	require.True(t, stream.Receive())
	require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, stream.Msg().GetStatus())

	got, err := ask(service)
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, got)
	health.MarkStarted()
	got, err = ask(service)
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_SERVING, got)
	require.True(t, stream.Receive())
	require.Equal(t, healthv1.HealthCheckResponse_SERVING, stream.Msg().GetStatus())

	_, err = ask("no.such.Service")
	require.Equal(t, connect.CodeNotFound, connect.CodeOf(err))
	health.Drain()
	require.True(t, stream.Receive())
	require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, stream.Msg().GetStatus())
	require.NoError(t, stream.Close())
}
