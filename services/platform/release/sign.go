package release

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/config"
)

const (
	// signedAs keeps a signature from meaning anything else.
	signedAs = "trunkline release manifest v1\n"
	// maxManifest bounds what Open looks at.
	maxManifest = 64 << 10
	keyIDDigits = 16
)

// GenerateKey makes a pair of keys, both in base64: the seed to sign with, which is secret, and the public key.
func GenerateKey() (seed, public string) {
	raw := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(raw) // it never fails
	key, _ := ed25519.NewKeyFromSeed(raw).Public().(ed25519.PublicKey)
	return base64.StdEncoding.EncodeToString(raw), base64.StdEncoding.EncodeToString(key)
}

// Signer signs manifests. It is safe for concurrent use.
type Signer struct {
	key    ed25519.PrivateKey
	public ed25519.PublicKey
}

// NewSigner takes a seed as GenerateKey gives it. The error repeats nothing of it.
func NewSigner(seed config.Secret) (*Signer, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(seed.Reveal())
	if err != nil || len(raw) != ed25519.SeedSize {
		return nil, errors.New("a signing key is 32 bytes in base64: make one with `trunkline releases keygen`")
	}
	key := ed25519.NewKeyFromSeed(raw)
	public, _ := key.Public().(ed25519.PublicKey)
	return &Signer{key: key, public: public}, nil
}

// PublicKey is what engines trust this signer by, in base64.
func (s *Signer) PublicKey() string { return base64.StdEncoding.EncodeToString(s.public) }

// Sign gives a SignedManifest as it is stored. A manifest that Keys.Open would refuse is ErrManifest.
func (s *Signer) Sign(m *releasesv1.Manifest) ([]byte, error) {
	if err := checkManifest(m); err != nil {
		return nil, ErrManifest.Wrap(err)
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, ErrManifest.Wrap(err)
	}
	return s.seal(body)
}

func (s *Signer) seal(body []byte) ([]byte, error) {
	signed, err := proto.Marshal(&releasesv1.SignedManifest{
		Manifest: body, Signature: ed25519.Sign(s.key, toSign(body)), KeyId: keyID(s.public),
	})
	if err != nil {
		return nil, ErrManifest.Wrap(err)
	}
	if len(signed) > maxManifest {
		return nil, ErrManifest.Wrap(fmt.Errorf("%d bytes", len(signed)))
	}
	return signed, nil
}

// Keys are the public keys that are trusted, by their id.
type Keys struct{ byID map[string]ed25519.PublicKey }

// NewKeys takes one or more public keys in base64, as GenerateKey gives them. While a key is exchanged, the old and the
// new one are trusted.
func NewKeys(publicKeys ...string) (Keys, error) {
	if len(publicKeys) == 0 {
		return Keys{}, errors.New("name at least one public key")
	}
	k := Keys{byID: make(map[string]ed25519.PublicKey, len(publicKeys))}
	for _, text := range publicKeys {
		raw, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return Keys{}, fmt.Errorf("public key %q is not 32 bytes in base64", text)
		}
		k.byID[keyID(raw)] = raw
	}
	return k, nil
}

// Open gives the manifest in signed, if a trusted key signed it for the environment. Either entry may be absent, but
// not both. Errors: ErrManifest, ErrKey, ErrSignature, ErrEnvironment.
func (k Keys) Open(signed []byte, environment string) (*releasesv1.Manifest, error) {
	if len(signed) == 0 || len(signed) > maxManifest {
		return nil, ErrManifest.Wrap(fmt.Errorf("%d bytes", len(signed)))
	}
	var envelope releasesv1.SignedManifest
	if err := proto.Unmarshal(signed, &envelope); err != nil {
		return nil, ErrManifest.Wrap(err)
	}
	key, trusted := k.byID[envelope.GetKeyId()]
	if !trusted {
		return nil, ErrKey.Wrap(fmt.Errorf("key id %q", envelope.GetKeyId()))
	}
	if !ed25519.Verify(key, toSign(envelope.GetManifest()), envelope.GetSignature()) {
		return nil, ErrSignature
	}
	m := &releasesv1.Manifest{}
	if err := proto.Unmarshal(envelope.GetManifest(), m); err != nil {
		return nil, ErrManifest.Wrap(err)
	}
	if m.GetEnvironment() != environment {
		return nil, ErrEnvironment.Wrap(fmt.Errorf("it is for %q and this is %q", m.GetEnvironment(), environment))
	}
	if err := checkManifest(m); err != nil {
		return nil, ErrManifest.Wrap(err)
	}
	return m, nil
}

func toSign(body []byte) []byte { return append([]byte(signedAs), body...) }

func keyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:])[:keyIDDigits]
}

func checkManifest(m *releasesv1.Manifest) error {
	switch {
	case m.GetEnvironment() == "":
		return errors.New("it has no environment")
	case m.GetRevision() < 1:
		return fmt.Errorf("its revision is %d", m.GetRevision())
	case m.GetCurrent() == nil && m.GetScheduled() == nil:
		return errors.New("it names no release")
	}
	return errors.Join(checkEntry("current", m.GetCurrent()), checkEntry("scheduled", m.GetScheduled()))
}

func checkEntry(name string, e *releasesv1.ManifestEntry) error {
	if e == nil {
		return nil
	}
	switch _, err := uuid.Parse(e.GetReleaseId()); {
	case err != nil:
		return fmt.Errorf("%s: the release id is not a UUID", name)
	case e.GetActivation() < 1:
		return fmt.Errorf("%s: the activation is %d", name, e.GetActivation())
	case !isDigest(e.GetDigest()):
		return fmt.Errorf("%s: the digest is not 64 hexadecimal digits", name)
	case e.GetSizeBytes() < 1 || e.GetStoredBytes() < 1:
		return fmt.Errorf("%s: the artifact has %d bytes, stored %d", name, e.GetSizeBytes(), e.GetStoredBytes())
	case e.GetActivateTime().CheckValid() != nil || e.GetCompileTime().CheckValid() != nil:
		return fmt.Errorf("%s: a time is missing or not valid", name)
	case e.GetActivateTime().AsTime().Equal(time.Time{}) || e.GetCompileTime().AsTime().Equal(time.Time{}):
		return fmt.Errorf("%s: a time is zero", name)
	}
	return nil
}

// isDigest says whether text is a SHA-256 in lower-case hexadecimal.
func isDigest(text string) bool {
	if len(text) != 2*sha256.Size {
		return false
	}
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
