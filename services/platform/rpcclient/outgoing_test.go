package rpcclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/telemetry"
)

type stream struct {
	connect.StreamingClientConn
	header http.Header
	err    error
}

func (s *stream) RequestHeader() http.Header { return s.header }
func (s *stream) Receive(any) error          { return s.err }

func TestStreamsCarryTheRequestAndTellALostConnection(t *testing.T) {
	broken := connect.NewError(connect.CodeCanceled, syscall.ECONNRESET)
	for _, c := range []struct {
		name     string
		canceled bool
		err      error
		code     connect.Code
	}{
		{"a connection that breaks", false, broken, connect.CodeUnavailable},
		{"a caller who cancels", true, broken, connect.CodeCanceled},
		{"an answer of the server", false, connect.NewError(connect.CodeNotFound, errors.New("x")), connect.CodeNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(telemetry.WithRequestID(t.Context(), "request-7"))
			defer cancel()
			inner := &stream{header: http.Header{}, err: c.err}
			conn := (&outgoing{timeout: time.Hour}).WrapStreamingClient(func(ctx context.Context, _ connect.Spec) connect.StreamingClientConn {
				_, bounded := ctx.Deadline()
				require.False(t, bounded, "a stream may last")
				return inner
			})(ctx, connect.Spec{})
			if c.canceled {
				cancel()
			}
			err := conn.Receive(nil)
			require.Equal(t, c.code, connect.CodeOf(err))
			require.ErrorIs(t, err, errors.Unwrap(c.err))
			require.Equal(t, "request-7", inner.header.Get("X-Request-Id"))
			inner.err = io.EOF
			require.Equal(t, io.EOF, conn.Receive(nil), "the end stays the end")
		})
	}
}
