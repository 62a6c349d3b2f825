package rpcserver

import (
	"net/http"
	"time"

	"connectrpc.com/connect"
)

const (
	writeStalled = 30 * time.Second // a peer that reads nothing of a page or a stream is dropped
	unaryStalled = 10 * time.Second // a unary answer has this time beyond that of its call
)

// writeTime is how long a request may take until its answer is out, without what a
// stream needs while it runs. A call holds its share of the server until then.
func (s *Server) writeTime(p *procedure) time.Duration {
	if p != nil && p.stream == connect.StreamTypeUnary {
		return p.timeout + unaryStalled
	}
	return s.cfg.RequestTimeout + writeStalled
}

// limitWrite keeps a caller that does not read its answer from holding a goroutine
// for ever. On HTTP/2 it ends the stream also when nothing waits to be written. The
// limit of HTTP/2 connections does not replace it: a caller that gives a stream no
// window answers pings. A writer without deadlines can only be a test's.
func limitWrite(w http.ResponseWriter, end time.Time) {
	_ = http.NewResponseController(w).SetWriteDeadline(end)
}

// streamWriter bounds each write of a stream and not the time between them.
type streamWriter struct{ http.ResponseWriter }

// Write implements http.ResponseWriter.
func (w streamWriter) Write(p []byte) (int, error) {
	defer w.arm()()
	return w.ResponseWriter.Write(p)
}

// Flush implements http.Flusher, which the RPC library asks for.
func (w streamWriter) Flush() {
	defer w.arm()()
	_ = http.NewResponseController(w.ResponseWriter).Flush() // the next write tells a failure again
}

// Unwrap is for http.ResponseController.
func (w streamWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w streamWriter) arm() (disarm func()) {
	limitWrite(w.ResponseWriter, time.Now().Add(writeStalled))
	return func() { limitWrite(w.ResponseWriter, time.Time{}) }
}
