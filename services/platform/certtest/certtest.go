// Package certtest makes certificate authorities and certificates for tests.
package certtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Authority signs certificates.
type Authority struct {
	Cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority that is valid for two days.
func NewAuthority(tb testing.TB) *Authority {
	tb.Helper()
	key := newKey(tb)
	template := &x509.Certificate{
		SerialNumber: serial(tb), Subject: pkix.Name{CommonName: "test authority " + rand.Text()},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	return &Authority{Cert: sign(tb, template, template, key, key), key: key}
}

// PEM is the authority's certificate.
func (a *Authority) PEM() []byte { return certPEM(a.Cert) }

// Pair is a certificate and its key, both PEM.
type Pair struct{ Cert, Key []byte }

// Issue makes a certificate for servers and clients that is valid for an hour.
// A name is a spiffe:// URI, an IP address or a DNS name.
func (a *Authority) Issue(tb testing.TB, names ...string) Pair {
	tb.Helper()
	return a.IssueFor(tb, time.Now().Add(-time.Minute), time.Now().Add(time.Hour), names...)
}

// Expired makes a certificate whose time ended a minute ago.
func (a *Authority) Expired(tb testing.TB, names ...string) Pair {
	tb.Helper()
	return a.IssueFor(tb, time.Now().Add(-time.Hour), time.Now().Add(-time.Minute), names...)
}

// NotYetValid makes a certificate whose time begins in an hour.
func (a *Authority) NotYetValid(tb testing.TB, names ...string) Pair {
	tb.Helper()
	return a.IssueFor(tb, time.Now().Add(time.Hour), time.Now().Add(2*time.Hour), names...)
}

// IssueFor makes a certificate that is valid from the first time to the second.
func (a *Authority) IssueFor(tb testing.TB, from, until time.Time, names ...string) Pair {
	tb.Helper()
	key := newKey(tb)
	template := &x509.Certificate{
		SerialNumber: serial(tb), NotBefore: from, NotAfter: until,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if strings.Contains(name, "://") {
			uri, err := url.Parse(name)
			if err != nil {
				tb.Fatalf("the name %q: %v", name, err)
			}
			template.URIs = append(template.URIs, uri)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	raw, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		tb.Fatalf("encode a key: %v", err)
	}
	return Pair{
		Cert: certPEM(sign(tb, template, a.Cert, key, a.key)),
		Key:  pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}),
	}
}

// NotAfter is the end of validity of the certificate.
func (p Pair) NotAfter(tb testing.TB) time.Time {
	tb.Helper()
	pair, err := tls.X509KeyPair(p.Cert, p.Key)
	if err != nil {
		tb.Fatalf("read a pair: %v", err)
	}
	return pair.Leaf.NotAfter.UTC()
}

// Client is an HTTP client that trusts servers of the authority and shows the
// pair, if there is one, also to servers that do not list its authority.
func (a *Authority) Client(tb testing.TB, pair ...Pair) *http.Client {
	tb.Helper()
	cfg := a.config(tb, pair...)
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: cfg, ForceAttemptHTTP2: true}}
	tb.Cleanup(c.CloseIdleConnections)
	return c
}

// Handshake connects to an HTTP/2 server as Client would and waits for its first word. The error is the server's
// alert when it refuses the certificate: a request sent meanwhile could lose the alert to a closed connection.
func (a *Authority) Handshake(tb testing.TB, addr string, pair ...Pair) error {
	tb.Helper()
	cfg := a.config(tb, pair...)
	cfg.NextProtos = []string{"h2"}
	conn, err := (&tls.Dialer{Config: cfg}).DialContext(tb.Context(), "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Read(make([]byte, 1))
	return err
}

func (a *Authority) config(tb testing.TB, pair ...Pair) *tls.Config {
	tb.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(a.Cert)
	cfg := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if len(pair) > 0 {
		shown, err := tls.X509KeyPair(pair[0].Cert, pair[0].Key)
		if err != nil {
			tb.Fatalf("read a pair: %v", err)
		}
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &shown, nil }
	}
	return cfg
}

// Files are the paths of a certificate, its key and an authority on disk.
type Files struct{ Cert, Key, CA string }

// NewFiles gives paths in a folder of the test. Nothing is written yet.
func NewFiles(tb testing.TB) Files {
	tb.Helper()
	dir := tb.TempDir()
	return Files{filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), filepath.Join(dir, "ca.crt")}
}

// Write replaces the files.
func (f Files) Write(tb testing.TB, pair Pair, ca *Authority) {
	tb.Helper()
	for path, text := range map[string][]byte{f.Cert: pair.Cert, f.Key: pair.Key, f.CA: ca.PEM()} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			tb.Fatalf("write a test certificate: %v", err)
		}
	}
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatalf("make a key: %v", err)
	}
	return key
}

func serial(tb testing.TB) *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		tb.Fatalf("make a serial number: %v", err)
	}
	return n
}

func sign(tb testing.TB, template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		tb.Fatalf("sign a certificate: %v", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatalf("read a certificate: %v", err)
	}
	return cert
}

func certPEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}
