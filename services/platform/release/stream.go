package release

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"

	"trunkline/services/platform/fault"
)

// source is the stored artifact. It remembers what the reader below failed with, because that is no fault of the
// artifact, and ends one that is longer than its content can be.
type source struct {
	from io.Reader
	left int64
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.left <= 0 {
		s.err = ErrSize.Wrap(errors.New("it is stored in more bytes than its content can take"))
		return 0, s.err
	}
	n, err := s.from.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = fault.From(err)
		err = s.err
	}
	return n, err
}

// storedLimit is how long an artifact of so many bytes may be when it cannot be compressed at all.
func storedLimit(size int64) int64 { return size + size>>7 + 4096 }

// stream is an artifact's bytes before compression: counted, hashed, and no more than were promised.
type stream struct {
	source *source
	z      *zstd.Decoder
	sum    hash.Hash
	size   int64
	n      int64
}

func newStream(r io.Reader, size int64) (*stream, error) {
	s := &stream{source: &source{from: r, left: storedLimit(size)}, sum: sha256.New(), size: size}
	// One at a time, so that nothing runs on after the reader was left.
	z, err := zstd.NewReader(s.source, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(2*window), zstd.WithDecoderMaxMemory(4*window))
	if err != nil {
		return nil, s.failed(err)
	}
	s.z = z
	return s, nil
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.z.Read(p)
	s.sum.Write(p[:n])
	s.n += int64(n)
	if s.n > s.size {
		return 0, ErrSize.Wrap(fmt.Errorf("it has more than %d bytes", s.size))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = s.failed(err)
	}
	return n, err
}

// failed tells why decompression ended.
func (s *stream) failed(err error) error {
	switch {
	case s.source.err != nil:
		return s.source.err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return ErrCut.Wrap(err)
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return ErrSize.Wrap(err)
	}
	return ErrDigest.Wrap(err)
}

// verify reads what is left and checks size and digest. An artifact with the right digest and another size has a
// manifest that is wrong.
func (s *stream) verify(digest string) error {
	if _, err := io.Copy(io.Discard, s); err != nil {
		return err
	}
	if got := hex.EncodeToString(s.sum.Sum(nil)); got != digest {
		return ErrDigest.Wrap(fmt.Errorf("the digest is %s", got))
	}
	if s.n != s.size {
		return ErrSize.Wrap(fmt.Errorf("it has %d bytes instead of %d", s.n, s.size))
	}
	return nil
}

func isFault(err error) bool {
	var f *fault.Fault
	return errors.As(err, &f)
}
