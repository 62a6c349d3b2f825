package access

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/secret"
)

func TestAKeyIsOfItsFormAndHoldsItsID(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		key, id := NewKey()
		text := key.Reveal()
		require.Regexp(t, `^tl_[0-9A-Za-z]{71}$`, text)
		require.Len(t, text, KeyLength)
		require.False(t, seen[text[secretAt:sumAt]], "secrets never repeat")
		seen[text[secretAt:sumAt]] = true
		require.Equal(t, id, idOf(t, text))
		read, err := ParseKey(text)
		require.NoError(t, err)
		require.Equal(t, text, read.Reveal())
		require.Equal(t, key.Hint(), text[3:11])
	}
}

// idOf decodes the id with the slow obvious arithmetic.
func idOf(t *testing.T, text string) uuid.UUID {
	number := new(big.Int)
	for _, c := range text[idAt:secretAt] {
		number.Mul(number, big.NewInt(62))
		number.Add(number, big.NewInt(int64(strings.IndexRune(digits62, c))))
	}
	var id uuid.UUID
	number.FillBytes(id[:])
	return id
}

func TestThisKeyStaysReadable(t *testing.T) {
	// Keys outlive releases: neither alphabet nor checksum nor code may ever change.
	const text = "tl_7n42DGM5Tflk9n8mt7Fhc7ehv1hsdOHPxDuX3xn9YyIKbgl4yJuySCWzdimD4heup0sJO2z"
	fixed := string(appendBase62([]byte(KeyPrefix), bytes.Repeat([]byte{0xff}, 16), idDigits))
	require.Equal(t, "tl_7n42DGM5Tflk9n8mt7Fhc7", fixed)
	fixed = string(appendBase62([]byte(fixed), bytes.Repeat([]byte{0xab}, 32), secretDigits))
	fixed = string(appendSum([]byte(fixed), []byte(fixed)))
	require.Equal(t, text, fixed)
	key, err := ParseKey(text)
	require.NoError(t, err)
	p := pepper(t, "p")
	require.Equal(t, "2b686400d0e6d37e", p.ID())
	require.Equal(t, "088c8a83eb48a2237981ebc23ba47e8818f52737ebadb5ce97689fc5d41042dc", fmt.Sprintf("%x", key.MAC(p)))
}

func TestAKeyPrintsItsHintOnly(t *testing.T) {
	key, _ := NewKey()
	text := key.Reveal()
	type holder struct {
		Key  Key
		List []Key
	}
	type closed struct{ key Key }
	var out bytes.Buffer
	for _, subject := range []any{key, &key, holder{key, []Key{key}}, closed{key}, &closed{key}, map[string]Key{"k": key}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", subject)
		}
		encoded, err := json.Marshal(subject)
		require.NoError(t, err)
		out.Write(encoded)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "subject", subject)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "subject", subject)
	}
	require.NotContains(t, out.String(), text[secretAt:secretAt+8])
	require.NotContains(t, out.String(), text[idAt:secretAt])
	require.NotContains(t, out.String(), fmt.Sprintf("%x", text[secretAt:sumAt]))
	require.NotContains(t, strings.ToLower(out.String()), fmt.Sprintf("%x", text[secretAt:sumAt]))

	require.Equal(t, "tl_"+key.Hint()+"…", key.String())
	require.Equal(t, key.String(), fmt.Sprintf("%#v", key))
	encoded, err := json.Marshal(key)
	require.NoError(t, err)
	require.Equal(t, `"`+key.String()+`"`, string(encoded))
	require.Empty(t, Key{}.String())
	require.Empty(t, Key{}.Hint())
}

func TestAPepperIsLongAndTellsNothing(t *testing.T) {
	_, err := NewPepper(secret.New(strings.Repeat("x", MinPepper-1)))
	require.ErrorContains(t, err, "has 31 bytes; it needs at least 32")
	require.NotContains(t, err.Error(), "xxx")
	a, b := pepper(t, "a"), pepper(t, "b")
	require.Regexp(t, `^[0-9a-f]{16}$`, a.ID())
	require.NotEqual(t, a.ID(), b.ID())
	require.Equal(t, a.ID(), pepper(t, "a").ID(), "the id is the same in every process")
	require.Equal(t, a.ID(), a.String())
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", a, a, a), "aaa")
	key, _ := NewKey()
	require.NotEqual(t, key.MAC(a), key.MAC(b))
	require.Equal(t, key.MAC(a), key.MAC(pepper(t, "a")))
}

func TestEveryCharacterOfAKeyIsChecked(t *testing.T) {
	key, _ := NewKey()
	text := key.Reveal()
	for at := range text {
		for c := range 256 {
			if byte(c) == text[at] {
				continue
			}
			changed := text[:at] + string([]byte{byte(c)}) + text[at+1:]
			_, err := ParseKey(changed)
			require.Error(t, err, changed)
		}
		_, err := ParseKey(text[:at] + text[at+1:])
		require.Error(t, err, "one character less")
		if at > 0 && text[at] != text[at-1] {
			_, err = ParseKey(text[:at-1] + text[at:at+1] + text[at-1:at] + text[at+1:])
			require.Error(t, err, "two characters in the other order")
		}
	}
}

// FuzzKey changes a good key. Whatever has the form of a key is exactly as long, and no change of a key is another
// good key unless its checksum was made to fit, and even then nobody issued it.
func FuzzKey(f *testing.F) {
	f.Add(0, []byte("x"))
	f.Add(73, []byte{})
	f.Add(3, []byte("0000000000000000000000"))
	f.Add(25, []byte("\xff\x00"))
	p := pepper(f, "p")
	f.Fuzz(func(t *testing.T, at int, patch []byte) {
		key, id := NewKey()
		text := key.Reveal()
		set := NewKeySet([]KeyRecord{{KeyID: id, PepperID: p.ID(), MAC: key.MAC(p)}}, p)
		_, err := set.Find(text, noon)
		require.NoError(t, err)

		at = int(uint(at) % uint(len(text)))
		changed := text[:at] + string(patch) + text[min(len(text), at+len(patch)):]
		if changed == text {
			return
		}
		_, err = set.Find(changed, noon)
		require.Error(t, err)
		if len(patch) == 1 {
			_, err = ParseKey(changed)
			require.Error(t, err)
		}
		if len(changed) == KeyLength {
			_, err = set.Find(resum(changed), noon)
			require.True(t, err != nil || resum(changed) == text)
		}
		if read, err := ParseKey(string(patch)); err == nil {
			require.Equal(t, string(patch), read.Reveal())
			require.Len(t, patch, KeyLength)
		}
	})
}
