//go:build pact

package operatorsfx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/pacttest"
	"trunkline/services/platform/release"
)

// releasesExist stores releases, the oldest first. It tells the etag of each, and a moment to schedule one for.
func releasesExist(ctx context.Context, w *world, p struct {
	Releases []json.RawMessage `json:"releases"`
}) (map[string]any, error) {
	values := map[string]any{"an hour from now": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}
	return values, each(p.Releases, func(m *releasesv1.Release) error {
		id, err := uuid.Parse(m.GetReleaseId())
		if err != nil {
			return err
		}
		r := operators.Release{
			ID: id, Description: m.GetDescription(), ConfigVersion: 1, Version: 1, CreatedAt: time.Now(), CreatedBy: who, ApprovedBy: m.GetApprovedBy(),
		}
		if m.GetCreatedBy() != "" {
			r.CreatedBy = m.GetCreatedBy()
		}
		if r.ApprovedBy != "" {
			r.ApprovedAt, r.Version = time.Now(), 2
		}
		// An operator with the release's id makes the content of each another.
		var artifact bytes.Buffer
		sealed, err := release.Compile(&artifact, &release.Content{Operators: []release.Operator{{
			ID: id, Name: "North", Host: "smsc.north.example", Port: 2775, SystemID: "north", MaxTPS: 100, Types: release.AllTypes, Status: release.Active,
		}}})
		if err != nil {
			return err
		}
		r.Artifact = operators.Artifact{Digest: sealed.Digest, Size: sealed.Size, Operators: sealed.Operators}
		return w.store.InTx(ctx, func(ctx context.Context, tx operators.Tx) error {
			stored, err := tx.AddRelease(ctx, r, [][]byte{artifact.Bytes()})
			values["etag of "+id.String()] = stored.ETag()
			return err
		})
	})
}

// releasesPublished puts releases in force, one after the other, or schedules them, and waits until engines can see it. It
// tells the etag that each has then.
func releasesPublished(ctx context.Context, w *world, p struct {
	Activations []json.RawMessage `json:"activations"`
}) (map[string]any, error) {
	values := map[string]any{}
	var last operators.Activation
	err := each(p.Activations, func(m *releasesv1.ReleaseActivation) error {
		id, err := uuid.Parse(m.GetReleaseId())
		if err != nil {
			return err
		}
		now := time.Now().Truncate(time.Microsecond)
		a := operators.Activation{
			ReleaseID: id, Kind: operators.Published, ActivateAt: now, CreatedAt: now, CreatedBy: who, Reason: m.GetReason(), FormerID: last.ReleaseID,
		}
		if m.GetActivateTime() != nil {
			a.ActivateAt = m.GetActivateTime().AsTime()
		}
		return w.store.InTx(ctx, func(ctx context.Context, tx operators.Tx) error {
			if last, err = tx.AddActivation(ctx, a); err != nil {
				return err
			}
			r, err := tx.Release(ctx, id)
			values["etag of "+id.String()] = r.ETag()
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return values, until(ctx, "engines can see the releases", func() (bool, error) {
		visible, err := w.announcer.Announce(ctx)
		return visible >= last.Revision, err
	})
}

// enginesSpoke publishes what engines say, and waits until it is heard.
func enginesSpoke(ctx context.Context, w *world, p struct {
	Events []json.RawMessage `json:"events"`
}) error {
	err := each(p.Events, func(e *eventsv1.ReleaseEvent) error {
		data, err := protojson.Marshal(e)
		if err != nil {
			return err
		}
		_, err = w.publish(ctx, release.EngineSubject(e.GetEngineId()), data)
		return err
	})
	if err != nil {
		return err
	}
	return until(ctx, "the engines are heard", func() (bool, error) { return len(w.engines.Heard()) == len(p.Events), nil })
}

// manifest gives the manifest as JSON, if it is signed with the key of this deployment and engines can fetch what it names.
func manifest(s *pacttest.Worlds[*world]) pacttest.Message {
	return func(ctx context.Context) ([]byte, map[string]any, error) {
		w, err := s.Current(ctx)
		if err != nil {
			return nil, nil, err
		}
		signed, _, err := w.conn.KeyGet(ctx, release.Bucket, environment)
		if err != nil {
			return nil, nil, err
		}
		keys, err := release.NewKeys(w.publicKey)
		if err != nil {
			return nil, nil, err
		}
		m, err := keys.Open(signed, environment)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range []*releasesv1.ManifestEntry{m.GetCurrent(), m.GetScheduled()} {
			if e != nil {
				err = errors.Join(err, w.fetch(ctx, e))
			}
		}
		if err != nil {
			return nil, nil, err
		}
		data, err := protojson.Marshal(m)
		return data, map[string]any{"contentType": "application/json", "bucket": release.Bucket, "key": environment}, err
	}
}

// fetch reads an artifact as engines do.
func (w *world) fetch(ctx context.Context, e *releasesv1.ManifestEntry) (err error) {
	content, err := w.conn.ObjectGet(ctx, release.Store, e.GetDigest())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	reader, err := release.NewReader(content, e.GetDigest(), e.GetSizeBytes())
	if err != nil {
		return err
	}
	return reader.Close()
}
