package rpcserver

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	certificatePoll  = 5 * time.Second
	handshakeRecheck = time.Second
)

// certificates holds the TLS configuration in force and replaces it when the
// files change. The contents decide, not the times: orchestrators swap
// directories by symbolic link, which may leave time and size the same. New
// files that do not fit together leave the old configuration in force.
type certificates struct {
	cfg    TLSConfig
	log    *slog.Logger
	expiry *prometheus.GaugeVec // curried to this listener; label kind

	current atomic.Pointer[tls.Config]
	checked atomic.Int64 // unix nanoseconds of the last look at the files

	mu     sync.Mutex
	loaded [sha256.Size]byte // digest of the files in force
	tried  [sha256.Size]byte // digest of the files last tried, good or bad
}

// newCertificates loads the files. Unlike later, a bad file is an error now.
func newCertificates(cfg TLSConfig, log *slog.Logger, expiry *prometheus.GaugeVec) (*certificates, error) {
	c := &certificates{cfg: cfg, log: log, expiry: expiry}
	files, err := c.read()
	if err != nil {
		return nil, err
	}
	if err := c.use(files); err != nil {
		return nil, err
	}
	c.checked.Store(time.Now().UnixNano())
	return c, nil
}

// run polls until ctx ends.
func (c *certificates) run(ctx context.Context) {
	tick := time.NewTicker(certificatePoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.check()
		}
	}
}

// serverConfig returns what the listener is opened with. Every handshake gets
// the configuration in force.
func (c *certificates) serverConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			c.recheck()
			return c.current.Load(), nil
		},
	}
}

// recheck looks at the files on a handshake if nobody did in the last second,
// so that a new certificate is served without waiting for the poll.
func (c *certificates) recheck() {
	last := c.checked.Load()
	if now := time.Now().UnixNano(); now-last >= int64(handshakeRecheck) && c.checked.CompareAndSwap(last, now) {
		c.check()
	}
}

// check compares the files with what is in force and replaces it if they differ.
// A bad set of files is logged once, not at every look.
func (c *certificates) check() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checked.Store(time.Now().UnixNano())
	files, err := c.read()
	if err == nil && files.digest == c.loaded {
		c.tried = files.digest
		return
	}
	if files.digest == c.tried {
		return
	}
	c.tried = files.digest
	if err == nil {
		err = c.use(files)
	}
	if err != nil {
		c.log.Error("the new TLS files are not usable, the old ones stay in force", "error", err)
		return
	}
	c.log.Info("TLS files reloaded", "not_after", files.notAfter.UTC())
}

type tlsFiles struct {
	cert, key, ca []byte
	digest        [sha256.Size]byte
	notAfter      time.Time
}

// read returns the contents. On an error the digest still identifies the
// failure, so that it is reported once.
func (c *certificates) read() (*tlsFiles, error) {
	f := &tlsFiles{}
	var errs []error
	sum := sha256.New()
	for _, part := range []struct {
		name string
		into *[]byte
	}{{c.cfg.CertFile, &f.cert}, {c.cfg.KeyFile, &f.key}, {c.cfg.ClientCAFile, &f.ca}} {
		if part.name == "" {
			continue
		}
		data, err := os.ReadFile(part.name)
		if err != nil {
			errs = append(errs, fmt.Errorf("read a TLS file: %w", err))
			fmt.Fprintf(sum, "%s\x00", err)
		}
		*part.into = data
		fmt.Fprintf(sum, "%d\x00", len(data))
		sum.Write(data)
	}
	sum.Sum(f.digest[:0])
	return f, errors.Join(errs...)
}

// use builds the configuration and puts it in force.
func (c *certificates) use(f *tlsFiles) error {
	pair, err := tls.X509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("tls.cert_file and tls.key_file do not fit: %w", err)
	}
	f.notAfter = pair.Leaf.NotAfter
	cfg := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
		Certificates: []tls.Certificate{pair},
	}
	if c.cfg.ClientCAFile != "" {
		// A resumed session would outlive the authority that vouched for its client.
		cfg.SessionTicketsDisabled = true
		pool, first, err := authorities(f.ca)
		if err != nil {
			return err
		}
		cfg.ClientCAs = pool
		cfg.ClientAuth = tls.VerifyClientCertIfGiven
		if c.cfg.RequireClientCert {
			cfg.ClientAuth = tls.RequireAndVerifyClientCert
		}
		c.expiry.WithLabelValues("client_ca").Set(float64(first.Unix()))
	}
	c.expiry.WithLabelValues("server").Set(float64(f.notAfter.Unix()))
	c.loaded = f.digest
	c.current.Store(cfg)
	return nil
}

// authorities parses a PEM bundle and returns the earliest end of validity.
func authorities(bundle []byte) (*x509.CertPool, time.Time, error) {
	pool := x509.NewCertPool()
	var first time.Time
	certs, err := parseBundle(bundle)
	if err != nil {
		return nil, first, fmt.Errorf("tls.client_ca_file: %w", err)
	}
	for _, cert := range certs {
		pool.AddCert(cert)
		if first.IsZero() || cert.NotAfter.Before(first) {
			first = cert.NotAfter
		}
	}
	return pool, first, nil
}

func parseBundle(bundle []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for len(bundle) > 0 {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parse a certificate: %w", err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("the file holds no PEM certificate")
	}
	return certs, nil
}
