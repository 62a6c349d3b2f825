//go:build pact

package operatorsfx_test

import (
	"net/http"
	"testing"

	"trunkline/services/platform/certtest"
	"trunkline/services/platform/rpcserver"
)

// The identities of the internal listener. The last one may call nothing.
const (
	connector rpcserver.Identity = "spiffe://example.org/smpp-connector"
	engine    rpcserver.Identity = "spiffe://example.org/routing-engine"
	stranger  rpcserver.Identity = "spiffe://example.org/stranger"
)

// trust holds the certificates of all worlds.
type trust struct {
	files   certtest.Files
	clients map[rpcserver.Identity]*http.Client
}

func newTrust(t *testing.T) *trust {
	t.Helper()
	authority := certtest.NewAuthority(t)
	all := &trust{files: certtest.NewFiles(t), clients: map[rpcserver.Identity]*http.Client{}}
	all.files.Write(t, authority.Issue(t, "127.0.0.1"), authority)
	for _, id := range []rpcserver.Identity{connector, engine, stranger} {
		all.clients[id] = authority.Client(t, authority.Issue(t, string(id)))
	}
	return all
}

func (t *trust) listener() rpcserver.InternalConfig {
	return rpcserver.InternalConfig{Addr: "127.0.0.1:0", TLS: rpcserver.MutualTLSConfig{
		CertFile: t.files.Cert, KeyFile: t.files.Key, ClientCAFile: t.files.CA,
	}}
}

// disconnect closes the connections to a world that ends.
func (t *trust) disconnect() {
	for _, client := range t.clients {
		client.CloseIdleConnections()
	}
}
