package rpcserver

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"net/http"
	"sync/atomic"
	"time"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/telemetry"
)

// requestIDHeader is in canonical form, so header maps can be indexed with it.
const requestIDHeader = "X-Request-Id"

const maxRequestID = 64

// call is what the server knows about one RPC from its first header to its end.
// The fields up to observed are set before the handler starts.
type call struct {
	id        string
	start     time.Time
	tls       *tls.ConnectionState
	procedure *procedure // nil when the path names none
	protocol  string

	// who makes the call, and whether the policy lets it run.
	who       caller.Caller
	permitted bool
	// leave gives the place back that Options.Enter gave. Only the goroutine that
	// serves the request touches it.
	leave func()

	// observed is set by the observing interceptor. Only the goroutine that
	// serves the request touches it.
	observed bool
	// refused is the fault that was answered before the interceptors. A stream's
	// reading goroutine may set it.
	refused atomic.Pointer[fault.Fault]
}

// done ends the call's share of the server.
func (c *call) done() {
	if c.leave != nil {
		c.leave()
	}
}

type callKey struct{}

func callFrom(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// begin returns the context of a new call and echoes its id to the caller.
func begin(w http.ResponseWriter, r *http.Request) context.Context {
	c := &call{id: requestID(r.Header), start: time.Now(), tls: r.TLS}
	w.Header()[requestIDHeader] = []string{c.id}
	return c.within(r.Context())
}

// within returns a context that carries the call and its id.
func (c *call) within(ctx context.Context) context.Context {
	return telemetry.WithRequestID(context.WithValue(ctx, callKey{}, c), c.id)
}

func requestIDOf(ctx context.Context) string {
	if c := callFrom(ctx); c != nil {
		return c.id
	}
	return ""
}

// requestID takes the caller's id if it is harmless, else makes one.
func requestID(h http.Header) string {
	if v := h[requestIDHeader]; len(v) == 1 && harmlessID(v[0]) {
		return v[0]
	}
	return rand.Text()
}

// harmlessID reports whether id matches ^[A-Za-z0-9._-]{1,64}$. Anything else
// could forge log lines or fill them.
func harmlessID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		switch b := id[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '.', b == '_', b == '-':
		default:
			return false
		}
	}
	return true
}

// ConnectionState returns the TLS state of the connection a call came in on, or
// nil without TLS. With client certificates configured, its VerifiedChains name
// the peer.
func ConnectionState(ctx context.Context) *tls.ConnectionState {
	if c := callFrom(ctx); c != nil {
		return c.tls
	}
	return nil
}

type drainKey struct{}

// Draining returns a channel that closes when the server stops accepting. A
// handler with an endless stream ends it then; otherwise the stream holds up
// the stop until the drain timeout. Outside of a server the channel is nil.
func Draining(ctx context.Context) <-chan struct{} {
	ch, _ := ctx.Value(drainKey{}).(chan struct{})
	return ch
}
