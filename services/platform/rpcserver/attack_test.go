package rpcserver_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/types/dynamicpb"

	"trunkline/services/platform/certtest"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

// dial opens a connection that gives up after the time that a test waits at most.
func dial(t *testing.T, r *rpcservertest.Running) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", r.Server.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(20*time.Second)))
	return c
}

// requireCut waits for the server to close the connection.
func requireCut(t *testing.T, c net.Conn) {
	t.Helper()
	_, err := io.Copy(io.Discard, c)
	require.False(t, errors.Is(err, os.ErrDeadlineExceeded), "the server keeps the connection")
}

// requireServed shows that others are served meanwhile.
func requireServed(t *testing.T, r *rpcservertest.Running) {
	t.Helper()
	for _, p := range protocols() {
		_, err := call(within(t), newClient(r.HTTP2, r.URL, lookup, p.options...), to(number))
		require.NoError(t, err)
	}
}

// attacker speaks HTTP/2 without the manners of a client.
type attacker struct {
	*http2.Framer
	t      *testing.T
	header *hpack.Encoder
	block  bytes.Buffer
	next   uint32
}

func newAttacker(t *testing.T, r *rpcservertest.Running) *attacker {
	t.Helper()
	return greet(t, dial(t, r))
}

// greet begins a connection with settings.
func greet(t *testing.T, c net.Conn, settings ...http2.Setting) *attacker {
	t.Helper()
	_, err := io.WriteString(c, http2.ClientPreface)
	require.NoError(t, err)
	a := &attacker{Framer: http2.NewFramer(c, c), t: t, next: 1}
	a.header = hpack.NewEncoder(&a.block)
	require.NoError(t, a.WriteSettings(settings...))
	return a
}

// open starts a call without its message. An error means that the server is gone.
func (a *attacker) open(procedure string, more ...hpack.HeaderField) (stream uint32, err error) {
	a.block.Reset()
	for _, f := range append([]hpack.HeaderField{
		{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"}, {Name: ":path", Value: procedure},
		{Name: ":authority", Value: "x"}, {Name: "content-type", Value: "application/grpc"},
	}, more...) {
		require.NoError(a.t, a.header.WriteField(f))
	}
	stream = a.next
	a.next += 2
	return stream, a.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: a.block.Bytes(), EndHeaders: true})
}

// await reads frames until one is as wanted, or the connection ends.
func (a *attacker) await(wanted func(http2.Frame) bool) bool {
	for {
		f, err := a.ReadFrame()
		if err != nil {
			require.False(a.t, errors.Is(err, os.ErrDeadlineExceeded), "the server neither answers nor ends the connection")
			return false
		}
		if wanted(f) {
			return true
		}
	}
}

// status reads frames until one has the status of a gRPC call. The headers of all frames must be read.
func (a *attacker) status() (status string) {
	a.t.Helper()
	require.True(a.t, a.await(func(f http2.Frame) bool {
		if h, ok := f.(*http2.MetaHeadersFrame); ok {
			for _, field := range h.RegularFields() {
				if field.Name == "grpc-status" {
					status = field.Value
				}
			}
		}
		return status != ""
	}))
	return status
}

// requireCut waits for the server to end the connection. The reason may get lost when both write at once.
func (a *attacker) requireCut(reason http2.ErrCode) {
	a.t.Helper()
	a.await(func(f http2.Frame) bool {
		if away, ok := f.(*http2.GoAwayFrame); ok {
			require.Equal(a.t, reason, away.ErrCode)
			return true
		}
		return false
	})
}

// stuck is an echo whose Check notices no end of its context, as a slow database call would.
func stuck(t *testing.T) (e *echo, running *atomic.Int64) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	running = &atomic.Int64{}
	return &echo{do: func(ctx context.Context, _ *dynamicpb.Message) error {
		if rpcserver.Procedure(ctx) == chat {
			return nil
		}
		if rpcserver.Procedure(ctx) == check {
			running.Add(1)
			<-release
		}
		return nil
	}}, running
}

