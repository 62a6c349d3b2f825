package release

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
)

func signer(t testing.TB) *Signer {
	t.Helper()
	seed, public := GenerateKey()
	s, err := NewSigner(config.NewSecret(seed))
	require.NoError(t, err)
	require.Equal(t, public, s.PublicKey())
	return s
}

func keys(t testing.TB, signers ...*Signer) Keys {
	t.Helper()
	var public []string
	for _, s := range signers {
		public = append(public, s.PublicKey())
	}
	k, err := NewKeys(public...)
	require.NoError(t, err)
	return k
}

func entry(activation int64) *releasesv1.ManifestEntry {
	return &releasesv1.ManifestEntry{
		ReleaseId: id('x', 1).String(), Activation: activation, Digest: digestOf(nil), SizeBytes: 100, StoredBytes: 50,
		ActivateTime: timestamppb.New(first), CompileTime: timestamppb.New(first),
	}
}

func manifest() *releasesv1.Manifest {
	return &releasesv1.Manifest{Environment: "production", Revision: 7, Current: entry(3), Scheduled: entry(4)}
}

func TestASignedManifestIsOpened(t *testing.T) {
	one, two := signer(t), signer(t)
	for _, s := range []*Signer{one, two} {
		signed, err := s.Sign(manifest())
		require.NoError(t, err)
		got, err := keys(t, one, two).Open(signed, "production")
		require.NoError(t, err)
		require.True(t, proto.Equal(manifest(), got))
	}
}

func TestFieldsOfTomorrowAreSignedToo(t *testing.T) {
	s := signer(t)
	m := manifest()
	m.ProtoReflect().SetUnknown([]byte{0xf8, 0x07, 1}) // field 127
	signed, err := s.Sign(m)
	require.NoError(t, err)
	_, err = keys(t, s).Open(signed, "production")
	require.NoError(t, err)
}

func TestManifestsThatAreNotTrustedAreRefused(t *testing.T) {
	s, other := signer(t), signer(t)
	signed, err := s.Sign(manifest())
	require.NoError(t, err)
	var envelope releasesv1.SignedManifest
	require.NoError(t, proto.Unmarshal(signed, &envelope))
	altered := func(change func(*releasesv1.SignedManifest)) []byte {
		e := proto.CloneOf(&envelope)
		change(e)
		b, err := proto.Marshal(e)
		require.NoError(t, err)
		return b
	}
	replaced := func(change func(*releasesv1.Manifest)) []byte {
		return altered(func(e *releasesv1.SignedManifest) {
			m := manifest()
			change(m)
			e.Manifest, err = proto.Marshal(m)
			require.NoError(t, err)
		})
	}
	for _, c := range []struct {
		name string
		give []byte
		want *fault.Fault
	}{
		{"nothing", nil, ErrManifest},
		{"an empty message of another kind", []byte("{}"), ErrManifest},
		{"more than a manifest can be", make([]byte, maxManifest+1), ErrManifest},
		{"another revision", replaced(func(m *releasesv1.Manifest) { m.Revision++ }), ErrSignature},
		{"another artifact", replaced(func(m *releasesv1.Manifest) { m.Current.Digest = strings.Repeat("0", 64) }), ErrSignature},
		{"no signature", altered(func(e *releasesv1.SignedManifest) { e.Signature = nil }), ErrSignature},
		{"half a signature", altered(func(e *releasesv1.SignedManifest) { e.Signature = e.Signature[:32] }), ErrSignature},
		{"no manifest", altered(func(e *releasesv1.SignedManifest) { e.Manifest = nil }), ErrSignature},
		{"no key", altered(func(e *releasesv1.SignedManifest) { e.KeyId = "" }), ErrKey},
		{"an unknown key", altered(func(e *releasesv1.SignedManifest) { e.KeyId = "0123456789abcdef" }), ErrKey},
		{"the id of another trusted key", altered(func(e *releasesv1.SignedManifest) { e.KeyId = keyID(other.public) }), ErrSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := keys(t, s, other).Open(c.give, "production")
			require.ErrorIs(t, err, c.want)
			require.Nil(t, m)
		})
	}
	t.Run("a key that is not trusted here", func(t *testing.T) {
		_, err := keys(t, other).Open(signed, "production")
		require.ErrorIs(t, err, ErrKey)
		_, err = Keys{}.Open(signed, "production")
		require.ErrorIs(t, err, ErrKey)
	})
	t.Run("another environment", func(t *testing.T) {
		for _, environment := range []string{"", "staging", "Production"} {
			_, err := keys(t, s).Open(signed, environment)
			require.ErrorIs(t, err, ErrEnvironment)
		}
	})
	t.Run("a flipped bit anywhere", func(t *testing.T) {
		for i := range signed {
			damaged := slices.Clone(signed)
			damaged[i] ^= 1 << (i % 8)
			_, err := keys(t, s).Open(damaged, "production")
			refused(t, err, ErrManifest, ErrKey, ErrSignature)
		}
	})
	t.Run("cut anywhere", func(t *testing.T) {
		for n := range signed {
			_, err := keys(t, s).Open(signed[:n], "production")
			refused(t, err, ErrManifest, ErrKey, ErrSignature)
		}
	})
}

