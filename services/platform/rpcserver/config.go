package rpcserver

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Config is the part of the configuration that describes one listener.
type Config struct {
	// Addr is host:port. Port 0 lets the system choose; Server.Addr tells the choice.
	Addr string `koanf:"addr" doc:"Address to listen on, host:port. Port 0 picks a free one."`
	// Reflection switches gRPC reflection.
	Reflection bool `koanf:"reflection" doc:"Serve gRPC reflection, which grpcurl needs. The schema it shows is no secret."`
	// TLS is off while CertFile is empty.
	TLS TLSConfig `koanf:"tls" doc:"Server certificate and client authentication."`
	// Drain describes how the server stops.
	Drain DrainConfig `koanf:"drain" doc:"How the server stops."`
	// MaxMessageBytes bounds one message, before and after decompression. 1 to 64 MiB.
	MaxMessageBytes int `koanf:"max_message_bytes" doc:"Largest request message in bytes, before and after decompression (1 to 67108864)."`
	// ReadHeaderTimeout bounds the arrival of one request's headers.
	ReadHeaderTimeout time.Duration `koanf:"read_header_timeout" doc:"Time for the headers of one request to arrive."`
	// IdleTimeout closes a connection without calls.
	IdleTimeout time.Duration `koanf:"idle_timeout" doc:"A connection without calls is closed after this time."`
	// MaxHeaderBytes bounds the headers of one request. At least 4096.
	MaxHeaderBytes int `koanf:"max_header_bytes" doc:"Largest size of one request's headers in bytes (at least 4096)."`
	// MaxConnections bounds the connections that are open; more wait to be accepted. 1 to 1000000.
	MaxConnections int `koanf:"max_connections" doc:"Connections open at a time (1 to 1000000). Further ones wait until one closes."`
	// MaxConcurrentStreams bounds the calls in flight on one HTTP/2 connection.
	MaxConcurrentStreams int `koanf:"max_concurrent_streams" doc:"Calls in flight on one HTTP/2 connection (1 to 100000)."`
	// RequestTimeout is the longest a unary call may take, whatever deadline the caller sent.
	RequestTimeout time.Duration `koanf:"request_timeout" doc:"Longest time for a unary call, including the arrival of its body."`
	// CORS says which web pages may call. Server.SetAllowedOrigins changes it later.
	CORS CORSConfig `koanf:"cors" doc:"Web pages of other origins that may call."`
}

// TLSConfig names the files of the server's identity. They are read again when
// they change on disk.
type TLSConfig struct {
	CertFile          string `koanf:"cert_file" doc:"PEM certificate chain. Empty serves without TLS."`
	KeyFile           string `koanf:"key_file" doc:"PEM private key of cert_file."`
	ClientCAFile      string `koanf:"client_ca_file" doc:"PEM certificates that may sign client certificates."`
	RequireClientCert bool   `koanf:"require_client_cert" doc:"Refuse connections without a client certificate (mTLS)."`
}

// Enabled reports whether the listener speaks TLS.
func (t TLSConfig) Enabled() bool { return t.CertFile != "" }

// DrainConfig holds the two delays of a graceful stop.
type DrainConfig struct {
	// Notice is the time between readiness going off and the listener closing. 0 skips it.
	Notice time.Duration `koanf:"notice" doc:"Time between readiness turning off and the listener closing, so that balancers can look away."`
	// Timeout is the time calls in flight get after the listener closed.
	Timeout time.Duration `koanf:"timeout" doc:"Time for calls in flight to finish after the listener closed."`
}

// Default returns the configuration of a process nobody configured.
func Default() Config {
	return Config{
		Addr:                 "127.0.0.1:8080",
		Reflection:           true,
		Drain:                DrainConfig{Notice: 2 * time.Second, Timeout: 20 * time.Second},
		MaxMessageBytes:      1 << 20,
		ReadHeaderTimeout:    5 * time.Second,
		IdleTimeout:          2 * time.Minute,
		MaxHeaderBytes:       64 << 10,
		MaxConnections:       10_000,
		MaxConcurrentStreams: 250,
		RequestTimeout:       10 * time.Second,
	}
}

const (
	maxMessageBytes   = 64 << 20
	minHeaderBytes    = 4 << 10
	maxHeaderBytes    = 16 << 20
	maxStreamsAllowed = 100_000
	maxConnections    = 1_000_000
)

// Validate returns every problem at once, each as a sentence that says how to fix it.
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if _, port, err := net.SplitHostPort(c.Addr); err != nil {
		bad("addr must be host:port, for example 127.0.0.1:8080")
	} else if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		bad("the port of addr must be a number from 0 to 65535")
	}
	if c.MaxMessageBytes < 1 || c.MaxMessageBytes > maxMessageBytes {
		bad("max_message_bytes must be from 1 to %d", maxMessageBytes)
	}
	if c.MaxHeaderBytes < minHeaderBytes || c.MaxHeaderBytes > maxHeaderBytes {
		bad("max_header_bytes must be from %d to %d", minHeaderBytes, maxHeaderBytes)
	}
	if c.MaxConnections < 1 || c.MaxConnections > maxConnections {
		bad("max_connections must be from 1 to %d", maxConnections)
	}
	if c.MaxConcurrentStreams < 1 || c.MaxConcurrentStreams > maxStreamsAllowed {
		bad("max_concurrent_streams must be from 1 to %d", maxStreamsAllowed)
	}
	if c.ReadHeaderTimeout <= 0 {
		bad("read_header_timeout must be above 0, else slow senders hold connections for ever")
	}
	if c.IdleTimeout <= 0 {
		bad("idle_timeout must be above 0, else idle connections pile up")
	}
	if c.RequestTimeout <= 0 {
		bad("request_timeout must be above 0: every unary call needs an upper limit")
	}
	if c.Drain.Notice < 0 {
		bad("drain.notice must not be negative")
	}
	if c.Drain.Timeout <= 0 {
		bad("drain.timeout must be above 0, else every stop cuts calls in flight")
	}
	errs = append(errs, c.TLS.validate()...)
	if err := c.CORS.validate(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (t TLSConfig) validate() []error {
	var errs []error
	if (t.CertFile == "") != (t.KeyFile == "") {
		errs = append(errs, errors.New("tls.cert_file and tls.key_file belong together: set both or none"))
	}
	if t.ClientCAFile != "" && t.CertFile == "" {
		errs = append(errs, errors.New("tls.client_ca_file needs tls.cert_file: clients can only be checked over TLS"))
	}
	if t.RequireClientCert && t.ClientCAFile == "" {
		errs = append(errs, errors.New("tls.require_client_cert needs tls.client_ca_file to check the certificates against"))
	}
	return errs
}
