package releases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
)

// obtainTimeout bounds the fetch and build of one release; a million rules take seconds.
const obtainTimeout = 2 * time.Minute

// Bus is how an engine reaches the others; *jetstream.Conn is one.
type Bus interface {
	// ObjectGet gives an object of a store, or a NOT_FOUND fault. The reader ends with ctx.
	ObjectGet(ctx context.Context, store, name string) (io.ReadCloser, error)
	// Publish stores one message.
	Publish(ctx context.Context, subject string, data []byte, msgID string) error
}

// artifacts makes tables of artifacts.
type artifacts struct {
	bus      Bus
	folder   *Folder
	health   *routing.HealthView
	maxBytes int64
	// refused is told of a kept artifact that cannot be used.
	refused func(ctx context.Context, e *entry, err error)
}

// obtained is a table, and why its artifact could not be kept.
type obtained struct {
	table *routing.Table
	kept  error
}

// obtain makes the table of a release from the folder, or else from the bus, and keeps it in the folder then.
func (a *artifacts) obtain(ctx context.Context, e *entry) (obtained, error) {
	ctx, cancel := context.WithTimeout(ctx, obtainTimeout)
	defer cancel()
	table, err := a.fromFolder(ctx, e)
	if table != nil || err != nil {
		return obtained{table: table}, err
	}
	return a.fromBus(ctx, e)
}

// fromFolder gives nil when the folder holds no artifact that can be used.
func (a *artifacts) fromFolder(ctx context.Context, e *entry) (*routing.Table, error) {
	if err := a.fits(e); err != nil {
		return nil, err
	}
	file, err := a.folder.artifact(e.digest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var table *routing.Table
	if err == nil {
		table, err = Build(ctx, file, e.digest, e.size, a.health)
		_ = file.Close() // only read
	}
	switch {
	case err == nil:
		return table, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	a.refused(ctx, e, err)
	_ = a.folder.drop(e.digest) // the next one overwrites it all the same
	return nil, nil
}

func (a *artifacts) fromBus(ctx context.Context, e *entry) (obtained, error) {
	body, err := a.bus.ObjectGet(ctx, release.Store, e.digest)
	if err != nil && fault.From(err).Kind == fault.NotFound {
		return obtained{}, release.ErrMissing.Wrap(err)
	}
	if err != nil {
		return obtained{}, err
	}
	defer func() { _ = body.Close() }() // what was needed is read
	var kept copied
	if kept.part, kept.err = a.folder.newArtifact(e.digest); kept.err != nil {
		kept.part = nil
	}
	// A reader that is content has seen the end, so everything was taken down.
	table, err := Build(ctx, io.TeeReader(body, &kept), e.digest, e.size, a.health)
	if err != nil {
		kept.discard()
		if errors.Is(err, jetstream.ErrDamaged) {
			err = release.ErrDigest.Wrap(err)
		}
		return obtained{}, err
	}
	return obtained{table: table, kept: kept.keep()}, nil
}

// fits refuses what is too large before any of it is read.
func (a *artifacts) fits(e *entry) error {
	if e.size > a.maxBytes || e.stored > a.maxBytes {
		return release.ErrSize.Wrap(fmt.Errorf("the artifact has %d bytes, %d as stored; at most %d are taken", e.size, e.stored, a.maxBytes))
	}
	return nil
}

// copied takes down what is read. A disk that is full or broken must not keep a release from serving.
type copied struct {
	part *part
	err  error
}

// Write implements io.Writer. It never fails.
func (c *copied) Write(p []byte) (int, error) {
	if c.err == nil {
		_, c.err = c.part.Write(p)
	}
	return len(p), nil
}

func (c *copied) keep() error {
	if c.err != nil {
		c.discard()
		return c.err
	}
	return c.part.keep()
}

func (c *copied) discard() {
	if c.part != nil {
		c.part.discard()
	}
}
