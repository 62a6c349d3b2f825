package jwks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // for thumbprints
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

const (
	maxKeys    = 50
	maxKeyID   = 256
	minRSABits = 2048
	// maxRSABits bounds the work for one signature.
	maxRSABits = 8192
)

// signer is a public key that tokens may be signed with, by one algorithm only.
type signer struct {
	public    any
	algorithm jwa.SignatureAlgorithm
	// thumbprint tells keys apart, whatever their ids (RFC 7638).
	thumbprint string
}

// parseDocument gives the keys by id, and why others are of no use. A document without any useful key is an error:
// more likely the issuer has a fault than that nobody may come in.
func parseDocument(document []byte, accepted []string) (map[string]*signer, []error, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, nil, fmt.Errorf("the answer is no JWKS: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, nil, fmt.Errorf("the answer has %d keys; more than %d are not read", len(set.Keys), maxKeys)
	}
	signers := map[string]*signer{}
	var useless []error
	for i, raw := range set.Keys {
		id, s, err := parseKey(raw)
		switch {
		case err != nil:
		case !slices.Contains(accepted, s.algorithm.String()):
			err = fmt.Errorf("its algorithm %s is not accepted", s.algorithm)
		case signers[id] != nil:
			err = errors.New("another key has the same id")
		default:
			signers[id] = s
			continue
		}
		useless = append(useless, fmt.Errorf("key %d: %w", i+1, err))
	}
	if len(signers) == 0 {
		return nil, nil, fmt.Errorf("the answer holds no key that tokens may be signed with: %w", errors.Join(useless...))
	}
	return signers, useless, nil
}

// parseKey reads one public key for signatures.
func parseKey(raw []byte) (id string, s *signer, err error) {
	key, err := jwk.ParseKey(raw)
	if err != nil {
		return "", nil, err
	}
	id, _ = key.KeyID()
	if id == "" || len(id) > maxKeyID {
		return "", nil, fmt.Errorf("it needs a kid of 1 to %d bytes", maxKeyID)
	}
	if use, ok := key.KeyUsage(); ok && use != jwk.ForSignature.String() {
		return "", nil, errors.New("it is not for signatures")
	}
	if ops, ok := key.KeyOps(); ok && !slices.Contains(ops, jwk.KeyOpVerify) {
		return "", nil, errors.New("it is not for verifying")
	}
	s = &signer{}
	if err := jwk.Export(key, &s.public); err != nil {
		return "", nil, err
	}
	if s.algorithm, err = algorithmOf(s.public); err != nil {
		return "", nil, err
	}
	if named, ok := key.Algorithm(); ok && named.String() != s.algorithm.String() {
		return "", nil, fmt.Errorf("it is not for %s", s.algorithm)
	}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	s.thumbprint = string(thumbprint)
	return id, s, err
}

// algorithmOf gives the one algorithm that public keys of a type are used with. A key that several could use would
// let the token choose among them. Private and shared keys have none.
func algorithmOf(public any) (jwa.SignatureAlgorithm, error) {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return jwa.SignatureAlgorithm{}, fmt.Errorf("it is an RSA key of %d bits; those of %d to %d are accepted", bits, minRSABits, maxRSABits)
		}
		return jwa.RS256(), nil
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return jwa.ES256(), nil
		}
	case ed25519.PublicKey:
		return jwa.EdDSA(), nil
	}
	return jwa.SignatureAlgorithm{}, errors.New("keys of its type are not accepted")
}
