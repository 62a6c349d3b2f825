package releases

import (
	"context"
	"io"

	"github.com/google/uuid"

	"trunkline/services/operators"
	"trunkline/services/platform/release"
)

// Artifacts is where artifacts are kept.
type Artifacts interface {
	// OpenArtifact gives the bytes of an artifact as they are stored.
	OpenArtifact(ctx context.Context, digest string) (io.ReadCloser, error)
}

// Library gives releases to read.
type Library struct{ artifacts Artifacts }

// NewLibrary returns the library of what is kept.
func NewLibrary(artifacts Artifacts) *Library { return &Library{artifacts: artifacts} }

// Source gives the content of a release.
func (l *Library) Source(r operators.Release) release.Source {
	return source{id: r.ID, artifact: r.Artifact, artifacts: l.artifacts}
}

type source struct {
	id        uuid.UUID
	artifact  operators.Artifact
	artifacts Artifacts
}

// ID names the release.
func (s source) ID() uuid.UUID { return s.id }

// Open reads it from its start.
func (s source) Open(ctx context.Context) (*release.Reader, io.Closer, error) {
	content, err := s.artifacts.OpenArtifact(ctx, s.artifact.Digest)
	if err != nil {
		return nil, nil, err
	}
	reader, err := release.NewReader(content, s.artifact.Digest, s.artifact.Size)
	if err != nil {
		_ = content.Close() // there is an error already
		return nil, nil, err
	}
	return reader, content, nil
}