func TestRapidResetEndsTheConnectionAndNothingElse(t *testing.T) {
	const streams = 10
	e, running := stuck(t)
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) { c.MaxConcurrentStreams = streams }, e.mount())
	a := newAttacker(t, r)
	go func() { // until the server closes the connection
		for {
			stream, err := a.open(check)
			if err == nil {
				err = a.WriteData(stream, true, framed(0, nil))
			}
			if err == nil {
				err = a.WriteRSTStream(stream, http2.ErrCodeCancel)
			}
			if err != nil {
				return
			}
		}
	}()
	a.requireCut(http2.ErrCodeEnhanceYourCalm)
	requireServed(t, r)
	require.LessOrEqual(t, running.Load(), int64(streams), "resets make no room for more handlers")
}

func TestMoreStreamsThanAllowedAreRefused(t *testing.T) {
	const streams = 5
	e := newHeld()
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) { c.MaxConcurrentStreams = streams }, e.mount())
	a := newAttacker(t, r)
	require.True(t, a.await(func(f http2.Frame) bool {
		settings, ok := f.(*http2.SettingsFrame)
		if !ok || settings.IsAck() {
			return false
		}
		limit, _ := settings.Value(http2.SettingMaxConcurrentStreams)
		return limit == streams
	}))
	require.NoError(t, a.WriteSettingsAck())
	for range streams {
		stream, err := a.open(check)
		require.NoError(t, err)
		require.NoError(t, a.WriteData(stream, true, framed(0, nil)))
		await(t, e.entered, "the call runs")
	}
	over, err := a.open(check)
	require.NoError(t, err)
	require.True(t, a.await(func(f http2.Frame) bool {
		reset, ok := f.(*http2.RSTStreamFrame)
		return ok && reset.StreamID == over && (reset.ErrCode == http2.ErrCodeRefusedStream || reset.ErrCode == http2.ErrCodeProtocol)
	}), "a stream too many is not refused")
	require.Empty(t, e.entered)
	close(e.release)
	require.Equal(t, 200, send(t, r.HTTP1, http.MethodGet, r.URL+"/ready", "", nil, nil).status)
}

func TestSlowHeadersAreCut(t *testing.T) {
	ca, files := certtest.NewAuthority(t), certtest.NewFiles(t)
	files.Write(t, ca.Issue(t, "127.0.0.1"), ca)
	impatient := func(c *rpcserver.Config, _ *rpcserver.Options) { c.ReadHeaderTimeout = 2 * time.Second }
	plain := rpcservertest.Start(t, impatient, (&echo{}).mount())
	secure := rpcservertest.Start(t, func(c *rpcserver.Config, o *rpcserver.Options) {
		impatient(c, o)
		c.TLS = rpcserver.TLSConfig{CertFile: files.Cert, KeyFile: files.Key}
	}, (&echo{}).mount())
	for name, c := range map[string]struct {
		server *rpcservertest.Running
		sent   string
	}{
		"nothing at all":                {plain, ""},
		"half a request line":           {plain, "POST " + check},
		"headers without end":           {plain, "POST " + check + " HTTP/1.1\r\nHost: x\r\nX-Slow: "},
		"half of the preface of HTTP/2": {plain, http2.ClientPreface[:10]},
		"nothing at all to TLS":         {secure, ""},
		"half a handshake":              {secure, "\x16\x03\x01\x02\x00\x01"},
		"clear text to TLS without end": {secure, "GET / HTTP/1.1\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, c.server)
			_, err := io.WriteString(conn, c.sent)
			require.NoError(t, err)
			requireCut(t, conn)
		})
	}
	t.Run("headers without end over TLS", func(t *testing.T) {
		t.Parallel()
		conn := tls.Client(dial(t, secure), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		_, err := io.WriteString(conn, "GET /ready HTTP/1.1\r\nHost: x\r\n")
		require.NoError(t, err)
		requireCut(t, conn)
	})
	requireServed(t, plain) // while they wait
}

