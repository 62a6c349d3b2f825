// Package rpcservertest starts a server on a free port for a test and offers
// clients for it.
package rpcservertest

import (
	"context"
	"crypto/tls"
	"net/http"
	"testing"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/rpcserver"
)

// Running is a server that serves until the test ends.
type Running struct {
	Server *rpcserver.Server
	Health *rpcserver.Health
	// URL is the base URL of the listener.
	URL string
	// HTTP1 and HTTP2 are clients for one protocol version each. HTTP2 speaks
	// without TLS (h2c), as gRPC clients inside a cluster do.
	HTTP1, HTTP2 *http.Client
	// Stopped gets the result of Serve, once.
	Stopped <-chan error
}

// Everybody takes each call as an admin's.
func Everybody() rpcserver.Authenticator {
	return rpcserver.Everybody(caller.Caller{Name: "test", Kind: caller.Development, Role: caller.Admin})
}

// Start serves with the default configuration, without drain notice, on a free
// port, and takes everybody as an admin. change may adjust configuration and options and may be nil. The process
// counts as started; without change it is ready.
func Start(tb testing.TB, change func(*rpcserver.Config, *rpcserver.Options), mounts ...rpcserver.Mount) *Running {
	tb.Helper()
	health, err := rpcserver.NewHealth(nil, rpcserver.HealthOptions{})
	if err != nil {
		tb.Fatalf("create the health: %v", err)
	}
	health.MarkStarted()
	cfg := rpcserver.Default()
	cfg.Addr = "127.0.0.1:0"
	cfg.Drain.Notice = 0
	opts := rpcserver.Options{Health: health, Mounts: mounts, Authenticator: Everybody()}
	if change != nil {
		change(&cfg, &opts)
	}
	server, err := rpcserver.New(cfg, opts)
	if err != nil {
		tb.Fatalf("create the server: %v", err)
	}
	if err := server.Listen(context.Background()); err != nil {
		tb.Fatalf("listen: %v", err)
	}
	stopped := make(chan error, 1)
	served := make(chan struct{})
	go func() {
		defer close(served)
		stopped <- server.Serve(context.Background())
	}()
	r := &Running{
		Server: server, Health: opts.Health, URL: server.URL(), Stopped: stopped,
		HTTP1: client(false), HTTP2: client(true),
	}
	tb.Cleanup(func() {
		r.HTTP1.CloseIdleConnections()
		r.HTTP2.CloseIdleConnections()
		server.Force()
		<-served
	})
	// Once one answer came, Serve has begun and a Shutdown is a drain.
	res, err := (&http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // nothing is sent
	}}).Get(r.URL + "/health")
	switch {
	case err == nil:
		_ = res.Body.Close()
	case !cfg.TLS.RequireClientCert:
		tb.Fatalf("ask for the health page: %v", err)
	}
	return r
}

func client(h2 bool) *http.Client {
	var p http.Protocols
	p.SetHTTP1(!h2)
	p.SetUnencryptedHTTP2(h2)
	return &http.Client{Transport: &http.Transport{Protocols: &p}}
}
