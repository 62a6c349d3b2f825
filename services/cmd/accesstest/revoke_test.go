package accesstest

import (
	"testing"
	"time"

	"trunkline/services/access"
	"trunkline/services/platform/caller"
)

// TestARevokedKeyIsRefusedByEveryProcess has two processes over one database, and revokes by one of them.
func TestARevokedKeyIsRefusedByEveryProcess(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	other := &town{platform: start(t, database{url: w.database.url, conn: w.conn})}
	end := map[string]func(t *testing.T, key access.APIKey){
		"revoked": func(t *testing.T, key access.APIKey) {
			w.must(t, w.admin, "access.v1.ApiKeyService/RevokeApiKey", object{"keyId": key.KeyID.String()})
		},
		"rotated without overlap": func(t *testing.T, key access.APIKey) {
			w.must(t, w.admin, "access.v1.ApiKeyService/RotateApiKey", object{"keyId": key.KeyID.String()})
		},
		"of a deleted account": func(t *testing.T, key access.APIKey) {
			w.must(t, w.admin, "access.v1.AccountService/DeleteAccount", object{"accountId": key.Account.String()})
		},
	}
	for name, end := range end {
		t.Run(name, func(t *testing.T) {
			wanted := access.NewAPIKey{Name: name, Role: caller.Admin}
			if name == "of a deleted account" {
				wanted.Account = w.account(t, name).ID
			}
			key, text := w.key(t, wanted)
			w.known(t, bearer(text))
			other.known(t, bearer(text))
			end(t, key)
			began := time.Now()
			for _, p := range []*platform{w.platform, other.platform} {
				p.heard(t, text, access.ReasonRevoked)
			}
			// Not asserted, because a test machine may be slow. The promise is 2 s.
			t.Logf("refused by both after %s", time.Since(began).Round(10*time.Millisecond))
		})
	}
}