func TestAnHTTP2ConnectionThatCallsNothingIsCut(t *testing.T) {
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) { c.IdleTimeout = 100 * time.Millisecond }, (&echo{}).mount())
	a := newAttacker(t, r)
	require.False(t, a.await(func(http2.Frame) bool { return false }))
}

// Each byte comes before the one before it is forgotten, so that only a limit on the whole body helps.
func TestABodyThatTricklesEndsWithTheTimeOfTheCall(t *testing.T) {
	limit := func(c *rpcserver.Config, o *rpcserver.Options) {
		c.RequestTimeout = 300 * time.Millisecond
		o.Authenticator = staff()
	}
	r := rpcservertest.Start(t, limit, (&echo{}).mount())
	for name, c := range map[string]struct{ token, contentType, first, code string }{
		"a good call":             {"operator", "application/json", "", "deadline_exceeded"},
		"a good call over gRPC":   {"operator", "application/grpc", "\x00\x00\x00\x80\x00", "deadline_exceeded"},
		"a call without a role":   {"viewer", "application/json", "", "permission_denied"},
		"a call of no protocol":   {"operator", "text/plain", "", "invalid_argument"},
		"a call without a caller": {"", "application/json", "", "unauthenticated"},
		"a call of another shape": {"operator", "application/connect+json", "", "invalid_argument"},
	} {
		for version, h := range map[string]*http.Client{"HTTP/1": r.HTTP1, "HTTP/2": r.HTTP2} {
			t.Run(name+" over "+version, func(t *testing.T) {
				body, trickle := io.Pipe()
				pace := time.NewTicker(20 * time.Millisecond)
				defer pace.Stop()
				stopped := make(chan struct{})
				go func() {
					defer close(stopped)
					_, _ = io.WriteString(trickle, c.first)
					for {
						if _, err := io.WriteString(trickle, "\x00"); err != nil {
							return
						}
						<-pace.C
					}
				}()
				a := send(t, h, http.MethodPost, r.URL+check, c.contentType, bearer(c.token), body)
				require.Equal(t, c.code, a.code, a.text)
				_ = body.Close()
				await(t, stopped, "the attack ends")
			})
		}
	}
	// The rest of a body that nobody wants any more does not come.
	for name, start := range map[string]string{
		"a page":                               "POST /ready HTTP/1.1\r\n\r\nx",
		"a message that is refused half way":   "POST " + check + " HTTP/1.1\r\nContent-Type: application/grpc\r\n\r\n\x00\xff\xff\xff\xff",
		"a stream that is refused half way":    "POST " + watch + " HTTP/1.1\r\nContent-Type: application/connect+json\r\n\r\n\x00\xff\xff\xff\xff",
		"a stream whose first message is none": "POST " + collect + " HTTP/1.1\r\nContent-Type: application/connect+json\r\n\r\n\x00\x00\x00\x00\x01?",
	} {
		t.Run(name+" over HTTP/1", func(t *testing.T) {
			t.Parallel()
			conn := dial(t, r)
			_, err := io.WriteString(conn, strings.Replace(start, "\r\n\r\n",
				"\r\nHost: x\r\nAuthorization: Bearer operator\r\nContent-Length: 1000\r\n\r\n", 1))
			require.NoError(t, err)
			requireCut(t, conn)
		})
	}
}

