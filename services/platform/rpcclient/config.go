package rpcclient

import (
	"errors"
	"net/url"
	"time"

	"trunkline/services/platform/config"
)

// Config says where the internal API is and how this process proves who it is.
type Config struct {
	// URL is empty for a process that does not ask.
	URL     string        `koanf:"url" doc:"Internal API of the control plane, https://host:port. Empty: it is not asked."`
	TLS     TLSConfig     `koanf:"tls" doc:"Certificates for the internal API."`
	Timeout time.Duration `koanf:"timeout" doc:"Longest time for one call with one answer (100ms to 1m). Streams end with the deadline of whoever asks."`
}

// TLSConfig names the files of the client's identity. They are read again when
// they change on disk.
type TLSConfig struct {
	CertFile   string `koanf:"cert_file" doc:"PEM certificate chain whose SPIFFE ID or DNS name the internal API knows."`
	KeyFile    string `koanf:"key_file" doc:"PEM private key of cert_file."`
	CAFile     string `koanf:"ca_file" doc:"PEM certificates that may sign the certificate of the internal API."`
	ServerName string `koanf:"server_name" doc:"Name in the certificate of the internal API. Empty takes the host of url."`
}

// DefaultConfig returns the settings of a process nobody configured. It has no URL.
func DefaultConfig() Config { return Config{Timeout: 3 * time.Second} }

const (
	minTimeout = 100 * time.Millisecond
	maxTimeout = time.Minute
)

// Validate wants all files once there is a URL.
func (c Config) Validate() error {
	var errs []error
	if c.Timeout < minTimeout || c.Timeout > maxTimeout {
		errs = append(errs, config.Invalid("timeout", c.Timeout, "set a duration from 100ms to 1m"))
	}
	if c.URL == "" {
		return errors.Join(errs...)
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "https" || u.Host == "" || c.URL != "https://"+u.Host {
		errs = append(errs, config.Invalid("url", c.URL, "write https://host:port, such as https://127.0.0.1:8443, or nothing"))
	}
	for _, file := range []struct{ key, path string }{
		{"tls.cert_file", c.TLS.CertFile}, {"tls.key_file", c.TLS.KeyFile}, {"tls.ca_file", c.TLS.CAFile},
	} {
		if file.path == "" {
			errs = append(errs, config.Invalid(file.key, "", "name the PEM file: url is set, and the internal API is asked with mutual TLS only"))
		}
	}
	return errors.Join(errs...)
}
