//go:build pact

package routingfx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/pacttest"
	"trunkline/services/platform/release"
)

// publication is what the states of releases have published. The first one starts the engine that serves it.
type publication struct {
	signer   *release.Signer
	standing *releasesv1.Manifest
}

type publishedParams struct {
	ReleaseID  uuid.UUID `json:"releaseId"`
	Activation int64     `json:"activation"`
}

func engineServes(ctx context.Context, w *world, p publishedParams) error {
	if err := w.releaseMode(ctx); err != nil {
		return err
	}
	entry, err := w.compile(ctx, p)
	if err != nil {
		return err
	}
	w.releases.standing.Current = entry
	return w.publish(ctx, p, eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_SERVING)
}

func enginePrepared(ctx context.Context, w *world, p publishedParams) error {
	entry, err := w.compile(ctx, p)
	if err != nil {
		return err
	}
	entry.ActivateTime = timestamppb.New(time.Now().Add(time.Hour))
	w.releases.standing.Scheduled = entry
	return w.publish(ctx, p, eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_PREPARED)
}

// engineRefused publishes a release under whose digest the artifact of another is stored.
func engineRefused(ctx context.Context, w *world, p publishedParams) error {
	entry, err := w.compile(ctx, p)
	if err != nil {
		return err
	}
	_, other, err := compiled(uuid.New())
	if err == nil {
		err = w.conn.ObjectPut(ctx, release.Store, entry.GetDigest(), bytes.NewReader(other))
	}
	if err != nil {
		return err
	}
	w.releases.standing.Current = entry
	return w.publish(ctx, p, eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_REFUSED)
}

// releaseMode starts an engine in release mode.
func (w *world) releaseMode(ctx context.Context) (err error) {
	seed, public := release.GenerateKey()
	if w.releases.signer, err = release.NewSigner(config.NewSecret(seed)); err != nil {
		return err
	}
	engine := DefaultConfig()
	engine.Table = TableRelease
	engine.Release.PublicKeys, engine.Release.Folder = []string{public}, filepath.Join(w.dir, "releases")
	w.releases.standing = &releasesv1.Manifest{Environment: engine.Release.Environment}
	err = errors.Join(
		w.conn.EnsureStreams(ctx, release.Streams()), w.conn.EnsureBucket(ctx, release.Bucket, 0), w.conn.EnsureObjects(ctx, release.Store, 0),
	)
	if err != nil {
		return err
	}
	return w.run(ctx, engine)
}

// compile stores the artifact of a release and names it as a manifest does.
func (w *world) compile(ctx context.Context, p publishedParams) (*releasesv1.ManifestEntry, error) {
	sealed, artifact, err := compiled(p.ReleaseID)
	if err != nil {
		return nil, err
	}
	now := timestamppb.Now()
	return &releasesv1.ManifestEntry{
		ReleaseId: p.ReleaseID.String(), Activation: p.Activation, Digest: sealed.Digest, SizeBytes: sealed.Size, StoredBytes: sealed.StoredSize,
		ActivateTime: now, CompileTime: now,
	}, w.conn.ObjectPut(ctx, release.Store, sealed.Digest, bytes.NewReader(artifact))
}

// compiled gives an artifact whose only operator has the id, so that each id has content of its own.
func compiled(operator uuid.UUID) (release.Sealed, []byte, error) {
	var artifact bytes.Buffer
	sealed, err := release.Compile(&artifact, &release.Content{Operators: []release.Operator{{
		ID: operator, Name: "North", Host: "smsc.north.example", Port: 2775, SystemID: "north", MaxTPS: 100, Types: release.AllTypes, Status: release.Active,
	}}})
	return sealed, artifact.Bytes(), err
}

// publish signs the next manifest and waits for the word of the engine about it.
func (w *world) publish(ctx context.Context, p publishedParams, state eventsv1.ReleaseEngineState) error {
	m := w.releases.standing
	m.Revision++
	signed, err := w.releases.signer.Sign(m)
	if err != nil {
		return err
	}
	_, place, err := w.conn.KeyGet(ctx, release.Bucket, m.GetEnvironment())
	if err != nil && !errors.Is(err, jetstream.ErrNotFound) {
		return err
	}
	if _, err := w.conn.KeyPut(ctx, release.Bucket, m.GetEnvironment(), signed, place); err != nil {
		return err
	}
	heard := make(chan jetstream.Message, 1)
	words, err := w.conn.Follow(ctx, jetstream.FollowSpec{Stream: release.Stream, Policy: jetstream.LastPerSubject}, func(_ context.Context, word jetstream.Message) {
		var e eventsv1.ReleaseEvent
		if protojson.Unmarshal(word.Data, &e) != nil || e.GetActivation() != p.Activation || e.GetState() != state {
			return // it is about what was before
		}
		select {
		case heard <- word:
		default: // one is enough
		}
	})
	if err != nil {
		return err
	}
	defer words.Stop()
	select {
	case w.word = <-heard:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the engine did not say %s of activation %d: %w", state, p.Activation, ctx.Err())
	}
}

// said gives the word that the last state waited for, if the engine said it under its own name.
func said(s *pacttest.Worlds[*world]) pacttest.Message {
	return func(ctx context.Context) ([]byte, map[string]any, error) {
		w, err := s.Current(ctx)
		if err != nil {
			return nil, nil, err
		}
		var e eventsv1.ReleaseEvent
		if err := protojson.Unmarshal(w.word.Data, &e); err != nil {
			return nil, nil, err
		}
		if want := release.EngineSubject(e.GetEngineId()); w.word.Subject != want {
			return nil, nil, fmt.Errorf("the engine speaks on %s instead of %s", w.word.Subject, want)
		}
		return w.word.Data, map[string]any{"contentType": "application/json", "subject": w.word.Subject}, nil
	}
}
