package accesstest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/access"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

// slow is a service whose calls take their time.
type slow struct {
	method
	takes time.Duration
	// release, where it is set, lets calls go that do not notice that nobody waits for them any more.
	release chan struct{}
	running atomic.Int64
	most    atomic.Int64
}

func newSlow(t *testing.T, takes time.Duration) (*slow, fx.Option) {
	t.Helper()
	ping, err := rpcservertest.NewPing(optionsv1.Audience_AUDIENCE_PUBLIC)
	require.NoError(t, err)
	s := &slow{method: method{procedure: ping.Procedure}, takes: takes}
	return s, fx.Provide(platformfx.Mount(func() rpcserver.Mount { return ping.Mount(s.work) }))
}

func (s *slow) work(ctx context.Context) error {
	now := s.running.Add(1)
	defer s.running.Add(-1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
	}
	if s.release != nil {
		<-s.release
		return nil
	}
	select {
	case <-time.After(s.takes):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// places is how many calls may run at a time.
const places = 4

// TestGoodputStaysWhenTwiceAsMuchIsAsked finds what the server does for callers that wait for their answers, then has
// twice as many come who do not wait for each other. Both are measured in one run, with a handler that is slow by
// waiting, so the speed of the machine hardly counts.
func TestGoodputStaysWhenTwiceAsMuchIsAsked(t *testing.T) {
	const phase = 2 * time.Second
	s, mount := newSlow(t, 100*time.Millisecond)
	p := start(t, newDatabase(t), func(c *settings) {
		c.options = append(c.options, mount)
		c.access.Limits.MaxInFlight, c.access.Limits.Queue, c.access.Limits.QueueWait = places, places, 50*time.Millisecond
		c.access.Limits.MaxInFlightPerPrincipal = 1000 // one caller stands for many
	})
	header := p.viewer(t)

	var most atomic.Int64
	ctx, cancel := context.WithTimeout(t.Context(), phase)
	var workers sync.WaitGroup
	for range places {
		workers.Go(func() {
			for ctx.Err() == nil {
				if a, err := try(t.Context(), p.plain, p.url, s.method, connectJSON, header, []byte("{}")); err == nil && a.code == "ok" {
					most.Add(1)
				}
			}
		})
	}
	workers.Wait()
	cancel()
	require.Greater(t, most.Load(), int64(places))

	// As many again come at once whenever the places could be free.
	rounds := int64(phase / s.takes)
	offered := 2 * places * rounds
	tick := time.NewTicker(s.takes)
	defer tick.Stop()
	var good, shed atomic.Int64
	for round := range rounds {
		<-tick.C
		for range 2 * places {
			workers.Go(func() {
				a, err := try(t.Context(), p.plain, p.url, s.method, connectJSON, header, []byte("{}"))
				switch {
				case !assert.NoError(t, err):
				case a.code == "ok":
					good.Add(1)
				default:
					shed.Add(1)
					assert.Equal(t, "unavailable "+access.ReasonOverloaded, a.outcome())
					assert.Positive(t, a.retry, "a refusal says when to come back")
				}
			})
		}
		if round == rounds/2 {
			for _, page := range []string{"/health", "/ready"} {
				assert.Equal(t, "200", p.status(t, http.MethodGet, page, ""), page)
			}
		}
	}
	workers.Wait()
	t.Logf("%d of %d were served while at most %d can be; %d were refused", good.Load(), offered, most.Load(), shed.Load())
	require.Positive(t, shed.Load(), "this was no overload")
	require.Equal(t, offered, good.Load()+shed.Load())
	require.GreaterOrEqual(t, float64(good.Load()), 0.5*float64(most.Load()), "goodput falls under overload")
	require.LessOrEqual(t, s.most.Load(), int64(places))
}

// viewer gives the header of a viewer that the process knows.
func (p *platform) viewer(t *testing.T) http.Header {
	t.Helper()
	_, text := p.key(t, access.NewAPIKey{Name: "viewer", Role: caller.Viewer, Account: uuid.Nil})
	w := &town{platform: p}
	w.known(t, bearer(text))
	return bearer(text)
}

// TestALimitOfCallsIsToldWithADelay uses up what a caller may do, and sees that others are not touched.
func TestALimitOfCallsIsToldWithADelay(t *testing.T) {
	p := start(t, newDatabase(t), func(c *settings) { c.access.Limits.PerPrincipal = access.Limit{Rate: 0.01, Burst: 20} })
	greedy, other := p.viewer(t), p.viewer(t)
	m := methodOf(t, path(listOperators))
	var last answer
	for range 21 {
		last = call(t, p.plain, p.url, m, grpc, greedy, nil)
	}
	require.Equal(t, "resource_exhausted", last.code, last.told)
	require.Positive(t, last.retry)
	require.Equal(t, "ok", call(t, p.plain, p.url, m, grpc, other, nil).outcome())
}

// TestSlowAndHastyCallersHoldNothing attacks the connections of a server whose patience is short.
func TestSlowAndHastyCallersHoldNothing(t *testing.T) {
	t.Parallel()
	s, mount := newSlow(t, 0)
	s.release = make(chan struct{})
	p := start(t, newDatabase(t), func(c *settings) {
		c.options = append(c.options, mount)
		c.config.Server.ReadHeaderTimeout, c.config.Server.MaxConcurrentStreams = 2*time.Second, 10
		c.config.Server.RequestTimeout = 4 * time.Second
		c.access.Limits.MaxInFlight = 100
	})
	t.Cleanup(func() { close(s.release) })
	header := p.viewer(t)
	served := func() string {
		return call(t, p.plain, p.url, methodOf(t, path(listOperators)), connectJSON, header, []byte("{}")).outcome()
	}

	t.Run("headers without end", func(t *testing.T) {
		c := p.dial(t, "http/1.1")
		_, err := io.WriteString(c, "POST "+rpcPath+" HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		require.NoError(t, err)
		require.Equal(t, "ok", served())
		requireCut(t, c)
	})
	t.Run("a body without end, of a caller who may", func(t *testing.T) {
		require.Contains(t, p.trickle(t, header), "deadline_exceeded")
		require.Equal(t, "ok", served())
	})
	t.Run("a body without end, of a caller who may not", func(t *testing.T) {
		require.Contains(t, p.trickle(t, nil), "CREDENTIAL_REQUIRED")
	})
	t.Run("calls that are given up at once", func(t *testing.T) {
		c := p.dial(t, "h2")
		_, err := io.WriteString(c, http2.ClientPreface)
		require.NoError(t, err)
		frames := http2.NewFramer(c, c)
		require.NoError(t, frames.WriteSettings())
		var storm sync.WaitGroup
		storm.Go(func() { p.reset(frames, s.procedure, header) })
		for {
			f, err := frames.ReadFrame()
			if err != nil { // the last word of the server may get lost when both sides write at once
				require.False(t, errors.Is(err, os.ErrDeadlineExceeded), "the server keeps the connection")
				break
			}
			if away, ok := f.(*http2.GoAwayFrame); ok {
				require.Equal(t, http2.ErrCodeEnhanceYourCalm, away.ErrCode)
				break
			}
		}
		require.NoError(t, c.Close())
		storm.Wait()
		require.LessOrEqual(t, s.most.Load(), int64(10), "resets make no room for more calls")
		require.Equal(t, "ok", served())
	})
}

// reset opens calls and takes them back until the server ends the connection.
func (p *platform) reset(frames *http2.Framer, procedure string, header http.Header) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for stream := uint32(1); ; stream += 2 {
		block.Reset()
		for _, f := range [][2]string{
			{":method", "POST"}, {":scheme", "https"}, {":path", procedure}, {":authority", p.host()},
			{"content-type", "application/grpc"}, {"te", "trailers"}, {"authorization", header.Get("Authorization")},
		} {
			_ = encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}) // into memory
		}
		err := errors.Join(
			frames.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true}),
			frames.WriteData(stream, true, binary.BigEndian.AppendUint32([]byte{0}, 0)),
			frames.WriteRSTStream(stream, http2.ErrCodeCancel))
		if err != nil {
			return
		}
	}
}

// trickle makes a call whose body never ends and gives what is answered.
func (p *platform) trickle(t *testing.T, header http.Header) string {
	t.Helper()
	body, drip := io.Pipe()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		drops := time.NewTicker(10 * time.Millisecond)
		defer drops.Stop()
		for range drops.C {
			if _, err := io.WriteString(drip, " "); err != nil {
				return
			}
		}
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+path(listOperators), body)
	require.NoError(t, err)
	req.Header = header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := p.plain.Do(req)
	require.NoError(t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.NoError(t, body.Close())
	<-stopped
	return string(text)
}

// requireCut waits for the server to end a connection.
func requireCut(t *testing.T, c net.Conn) {
	t.Helper()
	_, err := io.Copy(io.Discard, c)
	require.False(t, errors.Is(err, os.ErrDeadlineExceeded), "the server keeps the connection")
}
