package rpcserver

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"trunkline/services/platform/tlsfiles"
)

// loadCertificates reads the TLS files, if there are any.
func (s *Server) loadCertificates() error {
	if !s.cfg.TLS.Enabled() {
		return nil
	}
	expiry, err := tlsfiles.NewExpiry(s.opts.Registerer, s.opts.Name, "server", "client_ca")
	if err != nil {
		return err
	}
	files := tlsfiles.Files{Cert: s.cfg.TLS.CertFile, Key: s.cfg.TLS.KeyFile, CA: s.cfg.TLS.ClientCAFile}
	s.certs, err = tlsfiles.Open(files, s.buildTLS, s.log, expiry)
	return err
}

// minTLS is higher where both sides are ours.
func (s *Server) minTLS() uint16 {
	if s.internal() {
		return tls.VersionTLS13
	}
	return tls.VersionTLS12
}

func (s *Server) buildTLS(m tlsfiles.Material) *tls.Config {
	cfg := &tls.Config{
		MinVersion:   s.minTLS(),
		NextProtos:   []string{"h2", "http/1.1"},
		Certificates: []tls.Certificate{m.Certificate},
	}
	if m.Authorities != nil {
		// A resumed session would outlive the authority that vouched for its client.
		cfg.SessionTicketsDisabled = true
		cfg.ClientCAs = m.Authorities
		cfg.ClientAuth = tls.VerifyClientCertIfGiven
		if s.cfg.TLS.RequireClientCert {
			cfg.ClientAuth = tls.RequireAndVerifyClientCert
		}
	}
	return cfg
}

// listenerTLS is what the listener is opened with. Every handshake gets the
// configuration in force.
func (s *Server) listenerTLS() *tls.Config {
	return &tls.Config{
		MinVersion: s.minTLS(),
		NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return s.certs.Config(), nil
		},
	}
}

type trustKey struct{}

// trusting remembers which files were in force when a connection came in. It
// looks at them, so that the handshake that follows does not find new ones.
func (s *Server) trusting(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, trustKey{}, s.certs.Config())
}

// outdated reports whether a client that showed a certificate has to prove itself
// again: its certificate has ended, or the files it was checked with were
// replaced. A connection may live for days, and a handshake looks only once.
func (s *Server) outdated(r *http.Request) bool {
	if s.certs == nil || r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return false
	}
	return r.Context().Value(trustKey{}) != any(s.certs.Config()) || ended(r.TLS)
}

// ended reports whether the client's certificate is past its time.
func ended(state *tls.ConnectionState) bool {
	return time.Now().After(state.PeerCertificates[0].NotAfter)
}
