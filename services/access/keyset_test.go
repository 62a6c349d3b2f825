package access

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

func TestAKeyIsGoodUntilTheSecondOfItsEnd(t *testing.T) {
	p := pepper(t, "p")
	key, id := NewKey()
	set := NewKeySet([]KeyRecord{{KeyID: id, Role: caller.Viewer, PepperID: p.ID(), MAC: key.MAC(p), ExpiresAt: noon}}, p)
	who, err := set.Find(key.Reveal(), noon.Add(-time.Nanosecond))
	require.NoError(t, err)
	require.Equal(t, caller.Caller{Name: "key:" + id.String(), Kind: caller.Key, Role: caller.Viewer, Expires: noon}, who)
	_, err = set.Find(key.Reveal(), noon)
	require.True(t, fault.Is(err, ReasonExpired))
}

func TestAnUnknownIDAndAWrongSecretReadTheSame(t *testing.T) {
	w := newTown(t)
	stranger, _ := NewKey()
	_, unknown := w.Authenticate(t.Context(), bearer(stranger.Reveal()))
	_, wrong := w.Authenticate(t.Context(), bearer(resum(flip(w.good, secretAt))))
	_, other := w.Authenticate(t.Context(), bearer(resum(flip(w.revoked, secretAt))))
	require.Equal(t, unknown, wrong)
	require.Equal(t, unknown, other)
}

func TestAnEmptySetKnowsNoKey(t *testing.T) {
	p := pepper(t, "p")
	key, _ := NewKey()
	_, err := NewKeySet(nil, p).Find(key.Reveal(), noon)
	require.True(t, fault.Is(err, ReasonInvalid))
}

func TestFindTakesOneSmallPieceOfMemory(t *testing.T) {
	p := pepper(t, "p")
	key, id := NewKey()
	set := NewKeySet([]KeyRecord{{KeyID: id, Role: caller.Viewer, PepperID: p.ID(), MAC: key.MAC(p)}}, p)
	text := key.Reveal()
	allocations := testing.AllocsPerRun(1000, func() { _, _ = set.Find(text, noon) })
	// Under the race detector pools drop what they hold at random.
	require.Less(t, allocations, 4.0, "the copy for the checksum; the code's working memory comes from a pool")
}

func BenchmarkFind(b *testing.B) {
	p := pepper(b, "p")
	var records []KeyRecord
	var text string
	for range 10_000 {
		key, id := NewKey()
		text = key.Reveal()
		records = append(records, KeyRecord{KeyID: id, Role: caller.Viewer, PepperID: p.ID(), MAC: key.MAC(p)})
	}
	set := NewKeySet(records, p)
	stranger, _ := NewKey()
	b.Run("known", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := set.Find(text, noon); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unknown", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := set.Find(stranger.Reveal(), noon); err == nil {
				b.Fatal("found")
			}
		}
	})
	b.Run("misspelled", func(b *testing.B) {
		changed := flip(text, 30)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := set.Find(changed, noon); err == nil {
				b.Fatal("found")
			}
		}
	})
}
