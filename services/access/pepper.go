package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"

	"trunkline/services/platform/secret"
)

// MinPepper is the shortest pepper in bytes.
const MinPepper = 32

// pepperIDLabel makes the code of the pepper's id differ from that of any key, which starts with KeyPrefix.
const pepperIDLabel = "pepper id"

// Pepper is the server's secret in the MAC of every API key: who reads the database alone can neither make keys nor
// test guesses. It is safe for concurrent use and prints only its id. Create it with NewPepper.
type Pepper struct {
	id   string
	macs *sync.Pool // of *macState
}

type macState struct {
	hash hash.Hash
	text [KeyLength]byte
	sum  [sha256.Size]byte
}

// NewPepper takes a secret of at least MinPepper bytes.
func NewPepper(value secret.Text) (Pepper, error) {
	key := []byte(value.Reveal())
	if len(key) < MinPepper {
		return Pepper{}, fmt.Errorf("the pepper of API keys has %d bytes; it needs at least %d random ones, such as from openssl rand -hex 32", len(key), MinPepper)
	}
	label := hmac.New(sha256.New, key)
	label.Write([]byte(pepperIDLabel))
	return Pepper{
		id: hex.EncodeToString(label.Sum(nil)[:8]),
		macs: &sync.Pool{New: func() any {
			return &macState{hash: hmac.New(sha256.New, key)}
		}},
	}, nil
}

// ID names the pepper without telling anything about it: 16 hexadecimal digits. It is stored with every MAC, so that
// keys of a former pepper are known as such.
func (p Pepper) ID() string { return p.id }

// String is the id.
func (p Pepper) String() string { return p.id }

// mac takes its working memory from a pool: it is computed for every call.
func (p Pepper) mac(text string) MAC {
	s := p.macs.Get().(*macState)
	defer p.macs.Put(s)
	s.hash.Reset()
	s.hash.Write(s.text[:copy(s.text[:], text)])
	return MAC(s.hash.Sum(s.sum[:0]))
}
