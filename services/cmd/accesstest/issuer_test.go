package accesstest

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/access/jwks"
	"trunkline/services/platform/certtest"
)

// object is a JSON object.
type object = map[string]any

// issuer signs tokens and lists its key.
type issuer struct {
	key ed25519.PrivateKey
	url string
}

func newIssuer(t *testing.T, ca *certtest.Authority) *issuer {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	document, err := json.Marshal(object{"keys": []object{{"kty": "OKP", "crv": "Ed25519", "kid": "one", "alg": "EdDSA", "use": "sig", "x": b64(public)}}})
	require.NoError(t, err)
	pair := ca.Issue(t, "127.0.0.1")
	certificate, err := tls.X509KeyPair(pair.Cert, pair.Key)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return &issuer{key, server.URL + "/keys"}
}

func (i *issuer) config(caFile string) jwks.Config {
	c := jwks.DefaultConfig()
	c.JWKSURL, c.Issuer, c.Audience, c.CAFile = i.url, "https://issuer.example", "trunkline", caFile
	return c
}

// token signs the usual claims with some changed; nil takes one away.
func (i *issuer) token(change object) string {
	claims := object{
		"iss": "https://issuer.example", "aud": "trunkline", "sub": "alice", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	for name, value := range change {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	return i.sign(object{"alg": "EdDSA", "kid": "one", "typ": "JWT"}, claims)
}

func (i *issuer) sign(header, claims object) string {
	signing := b64(marshal(header)) + "." + b64(marshal(claims))
	return signing + "." + b64(ed25519.Sign(i.key, []byte(signing)))
}

func marshal(o any) []byte {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return text
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
