package release

import (
	"context"
	"io"

	"github.com/google/uuid"
)

// Source is a release that can be read, each time from its start.
type Source interface {
	// Open gives a reader. The caller closes the reader first, which checks what was read, and then the closer in any
	// case. The reader ends with ctx.
	Open(ctx context.Context) (*Reader, io.Closer, error)
	// ID names the release; uuid.Nil is no release.
	ID() uuid.UUID
}
