package jwks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

const (
	maxDocument      = 1 << 20
	maxAnswerHeaders = 64 << 10
)

// download fetches the document. The context bounds the whole of it.
func download(ctx context.Context, cfg Config) ([]byte, error) {
	settings, err := tlsSettings(cfg.CAFile)
	if err != nil {
		return nil, err
	}
	// Fetches are minutes apart: no connection is worth keeping.
	client := &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: settings, ForceAttemptHTTP2: true,
			DisableKeepAlives: true, MaxResponseHeaderBytes: maxAnswerHeaders,
		},
		// A redirect would choose the host; it counts as a wrong answer below.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, cfg.JWKSURL, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer has the status %d instead of 200; redirects are not followed", response.StatusCode)
	}
	document, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	case len(document) > maxDocument:
		return nil, errors.New("the answer is longer than 1 MiB")
	}
	return document, nil
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
