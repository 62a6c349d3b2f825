package rpcserver_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/dynamicpb"

	"trunkline/services/platform/certtest"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

func TestEveryProtocolWorksOverMutualTLS(t *testing.T) {
	ca := certtest.NewAuthority(t)
	files := certtest.NewFiles(t)
	files.Write(t, ca.Issue(t, "127.0.0.1"), ca)
	peer := make(chan string, 1)
	e := &echo{do: func(ctx context.Context, _ *dynamicpb.Message) error {
		peer <- rpcserver.ConnectionState(ctx).VerifiedChains[0][0].DNSNames[0]
		return nil
	}}
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) {
		c.TLS = rpcserver.TLSConfig{CertFile: files.Cert, KeyFile: files.Key, ClientCAFile: files.CA, RequireClientCert: true}
	}, e.mount())
	pair := ca.Issue(t, "connector.test")
	for _, p := range protocols() {
		_, err := call(within(t), newClient(ca.Client(t, pair), r.URL, check, p.options...), to(number))
		require.NoError(t, err, p.name)
		require.Equal(t, "connector.test", await(t, peer, "the handler sees the peer"))
	}
	stranger := certtest.NewAuthority(t)
	for name, client := range map[string]*http.Client{
		"no client certificate":                        ca.Client(t),
		"a client certificate of another authority":    ca.Client(t, stranger.Issue(t, "connector.test")),
		"a client certificate whose time has ended":    ca.Client(t, ca.Expired(t, "connector.test")),
		"a client certificate whose time has not come": ca.Client(t, ca.NotYetValid(t, "connector.test")),
	} {
		_, err := client.Get(r.URL + "/health")
		require.Error(t, err, name)
	}
	_, err := call(within(t), newClient(r.HTTP2, "http://"+r.Server.Addr().String(), check, connect.WithGRPC()), to(number))
	require.Error(t, err, "no clear text on a TLS listener")
}

func served(t *testing.T, r *rpcservertest.Running) time.Time {
	t.Helper()
	c, err := tls.Dial("tcp", r.Server.Addr().String(), &tls.Config{InsecureSkipVerify: true}) // the certificate itself is looked at
	if err != nil {
		return time.Time{}
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].NotAfter.UTC()
}

func TestChangedFilesAreServedAndBadOnesAreNot(t *testing.T) {
	ca, next := certtest.NewAuthority(t), certtest.NewAuthority(t)
	files := certtest.NewFiles(t)
	first, second := ca.Issue(t, "127.0.0.1"), next.IssueFor(t, time.Now(), time.Now().Add(24*time.Hour), "127.0.0.1")
	files.Write(t, first, ca)
	var logs safeBuffer
	reg := prometheus.NewRegistry()
	r := rpcservertest.Start(t, func(c *rpcserver.Config, o *rpcserver.Options) {
		c.TLS = rpcserver.TLSConfig{CertFile: files.Cert, KeyFile: files.Key, ClientCAFile: files.CA}
		o.Registerer, o.Logger = reg, slog.New(slog.NewJSONHandler(&logs, nil))
	}, (&echo{}).mount())
	expiry := func(kind string) float64 {
		return sample(t, reg, "trunkline_certificate_expiry_seconds", map[string]string{"kind": kind, "listener": "public"})
	}
	require.Equal(t, first.NotAfter(t), served(t, r))
	require.EqualValues(t, first.NotAfter(t).Unix(), expiry("server"))
	require.EqualValues(t, ca.Cert.NotAfter.Unix(), expiry("client_ca"))

	// A new certificate without its key is half of a rotation.
	files.Write(t, certtest.Pair{Cert: second.Cert, Key: first.Key}, ca)
	require.Eventually(t, func() bool {
		return served(t, r).Equal(first.NotAfter(t)) && bytes.Contains([]byte(logs.String()), []byte("not usable"))
	}, time.Minute, 20*time.Millisecond)
	require.EqualValues(t, first.NotAfter(t).Unix(), expiry("server"))

	files.Write(t, second, next)
	require.Eventually(t, func() bool { return served(t, r).Equal(second.NotAfter(t)) }, time.Minute, 20*time.Millisecond)
	require.EqualValues(t, second.NotAfter(t).Unix(), expiry("server"))

	// The old authority of clients went with it.
	_, err := next.Client(t, ca.Issue(t, "connector.test")).Get(r.URL + "/health")
	require.Error(t, err)

	require.NoError(t, os.Remove(files.Key))
	require.Eventually(t, func() bool {
		served(t, r)
		return bytes.Count([]byte(logs.String()), []byte("not usable")) == 2
	}, time.Minute, 20*time.Millisecond)
	require.Equal(t, second.NotAfter(t), served(t, r), "a missing file keeps the pair in force")
}

func TestSessionsOfCheckedClientsAreNotResumed(t *testing.T) {
	ca := certtest.NewAuthority(t)
	files := certtest.NewFiles(t)
	files.Write(t, ca.Issue(t, "127.0.0.1"), ca)
	for _, checked := range []bool{false, true} {
		r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) {
			c.TLS = rpcserver.TLSConfig{CertFile: files.Cert, KeyFile: files.Key}
			if checked {
				c.TLS.ClientCAFile = files.CA
			}
		})
		h := ca.Client(t)
		h.Transport.(*http.Transport).TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(4)
		resumed := false
		for range 2 {
			res, err := h.Get(r.URL + "/health")
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			resumed = res.TLS.DidResume
			h.CloseIdleConnections()
		}
		require.Equal(t, !checked, resumed)
	}
}

func TestBadTLSFilesPreventTheStart(t *testing.T) {
	ca := certtest.NewAuthority(t)
	files := certtest.NewFiles(t)
	files.Write(t, certtest.Pair{Cert: ca.Issue(t, "one").Cert, Key: ca.Issue(t, "two").Key}, ca)
	cfg := rpcserver.Default()
	cfg.TLS = rpcserver.TLSConfig{CertFile: files.Cert, KeyFile: files.Key}
	health, err := rpcserver.NewHealth(nil, rpcserver.HealthOptions{})
	require.NoError(t, err)
	_, err = rpcserver.New(cfg, rpcserver.Options{Health: health})
	require.ErrorContains(t, err, "do not fit")
}
