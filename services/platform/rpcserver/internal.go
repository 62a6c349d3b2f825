package rpcserver

import (
	"errors"
	"net"

	"trunkline/services/platform/config"
)

// InternalConfig is the listener on which other Trunkline processes call. It is
// always mutual TLS.
type InternalConfig struct {
	Addr string          `koanf:"addr" doc:"Address of the internal listener for other Trunkline processes, host:port, such as 0.0.0.0:8443. Empty serves no internal API."`
	TLS  MutualTLSConfig `koanf:"tls" doc:"Certificates of the internal listener."`
}

// MutualTLSConfig names the files of a listener that takes nobody without a
// certificate. They are read again when they change on disk.
type MutualTLSConfig struct {
	CertFile     string `koanf:"cert_file" doc:"PEM certificate chain of the internal listener."`
	KeyFile      string `koanf:"key_file" doc:"PEM private key of cert_file."`
	ClientCAFile string `koanf:"client_ca_file" doc:"PEM certificates that may sign the certificates of callers. Who has none of them is refused at the handshake."`
}

// Served reports whether there is an internal listener.
func (c InternalConfig) Served() bool { return c.Addr != "" }

// Validate wants all files of a listener that is served.
func (c InternalConfig) Validate() error {
	if !c.Served() {
		return nil
	}
	var errs []error
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		errs = append(errs, config.Invalid("addr", c.Addr, "write host:port, such as 127.0.0.1:8443, or nothing to serve no internal API"))
	}
	for _, file := range []struct{ key, path string }{
		{"tls.cert_file", c.TLS.CertFile}, {"tls.key_file", c.TLS.KeyFile}, {"tls.client_ca_file", c.TLS.ClientCAFile},
	} {
		if file.path == "" {
			errs = append(errs, config.Invalid(file.key, "", "name the PEM file: internal.addr is set, and the internal API is served with mutual TLS only"))
		}
	}
	return errors.Join(errs...)
}

// Listener returns the settings of the internal listener: those of the public
// one with its own address and certificates, and without reflection.
func (c InternalConfig) Listener(base Config) Config {
	base.Addr, base.Reflection, base.CORS = c.Addr, false, CORSConfig{} // no browser has a certificate of ours
	base.TLS = TLSConfig{CertFile: c.TLS.CertFile, KeyFile: c.TLS.KeyFile, ClientCAFile: c.TLS.ClientCAFile, RequireClientCert: true}
	return base
}
