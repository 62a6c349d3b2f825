package rpcserver

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"trunkline/services/platform/fault"
)

const (
	prefixBytes    = 5 // flags and length before each enveloped message
	flagCompressed = 1
)

// bodyGuard checks a request body while it arrives: the size of each message,
// the framing, the number of messages and, for calls with one message, the time.
// Its errors are finished RPC errors, which the RPC library passes on untouched.
// The library's own checks answer without details, read an oversized body to
// its end, and call broken framing INTERNAL.
type bodyGuard struct {
	body io.ReadCloser
	call *call
	ctx  context.Context // lives as long as the request
	max  int64

	framed     bool // messages are enveloped
	single     bool // the procedure takes exactly one message
	compressed bool // the headers name an encoding, so messages may be compressed

	prefix   [prefixBytes]byte
	prefixed int   // bytes of prefix present
	pending  int64 // bytes of the current message still to come
	seen     int64 // bytes of an unframed body
	messages int
	err      error // sticky

	watch    readWatch
	unwanted func() // limits the rest of the body; nil where nobody reads it
}

// Read implements io.Reader.
func (b *bodyGuard) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.body.Read(p)
	if keep, f := b.check(p[:n]); f != nil {
		return keep, b.fail(f)
	}
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		b.watch.stop()
		if f := b.atEnd(); f != nil {
			return n, b.fail(f)
		}
		b.err = io.EOF
		return n, io.EOF
	default:
		return n, b.fail(b.readFault(err))
	}
}

// Close implements io.Closer. On HTTP/1 it reads what is left of the body.
func (b *bodyGuard) Close() error {
	b.leftover()
	return b.body.Close()
}

// leftover limits the rest of the body, if there is one that somebody waits for.
func (b *bodyGuard) leftover() {
	if b.unwanted != nil && !errors.Is(b.err, io.EOF) {
		b.unwanted()
	}
}

// fail leaves the watch on: the rest of the body is read before the answer goes out.
func (b *bodyGuard) fail(f *fault.Fault) error {
	b.call.refused.CompareAndSwap(nil, f)
	b.err = fromFault(f, b.call.id)
	return b.err
}

// check looks at the next bytes. On a fault it returns how many bytes the
// library may still see: never a whole bad prefix, so that it stops there.
func (b *bodyGuard) check(p []byte) (int, *fault.Fault) {
	if !b.framed {
		b.seen += int64(len(p))
		if b.seen > b.max {
			return 0, tooLarge(b.max)
		}
		return len(p), nil
	}
	for i := 0; i < len(p); {
		if b.pending > 0 {
			step := min(b.pending, int64(len(p)-i))
			b.pending -= step
			i += int(step)
			continue
		}
		if b.single && b.messages == 1 {
			return i, fault.New(fault.InvalidArgument, ReasonMalformedMessage,
				"This method takes exactly one message.")
		}
		b.prefix[b.prefixed] = p[i]
		b.prefixed++
		if b.prefixed < prefixBytes {
			i++
			continue
		}
		if f := b.envelope(); f != nil {
			return i, f
		}
		i++
	}
	return len(p), nil
}

// envelope judges a complete prefix and starts its message.
func (b *bodyGuard) envelope() *fault.Fault {
	flags, size := b.prefix[0], int64(binary.BigEndian.Uint32(b.prefix[1:]))
	switch {
	case flags > flagCompressed:
		return fault.New(fault.InvalidArgument, ReasonMalformedMessage, "A message has unknown envelope flags.")
	case flags == flagCompressed && !b.compressed:
		return fault.New(fault.InvalidArgument, ReasonMalformedMessage,
			"A message is marked as compressed, but the headers name no encoding.")
	case size > b.max:
		return tooLarge(b.max)
	}
	b.prefixed, b.pending = 0, size
	b.messages++
	return nil
}

func (b *bodyGuard) atEnd() *fault.Fault {
	switch {
	case !b.framed:
		return nil
	case b.prefixed > 0 || b.pending > 0:
		return cutShort()
	case b.single && b.messages == 0:
		return fault.New(fault.InvalidArgument, ReasonMalformedMessage, "The body holds no message.")
	}
	return nil
}

func (b *bodyGuard) readFault(err error) *fault.Fault {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.New(fault.DeadlineExceeded, fault.ReasonDeadline, "The request body did not arrive in time.").Wrap(err)
	case b.ctx.Err() != nil:
		return fault.From(b.ctx.Err()).Wrap(err)
	}
	return cutShort().Wrap(err)
}

func cutShort() *fault.Fault {
	return fault.New(fault.InvalidArgument, ReasonMalformedMessage, "The body ends in the middle of a message.")
}

// readWatch ends a read that takes too long. A deadline set up front would cost
// a trip through the connection's goroutine for every call; a timer that nearly
// always is stopped does not. The lock makes sure that the connection is not
// touched after the handler returned.
type readWatch struct {
	mu    sync.Mutex
	timer *time.Timer
	over  bool
}

func (w *readWatch) start(rw http.ResponseWriter, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(d, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !w.over {
			// A writer without deadlines can only be a test's; then nothing is limited.
			_ = http.NewResponseController(rw).SetReadDeadline(time.Unix(1, 0))
		}
	})
}

func (w *readWatch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.timer != nil {
		w.timer.Stop()
	}
}
