package accesstest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dial connects to the public listener over TLS, to speak one protocol of "http/1.1" and "h2" by hand.
func (p *platform) dial(t *testing.T, protocol string) net.Conn {
	t.Helper()
	config := p.plain.Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{protocol}
	c, err := (&tls.Dialer{NetDialer: &net.Dialer{Timeout: eventually}, Config: config}).DialContext(t.Context(), "tcp", p.host())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	return c
}

// web sends one HTTP/1 request as it is written. Each header is a line.
func (p *platform) web(t *testing.T, method, target, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	var text bytes.Buffer
	host := "Host: " + p.host()
	for _, h := range headers {
		if strings.HasPrefix(h, "Host:") || h == noHost {
			host = ""
		}
	}
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\n", method, target)
	for _, h := range append([]string{host}, headers...) {
		if h != "" && h != noHost {
			text.WriteString(h + "\r\n")
		}
	}
	if body != "" {
		fmt.Fprintf(&text, "Content-Length: %d\r\n", len(body))
	}
	text.WriteString("\r\n" + body)
	c := p.dial(t, "http/1.1")
	var written sync.WaitGroup
	written.Go(func() { _, _ = c.Write(text.Bytes()) }) // the server may answer and end the connection before it has read everything
	defer written.Wait()
	defer func() { _ = c.Close() }()
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(answer)
}

// noHost leaves the header Host out.
const noHost = "no Host"

// status sends a request and gives the HTTP status, with the reason where there is one.
func (p *platform) status(t *testing.T, method, target, body string, headers ...string) string {
	t.Helper()
	res, text := p.web(t, method, target, body, headers...)
	a := answer{status: res.StatusCode}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") && res.StatusCode != http.StatusOK {
		require.NoError(t, a.readJSON([]byte(text)))
	}
	return strings.TrimSpace(fmt.Sprint(res.StatusCode, " ", a.reason))
}

const (
	asJSON = "Content-Type: application/json"
	asGRPC = "Content-Type: application/grpc"
)

// keyLine is the header with the credential of an admin.
func (w *town) keyLine() string { return "Authorization: Bearer " + w.adminText }
