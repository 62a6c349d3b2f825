package database

import (
	"context"
	"database/sql"
	"errors"
	"io"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
)

// Announced stores that engines can see a revision of the manifest. A higher one stays, and one that no change has is not
// stored: the database was put back to an older state meanwhile.
func (s *Store) Announced(ctx context.Context, revision int64) error {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "release_announced"), readLimit)
	defer cancel()
	_, err := s.db.NewRaw("UPDATE release_state SET announced = ?0 WHERE announced < ?0 AND revision >= ?0", revision).Exec(ctx)
	return bunstore.Fault(err)
}

// OpenArtifact reads the parts of an artifact one after the other.
func (s *Store) OpenArtifact(ctx context.Context, digest string) (io.ReadCloser, error) {
	a := &artifact{ctx: ctx, store: s, digest: digest}
	if err := a.next(); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fault.New(fault.NotFound, operators.ReasonReleaseExpired, "The content of this release was cleared away.")
		}
		return nil, err
	}
	return a, nil
}

// artifact holds one part at a time. It keeps no statement open, so a reader may take its time.
type artifact struct {
	ctx    context.Context
	store  *Store
	digest string
	part   int
	rest   []byte
}

// next reads the next part; io.EOF is the end.
func (a *artifact) next() error {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(a.ctx, "artifact_part"), readLimit)
	defer cancel()
	err := a.store.db.NewRaw("SELECT bytes FROM release_artifacts WHERE digest = ? AND part = ?", a.digest, a.part).Scan(ctx, &a.rest)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		a.rest = nil
		return io.EOF
	case err != nil:
		return bunstore.Fault(err)
	}
	a.part++
	return nil
}

// Read reads on.
func (a *artifact) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if err := a.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// Close lets go of what is read.
func (a *artifact) Close() error {
	a.rest = nil
	return nil
}
