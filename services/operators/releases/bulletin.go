package releases

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/release"
)

// Bulletin is the key of an environment in the bucket of manifests. It signs what it posts.
type Bulletin struct {
	conn        *jetstream.Conn
	environment string
	signer      *release.Signer
	keys        release.Keys
	log         *slog.Logger
}

var _ operators.Bulletin = (*Bulletin)(nil)

// NewBulletin returns the bulletin of an environment. Without a key to sign with, which is 32 bytes in base64, it posts
// nothing.
func NewBulletin(conn *jetstream.Conn, environment string, key config.Secret, log *slog.Logger) (*Bulletin, error) {
	b := &Bulletin{conn: conn, environment: environment, log: log}
	if key.IsZero() {
		return b, nil
	}
	var err error
	if b.signer, err = release.NewSigner(key); err != nil {
		return nil, err
	}
	b.keys, err = release.NewKeys(b.signer.PublicKey())
	return b, err
}

// Signs reports whether there is a key to sign with.
func (b *Bulletin) Signs() bool { return b.signer != nil }

// Standing reads the manifest.
func (b *Bulletin) Standing(ctx context.Context) (operators.Manifest, uint64, error) {
	if err := errors.Join(b.conn.EnsureBucket(ctx, release.Bucket, 0), b.conn.EnsureObjects(ctx, release.Store, 0)); err != nil {
		return operators.Manifest{}, 0, err
	}
	signed, place, err := b.conn.KeyGet(ctx, release.Bucket, b.environment)
	switch {
	case errors.Is(err, jetstream.ErrNotFound):
		return operators.Manifest{}, 0, nil
	case err != nil:
		return operators.Manifest{}, 0, err
	}
	manifest, err := b.keys.Open(signed, b.environment)
	if err != nil {
		// Damaged, or signed with a key that was in use before.
		b.log.WarnContext(ctx, "the manifest in NATS is not one of this key; it is replaced", "reason", fault.From(err).Reason)
		return operators.Manifest{}, place, nil
	}
	return operators.Manifest{
		Revision: manifest.GetRevision(), Current: fromEntry(manifest.GetCurrent()), Scheduled: fromEntry(manifest.GetScheduled()),
	}, place, nil
}

// Post signs a manifest and stores it.
func (b *Bulletin) Post(ctx context.Context, m operators.Manifest, place uint64) error {
	if !b.Signs() {
		return fault.New(fault.FailedPrecondition, operators.ReasonNoSigningKey, "There is no key to sign the manifest with.")
	}
	signed, err := b.signer.Sign(&releasesv1.Manifest{
		Environment: b.environment, Revision: m.Revision, Current: toEntry(m.Current), Scheduled: toEntry(m.Scheduled),
	})
	if err != nil {
		return err
	}
	_, err = b.conn.KeyPut(ctx, release.Bucket, b.environment, signed, place)
	if errors.Is(err, jetstream.ErrWrongSequence) {
		return fault.New(fault.Aborted, operators.ReasonReleaseMoved, "Another manifest came between.").Wrap(err)
	}
	return err
}

func toEntry(e operators.ManifestEntry) *releasesv1.ManifestEntry {
	if e.ReleaseID == uuid.Nil {
		return nil
	}
	return &releasesv1.ManifestEntry{
		ReleaseId: e.ReleaseID.String(), Activation: e.Activation, Digest: e.Digest, SizeBytes: e.Size, StoredBytes: e.StoredSize,
		ActivateTime: timestamppb.New(e.ActivateAt), CompileTime: timestamppb.New(e.CompiledAt),
	}
}

func fromEntry(e *releasesv1.ManifestEntry) operators.ManifestEntry {
	if e == nil {
		return operators.ManifestEntry{}
	}
	id, _ := uuid.Parse(e.GetReleaseId()) // Open has checked it
	return operators.ManifestEntry{
		ReleaseID: id, Activation: e.GetActivation(), Digest: e.GetDigest(), Size: e.GetSizeBytes(), StoredSize: e.GetStoredBytes(),
		ActivateAt: e.GetActivateTime().AsTime(), CompiledAt: e.GetCompileTime().AsTime(),
	}
}

// shelfCall bounds one question of the shelf.
const shelfCall = 5 * time.Second

// Shelf is the object store of artifacts.
type Shelf struct{ conn *jetstream.Conn }

var _ operators.Shelf = (*Shelf)(nil)

// NewShelf returns the shelf.
func NewShelf(conn *jetstream.Conn) *Shelf { return &Shelf{conn: conn} }

// Sum reads an artifact.
func (s *Shelf) Sum(ctx context.Context, digest string) ([]byte, error) {
	return s.conn.ObjectSum(ctx, release.Store, digest)
}

// Put stores an artifact.
func (s *Shelf) Put(ctx context.Context, digest string, content io.Reader) error {
	return s.conn.ObjectPut(ctx, release.Store, digest, content)
}

// Remove takes an artifact away.
func (s *Shelf) Remove(ctx context.Context, digest string) error {
	ctx, cancel := context.WithTimeout(ctx, shelfCall)
	defer cancel()
	return s.conn.ObjectDelete(ctx, release.Store, digest)
}

// digest is what the names of artifacts look like. Anybody may put other objects beside them.
var digest = regexp.MustCompile("^[0-9a-f]{64}$")

// Digests lists the artifacts that are there.
func (s *Shelf) Digests(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, shelfCall)
	defer cancel()
	names, err := s.conn.ObjectNames(ctx, release.Store)
	return slices.DeleteFunc(names, func(name string) bool { return !digest.MatchString(name) }), err
}
