package rpcserver_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/dynamicpb"

	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

// authority signs certificates for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert, key}
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

func (a *authority) issue(t *testing.T, name string, lives time.Duration) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lives),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key)
	require.NoError(t, err)
	raw, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw})
}

type tlsDir struct{ cert, key, ca string }

func newTLSDir(t *testing.T) tlsDir {
	dir := t.TempDir()
	return tlsDir{filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), filepath.Join(dir, "ca.crt")}
}

func (d tlsDir) write(t *testing.T, cert, key, ca []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(d.cert, cert, 0o600))
	require.NoError(t, os.WriteFile(d.key, key, 0o600))
	require.NoError(t, os.WriteFile(d.ca, ca, 0o600))
}

// dialer returns a client that trusts roots and shows the pair, if any.
func dialer(t *testing.T, roots *authority, pair ...[]byte) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(roots.cert)
	cfg := &tls.Config{RootCAs: pool}
	if len(pair) == 2 {
		c, err := tls.X509KeyPair(pair[0], pair[1])
		require.NoError(t, err)
		// Certificates would be offered only if their authority is on the server's list.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c, nil }
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: cfg, ForceAttemptHTTP2: true}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func TestEveryProtocolWorksOverMutualTLS(t *testing.T) {
	ca := newAuthority(t, "one")
	dir := newTLSDir(t)
	cert, key := ca.issue(t, "server.test", time.Hour)
	dir.write(t, cert, key, ca.pem())
	peer := make(chan string, 1)
	e := &echo{do: func(ctx context.Context, _ *dynamicpb.Message) error {
		peer <- rpcserver.ConnectionState(ctx).VerifiedChains[0][0].Subject.CommonName
		return nil
	}}
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) {
		c.TLS = rpcserver.TLSConfig{CertFile: dir.cert, KeyFile: dir.key, ClientCAFile: dir.ca, RequireClientCert: true}
	}, e.mount())
	clientCert, clientKey := ca.issue(t, "connector.test", time.Hour)
	for _, p := range protocols() {
		_, err := call(within(t), newClient(dialer(t, ca, clientCert, clientKey), r.URL, check, p.options...), to(number))
		require.NoError(t, err, p.name)
		require.Equal(t, "connector.test", await(t, peer, "the handler sees the peer"))
	}
	_, err := dialer(t, ca).Get(r.URL + "/health")
	require.Error(t, err, "no client certificate")
	stranger := newAuthority(t, "stranger")
	strangeCert, strangeKey := stranger.issue(t, "connector.test", time.Hour)
	_, err = dialer(t, ca, strangeCert, strangeKey).Get(r.URL + "/health")
	require.Error(t, err, "a client certificate of another authority")
	_, err = call(within(t), newClient(r.HTTP2, "http://"+r.Server.Addr().String(), check, connect.WithGRPC()), to(number))
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

func notAfter(t *testing.T, cert []byte) time.Time {
	t.Helper()
	block, _ := pem.Decode(cert)
	c, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return c.NotAfter.UTC()
}

func TestChangedFilesAreServedAndBadOnesAreNot(t *testing.T) {
	ca, next := newAuthority(t, "one"), newAuthority(t, "two")
	dir := newTLSDir(t)
	first, firstKey := ca.issue(t, "server.test", time.Hour)
	second, secondKey := next.issue(t, "server.test", 24*time.Hour)
	dir.write(t, first, firstKey, ca.pem())
	var logs safeBuffer
	reg := prometheus.NewRegistry()
	r := rpcservertest.Start(t, func(c *rpcserver.Config, o *rpcserver.Options) {
		c.TLS = rpcserver.TLSConfig{CertFile: dir.cert, KeyFile: dir.key, ClientCAFile: dir.ca}
		o.Registerer, o.Logger = reg, slog.New(slog.NewJSONHandler(&logs, nil))
	}, (&echo{}).mount())
	expiry := func(kind string) float64 {
		return sample(t, reg, "trunkline_certificate_expiry_seconds", map[string]string{"kind": kind, "listener": "public"})
	}
	require.Equal(t, notAfter(t, first), served(t, r))
	require.EqualValues(t, notAfter(t, first).Unix(), expiry("server"))
	require.EqualValues(t, ca.cert.NotAfter.Unix(), expiry("client_ca"))

	// A new certificate without its key is half of a rotation.
	dir.write(t, second, firstKey, ca.pem())
	require.Eventually(t, func() bool {
		return served(t, r).Equal(notAfter(t, first)) && bytes.Contains([]byte(logs.String()), []byte("not usable"))
	}, 10*time.Second, 20*time.Millisecond)
	require.EqualValues(t, notAfter(t, first).Unix(), expiry("server"))

	dir.write(t, second, secondKey, next.pem())
	require.Eventually(t, func() bool { return served(t, r).Equal(notAfter(t, second)) }, 10*time.Second, 20*time.Millisecond)
	require.EqualValues(t, notAfter(t, second).Unix(), expiry("server"))

	// The old authority of clients went with it.
	oldCert, oldKey := ca.issue(t, "connector.test", time.Hour)
	_, err := dialer(t, next, oldCert, oldKey).Get(r.URL + "/health")
	require.Error(t, err)

	require.NoError(t, os.Remove(dir.key))
	require.Eventually(t, func() bool {
		served(t, r)
		return bytes.Count([]byte(logs.String()), []byte("not usable")) == 2
	}, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, notAfter(t, second), served(t, r), "a missing file keeps the pair in force")
}

func TestSessionsOfCheckedClientsAreNotResumed(t *testing.T) {
	ca := newAuthority(t, "one")
	cert, key := ca.issue(t, "server.test", time.Hour)
	for _, checked := range []bool{false, true} {
		dir := newTLSDir(t)
		dir.write(t, cert, key, ca.pem())
		r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) {
			c.TLS = rpcserver.TLSConfig{CertFile: dir.cert, KeyFile: dir.key}
			if checked {
				c.TLS.ClientCAFile = dir.ca
			}
		})
		h := dialer(t, ca)
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
	ca := newAuthority(t, "one")
	cert, key := ca.issue(t, "server.test", time.Hour)
	_, otherKey := ca.issue(t, "server.test", time.Hour)
	cases := []struct {
		name          string
		cert, key, ca []byte
		text          string
	}{
		{"a key of another certificate", cert, otherKey, ca.pem(), "do not fit"},
		{"no certificate at all", []byte("x"), key, ca.pem(), "do not fit"},
		{"an authority file without certificates", cert, key, []byte("x"), "tls.client_ca_file"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := newTLSDir(t)
			dir.write(t, c.cert, c.key, c.ca)
			cfg := rpcserver.Default()
			cfg.TLS = rpcserver.TLSConfig{CertFile: dir.cert, KeyFile: dir.key, ClientCAFile: dir.ca}
			health, err := rpcserver.NewHealth(nil, rpcserver.HealthOptions{})
			require.NoError(t, err)
			_, err = rpcserver.New(cfg, rpcserver.Options{Health: health})
			require.ErrorContains(t, err, c.text)
		})
	}
}
