package rpcserver

import (
	"compress/gzip"
	"errors"
	"io"

	"connectrpc.com/connect"
)

// compressMinBytes is the size from which answers are compressed. Below it gzip
// costs more than the bytes it saves.
const compressMinBytes = 1024

// gunzip decompresses at most limit bytes. Like the codec it never fails:
// corrupt or too long input ends in a poison that the codec recognises.
type gunzip struct {
	marks *marks
	limit int64

	reader gzip.Reader
	seen   int64
	poison []byte
	ended  bool
}

// Reset implements connect.Decompressor.
func (g *gunzip) Reset(r io.Reader) error {
	g.seen, g.poison, g.ended = 0, nil, false
	if err := g.reader.Reset(r); err != nil {
		g.fail(markBadGzip)
	}
	return nil
}

// Close implements connect.Decompressor. Read has reported any damage, and the
// reader holds nothing to release; closing one whose header was bad panics.
func (g *gunzip) Close() error { return nil }

// Read implements io.Reader.
func (g *gunzip) Read(p []byte) (int, error) {
	if !g.ended {
		n, err := g.reader.Read(p)
		g.seen += int64(n)
		switch {
		case g.seen > g.limit:
			g.fail(markTooLarge)
		case errors.Is(err, io.EOF):
			return n, err
		case err != nil:
			g.fail(markBadGzip)
			return n, nil //nolint:nilerr // the poison tells of it
		default:
			return n, nil
		}
	}
	if len(g.poison) == 0 {
		return 0, io.EOF
	}
	n := copy(p, g.poison)
	g.poison = g.poison[n:]
	return n, nil
}

func (g *gunzip) fail(reason markReason) {
	g.ended = true
	g.poison = g.marks.poison(reason)
}

func compression(k *marks, limit int) connect.HandlerOption {
	return connect.WithHandlerOptions(
		connect.WithCompression("gzip",
			func() connect.Decompressor { return &gunzip{marks: k, limit: int64(limit)} },
			func() connect.Compressor { return gzip.NewWriter(io.Discard) }),
		connect.WithCompressMinBytes(compressMinBytes),
	)
}