func TestManifestsThatCannotBeUsedAreNotSignedAndNotOpened(t *testing.T) {
	s := signer(t)
	for name, change := range map[string]func(*releasesv1.Manifest){
		"no environment":         func(m *releasesv1.Manifest) { m.Environment = "" },
		"no revision":            func(m *releasesv1.Manifest) { m.Revision = 0 },
		"no release":             func(m *releasesv1.Manifest) { m.Current, m.Scheduled = nil, nil },
		"a release without id":   func(m *releasesv1.Manifest) { m.Current.ReleaseId = "" },
		"no activation":          func(m *releasesv1.Manifest) { m.Current.Activation = 0 },
		"no digest":              func(m *releasesv1.Manifest) { m.Current.Digest = "" },
		"a digest with a path":   func(m *releasesv1.Manifest) { m.Current.Digest = strings.Repeat("../", 21) + "x" },
		"a digest in capitals":   func(m *releasesv1.Manifest) { m.Scheduled.Digest = strings.ToUpper(m.Scheduled.Digest) },
		"no size":                func(m *releasesv1.Manifest) { m.Current.SizeBytes = 0 },
		"no stored size":         func(m *releasesv1.Manifest) { m.Current.StoredBytes = -1 },
		"no time to take effect": func(m *releasesv1.Manifest) { m.Scheduled.ActivateTime = nil },
		"a zero time":            func(m *releasesv1.Manifest) { m.Current.ActivateTime = timestamppb.New(time.Time{}) },
		"a time that is no time": func(m *releasesv1.Manifest) { m.Current.CompileTime = &timestamppb.Timestamp{Nanos: -1} },
	} {
		t.Run(name, func(t *testing.T) {
			m := manifest()
			change(m)
			_, err := s.Sign(m)
			require.ErrorIs(t, err, ErrManifest)

			body, err := proto.Marshal(m)
			require.NoError(t, err)
			signed, err := s.seal(body)
			require.NoError(t, err)
			_, err = keys(t, s).Open(signed, m.GetEnvironment())
			require.ErrorIs(t, err, ErrManifest)
		})
	}
	endless := manifest()
	endless.Environment = strings.Repeat("x", maxManifest)
	_, err := s.Sign(endless)
	require.ErrorIs(t, err, ErrManifest)
	signed, err := s.seal([]byte{0xff})
	require.NoError(t, err)
	_, err = keys(t, s).Open(signed, "production")
	require.ErrorIs(t, err, ErrManifest, "signed and no manifest")
}

func TestKeysThatAreNoneAreRefusedWithoutRepeatingTheSecret(t *testing.T) {
	seed, public := GenerateKey()
	for name, bad := range map[string]string{
		"empty": "", "short": base64.StdEncoding.EncodeToString(make([]byte, 31)), "long": base64.StdEncoding.EncodeToString(make([]byte, 64)),
		"not base64": "not a key", "broken over lines": seed[:20] + "\n" + seed[20:] + "x",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewSigner(config.NewSecret(bad))
			require.Error(t, err)
			if bad != "" {
				require.NotContains(t, err.Error(), bad)
			}
			_, err = NewKeys(public, bad)
			require.Error(t, err)
		})
	}
	_, err := NewKeys()
	require.Error(t, err)
	again, _ := GenerateKey()
	require.NotEqual(t, seed, again)
}

func TestNamesFitTogether(t *testing.T) {
	require.Equal(t, "release.engine.x", EngineSubject("x"))
	spec := Streams()[0]
	require.Equal(t, []string{"release.engine.*"}, spec.Subjects)
	require.EqualValues(t, 1, spec.MaxPerSubject)
	require.Equal(t, []int64{10_000, 64 << 20, 16 << 10}, []int64{spec.MaxMessages, spec.MaxBytes, int64(spec.MaxMessageBytes)})
}

func FuzzOpen(f *testing.F) {
	s, err := NewSigner(config.NewSecret(base64.StdEncoding.EncodeToString(make([]byte, 32))))
	require.NoError(f, err)
	signed, err := s.Sign(manifest())
	require.NoError(f, err)
	k := keys(f, s)
	f.Add(signed)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := k.Open(b, "production")
		if err == nil {
			require.True(t, proto.Equal(manifest(), m), "only one manifest was ever signed")
		}
	})
}
