package jwks

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
)

const (
	ourIssuer   = "https://issuer.example"
	ourAudience = "trunkline"
	ourAccount  = "6f1d3c5e-8b6a-4c0e-9d55-2f7a1b3c4d5e"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// keys are slow to make and never change, so all tests share them.
type keys struct {
	rsa, rsaOther, rsaSmall *rsa.PrivateKey
	ec, ecOther, ec384      *ecdsa.PrivateKey
	ed, edOther             ed25519.PrivateKey
}

var allKeys = sync.OnceValue(func() keys {
	var k keys
	for bits, into := range map[int][]**rsa.PrivateKey{2048: {&k.rsa, &k.rsaOther}, 1024: {&k.rsaSmall}} {
		for _, one := range into {
			*one, _ = rsa.GenerateKey(rand.Reader, bits)
		}
	}
	k.ec, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	k.ecOther, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	k.ec384, _ = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, k.ed, _ = ed25519.GenerateKey(rand.Reader)
	_, k.edOther, _ = ed25519.GenerateKey(rand.Reader)
	return k
})

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// object is a JSON object.
type object = map[string]any

// listed is the public key as a JWKS lists it. Nothing of the library under test takes part.
func listed(id string, public any, change ...object) object {
	o := object{"kid": id}
	switch key := public.(type) {
	case *rsa.PublicKey:
		o["kty"], o["n"], o["e"] = "RSA", b64(key.N.Bytes()), b64(big.NewInt(int64(key.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			panic(err)
		}
		half := (len(point) - 1) / 2
		o["kty"], o["crv"], o["x"], o["y"] = "EC", key.Params().Name, b64(point[1:1+half]), b64(point[1+half:])
	case ed25519.PublicKey:
		o["kty"], o["crv"], o["x"] = "OKP", "Ed25519", b64(key)
	case []byte:
		o["kty"], o["k"] = "oct", b64(key)
	}
	for _, c := range change {
		maps.Copy(o, c)
	}
	return o
}

func document(entries ...object) []byte {
	text, err := json.Marshal(object{"keys": entries})
	if err != nil {
		panic(err)
	}
	return text
}

// signed joins and signs the parts as they are. The standard library signs, so that what it makes is what other
// parties make. A key of nil leaves the signature empty.
func signed(key any, header, payload string) string {
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	return input + "." + b64(signature(key, input))
}

func signature(key any, input string) []byte {
	digest := sha256.Sum256([]byte(input))
	var sig []byte
	var err error
	switch key := key.(type) {
	case nil:
	case *rsa.PrivateKey:
		sig, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	case pss:
		sig, err = rsa.SignPSS(rand.Reader, key.PrivateKey, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	case sha512Of:
		sum := sha512.Sum512([]byte(input))
		sig, err = rsa.SignPKCS1v15(nil, key.PrivateKey, crypto.SHA512, sum[:])
	case *ecdsa.PrivateKey:
		var r, s *big.Int
		r, s, err = ecdsa.Sign(rand.Reader, key, digest[:])
		sig = make([]byte, 2*((key.Params().BitSize+7)/8))
		r.FillBytes(sig[:len(sig)/2])
		s.FillBytes(sig[len(sig)/2:])
	case asn1:
		sig, err = ecdsa.SignASN1(rand.Reader, key.PrivateKey, digest[:])
	case ed25519.PrivateKey:
		sig = ed25519.Sign(key, []byte(input))
	case []byte: // a shared secret
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(input))
		sig = mac.Sum(nil)
	}
	if err != nil {
		panic(err)
	}
	return sig
}

type (
	pss      struct{ *rsa.PrivateKey }
	sha512Of struct{ *rsa.PrivateKey }
	asn1     struct{ *ecdsa.PrivateKey }
)

// plain is what a good token says; change replaces claims, and nil values of it remove them.
func plain(change ...object) object {
	o := object{
		"iss": ourIssuer, "aud": ourAudience, "sub": "alice", "exp": noon.Add(time.Hour).Unix(), "iat": noon.Unix(),
		"roles": []string{"operator"}, "account_id": ourAccount,
	}
	for _, c := range change {
		for name, value := range c {
			if value == nil {
				delete(o, name)
			} else {
				o[name] = value
			}
		}
	}
	return o
}

func text(o object) string {
	t, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(t)
}

func header(algorithm, id string, change ...object) string {
	o := object{"alg": algorithm, "kid": id, "typ": "JWT"}
	for _, c := range change {
		maps.Copy(o, c)
	}
	return text(o)
}

// good is a token of the Ed25519 key, which is the fastest, under the id "ed".
func good(change ...object) string { return goodBy("ed", allKeys().ed, change...) }

func goodBy(id string, key ed25519.PrivateKey, change ...object) string {
	return signed(key, header(EdDSA, id), text(plain(change...)))
}

func ourConfig() Config {
	cfg := DefaultConfig()
	cfg.JWKSURL, cfg.Issuer, cfg.Audience = "https://issuer.example/keys", ourIssuer, ourAudience
	return cfg
}

// source is an issuer whose document a test changes. It counts fetches.
type source struct {
	mu       sync.Mutex
	document []byte
	err      error
	fetched  int
	// gate, if there is one, holds fetches until it is closed; entered hears of them.
	gate    chan struct{}
	entered chan struct{}
}

func (s *source) fetch(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	s.fetched++
	gate, entered := s.gate, s.entered
	s.mu.Unlock()
	if gate != nil {
		entered <- struct{}{}
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.document, s.err
}

func (s *source) set(document []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.document, s.err = document, err
}

func (s *source) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetched
}

func newTestVerifier(tb testing.TB, cfg Config, s *source, clk clock.Clock) *Verifier {
	tb.Helper()
	v, err := newVerifier(cfg, s.fetch, clk, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(tb, err)
	return v
}
