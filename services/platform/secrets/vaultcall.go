package secrets

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/hashicorp/vault/api"

	"trunkline/services/platform/fault"
)

const (
	maxAnswerBytes = 8 << 20
	maxConnections = 64
	idleTimeout    = time.Minute
)

// request is one call of Vault's HTTP API. Path is what follows /v1/; a nil body sends none.
type request struct {
	method string
	path   string
	query  url.Values
	body   any
}

// refusal is an answer other than a success. It keeps nothing that Vault said, as that could repeat what was sent.
type refusal struct {
	request request
	status  int
	// explained answers came with a text: "not found" without one is about the entry, with one about the address.
	explained bool
}

func (r *refusal) Error() string {
	return fmt.Sprintf("Vault answered %d to %s %s", r.status, r.request.method, r.request.path)
}

// call makes a request as whoever this process is. It returns ErrNotFound for an entry that is not there.
func (v *Vault) call(ctx context.Context, r request, into any) error {
	s, err := v.session(ctx)
	if err == nil {
		err = v.send(ctx, s.client, r, into)
		if forbidden(err) {
			err = v.callAgain(ctx, s, r, into, err)
		}
	}
	return explain(ctx, err)
}

// callAgain follows a refusal. Only when the token of s is dead does another one help.
func (v *Vault) callAgain(ctx context.Context, s *session, r request, into any, refused error) error {
	err := v.send(ctx, s.client, lookup, nil)
	switch {
	case err == nil:
		return refused
	case !forbidden(err):
		return err
	}
	if s, err = v.logIn(ctx, s); err != nil {
		return err
	}
	return v.send(ctx, s.client, r, into)
}

// send makes one request. The error is a *refusal when Vault answered.
func (v *Vault) send(ctx context.Context, c *api.Client, r request, into any) error {
	ctx, cancel := context.WithTimeout(ctx, v.cfg.Timeout)
	defer cancel()
	var response *api.Response
	var err error
	switch r.method {
	case http.MethodGet:
		response, err = c.Logical().ReadRawWithDataWithContext(ctx, r.path, r.query)
	case http.MethodDelete:
		response, err = c.Logical().DeleteRawWithContext(ctx, r.path)
	default:
		var body []byte
		if body, err = json.Marshal(r.body); err == nil {
			response, err = c.Logical().WriteRawWithContext(ctx, r.path, body)
		}
	}
	if response != nil {
		defer func() { _ = response.Body.Close() }()
	}
	var refused *api.ResponseError
	switch {
	case errors.As(err, &refused):
		return &refusal{r, refused.StatusCode, len(refused.Errors) > 0}
	case err != nil:
		return err
	case into == nil, response.StatusCode == http.StatusNoContent:
		return nil
	}
	if response.DecodeJSON(into) != nil {
		return fmt.Errorf("the answer to %s %s cannot be read", r.method, r.path)
	}
	return nil
}

func forbidden(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.status == http.StatusForbidden
}

// explain turns an error of send into a fault.
func explain(caller context.Context, err error) error {
	var known *fault.Fault
	var r *refusal
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case !errors.As(err, &r):
		if caller.Err() != nil {
			return fault.From(caller.Err())
		}
		return ErrUnavailable.Wrap(err)
	case r.status == http.StatusNotFound && !r.explained:
		return ErrNotFound.Wrap(err)
	case r.status >= http.StatusInternalServerError, r.status == http.StatusTooManyRequests, r.status == http.StatusRequestTimeout:
		return ErrUnavailable.Wrap(err)
	}
	return ErrDenied.Wrap(err)
}

// found forgives that something is not there.
func found(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func newHTTPClient(cfg VaultConfig) *http.Client {
	dialer := &net.Dialer{Timeout: cfg.Timeout}
	return &http.Client{
		Transport: bounded{&http.Transport{
			DialContext: dialer.DialContext,
			DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				settings, err := tlsSettings(cfg.CAFile)
				if err != nil {
					return nil, err
				}
				return (&tls.Dialer{NetDialer: dialer, Config: settings}).DialContext(ctx, network, addr)
			},
			MaxConnsPerHost:     maxConnections,
			MaxIdleConnsPerHost: listAtOnce,
			IdleConnTimeout:     idleTimeout,
		}},
		// The library follows one redirect by itself, from a standby to the active node.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func tlsSettings(caFile string) (*tls.Config, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return settings, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	settings.RootCAs = x509.NewCertPool()
	if !settings.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("ca_file holds no PEM certificate")
	}
	return settings, nil
}

// bounded cuts answers off: the library reads them whole.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, maxAnswerBytes), response.Body}
	}
	return response, err
}

func (b bounded) CloseIdleConnections() {
	if c, ok := b.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
