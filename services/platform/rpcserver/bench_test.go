package rpcserver_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

const ping = "/ping.v1.PingService/Ping"

func pong(_ context.Context, req *connect.Request[wrapperspb.StringValue]) (*connect.Response[wrapperspb.StringValue], error) {
	return connect.NewResponse(req.Msg), nil
}

// BenchmarkUnary compares a call through the whole server with the same call
// through the RPC library alone. Run it with -cpu 2 and compare the two lines.
func BenchmarkUnary(b *testing.B) {
	b.Run("library alone", func(b *testing.B) {
		mux := http.NewServeMux()
		mux.Handle(ping, connect.NewUnaryHandler(ping, pong))
		srv := httptest.NewUnstartedServer(mux)
		srv.Config.Protocols = new(http.Protocols)
		srv.Config.Protocols.SetUnencryptedHTTP2(true)
		srv.Start()
		defer srv.Close()
		r := rpcservertest.Start(b, nil) // for its client
		hammer(b, r.HTTP2, srv.URL+ping)
		r.HTTP2.CloseIdleConnections()
	})
	b.Run("whole server", func(b *testing.B) {
		metrics, err := rpcserver.NewMetrics(prometheus.NewRegistry(), "bench", nil)
		require.NoError(b, err)
		r := rpcservertest.Start(b, func(_ *rpcserver.Config, o *rpcserver.Options) {
			o.Metrics, o.Logger = metrics, slog.New(slog.DiscardHandler)
		}, rpcserver.Mount{Name: "echo.v1.ScopedService", Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			opts = append([]connect.HandlerOption{connect.WithSchema(method(scopedCheck))}, opts...)
			mux := http.NewServeMux()
			mux.Handle(scopedCheck, connect.NewUnaryHandler(scopedCheck, pong, opts...))
			return "/echo.v1.ScopedService/", mux
		}})
		hammer(b, r.HTTP2, r.URL+scopedCheck)
	})
}

func hammer(b *testing.B, h *http.Client, url string) {
	b.Helper()
	client := connect.NewClient[wrapperspb.StringValue, wrapperspb.StringValue](h, url, connect.WithGRPC())
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := client.CallUnary(context.Background(), connect.NewRequest(wrapperspb.String(number))); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