func TestHeadersThatAreTooLargeAreRefused(t *testing.T) {
	const limit = 8 << 10
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) { c.MaxHeaderBytes = limit }, (&echo{}).mount())
	many := strings.Builder{}
	for i := range 1000 {
		fmt.Fprintf(&many, "X-%d: %s\r\n", i, strings.Repeat("x", 20))
	}
	for name, headers := range map[string]string{
		"one": "X-Large: " + strings.Repeat("x", 4*limit) + "\r\n", "many": many.String(), "the path": "",
	} {
		path := "/ready"
		if headers == "" {
			path += "?" + strings.Repeat("x", 4*limit)
		}
		conn := dial(t, r)
		_, _ = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n"+headers+"\r\n") // the server may end it first
		status, _ := io.ReadAll(conn)
		require.NotContains(t, string(status), " 200 ", name)
	}

	// A client keeps to the limit that the server told; an attacker does not.
	attack := newAttacker(t, r)
	stream, err := attack.open(check,
		hpack.HeaderField{Name: "x-1", Value: strings.Repeat("x", limit/2)},
		hpack.HeaderField{Name: "x-2", Value: strings.Repeat("x", limit/2)},
		hpack.HeaderField{Name: "x-3", Value: strings.Repeat("x", limit/2)})
	require.NoError(t, err)
	require.NoError(t, attack.WriteData(stream, true, framed(0, nil)))
	attack.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	require.True(t, attack.await(func(f http2.Frame) bool {
		h, ok := f.(*http2.MetaHeadersFrame)
		return ok && h.PseudoValue("status") == "431"
	}))
	requireServed(t, r)
}

func TestHeadersThatNeverEndAreRefused(t *testing.T) {
	r := rpcservertest.Start(t, nil, (&echo{}).mount())
	a := newAttacker(t, r)
	require.NoError(t, a.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: nil, EndHeaders: false}))
	go func() { // CONTINUATION without end, until the server closes the connection
		var block bytes.Buffer
		encoder := hpack.NewEncoder(&block)
		for {
			block.Reset()
			_ = encoder.WriteField(hpack.HeaderField{Name: "x-flood", Value: strings.Repeat("x", 8<<10), Sensitive: true})
			if a.WriteContinuation(1, false, block.Bytes()) != nil {
				return
			}
		}
	}()
	require.False(t, a.await(func(f http2.Frame) bool { _, answered := f.(*http2.HeadersFrame); return answered }))
	requireServed(t, r)
}

func TestFramesThatAreTooLargeEndTheConnection(t *testing.T) {
	r := rpcservertest.Start(t, nil, (&echo{}).mount())
	a := newAttacker(t, r)
	stream, err := a.open(check)
	require.NoError(t, err)
	go func() { _ = a.WriteRawFrame(http2.FrameData, 0, stream, make([]byte, 2<<20)) }()
	a.requireCut(http2.ErrCodeFrameSize)
	requireServed(t, r)
}

func TestMoreConnectionsThanAllowedWait(t *testing.T) {
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) {
		c.MaxConnections, c.ReadHeaderTimeout = 2, time.Hour
	}, (&echo{}).mount())
	ask := func(c net.Conn) {
		_, err := io.WriteString(c, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
	}
	answered := func(c net.Conn) error {
		_, err := io.ReadFull(c, make([]byte, len("HTTP/1.1 200")))
		return err
	}
	held := []net.Conn{dial(t, r), dial(t, r)}
	for _, c := range held {
		ask(c)
		require.NoError(t, answered(c))
	}
	waiting := dial(t, r)
	ask(waiting)
	require.NoError(t, waiting.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	require.ErrorIs(t, answered(waiting), os.ErrDeadlineExceeded, "a connection too many is served")
	require.NoError(t, held[0].Close())
	require.NoError(t, waiting.SetReadDeadline(time.Now().Add(20*time.Second)))
	require.NoError(t, answered(waiting))
}

func TestAConnectionOfRefusedCallsKeepsTheOthersServed(t *testing.T) {
	e := &echo{do: func(ctx context.Context, _ *dynamicpb.Message) error {
		if rpcserver.Procedure(ctx) == check {
			panic("the handler must not run")
		}
		return nil
	}}
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) { o.Authenticator = staff() }, e.mount())
	client := newClient(r.HTTP2, r.URL, check, connect.WithGRPC())
	ctx := within(t)
	results := make(chan error, 500)
	for range cap(results) {
		go func() {
			_, err := call(ctx, client, to(number))
			results <- err
		}()
	}
	for range cap(results) {
		require.Equal(t, connect.CodeUnauthenticated, connect.CodeOf(await(t, results, "a call is refused")))
	}
	require.NoError(t, invoke(t, r.HTTP2, r.URL, lookup, bearer("operator"), to(number)))
}
