package accesstest

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/access"
	"trunkline/services/platform/caller"
)

var update = flag.Bool("update", false, "write the files that are compared with what is found")

func sortBy[T any, K cmp.Ordered](all []T, key func(T) K) {
	slices.SortFunc(all, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
}

// principal is somebody who calls. All its credentials stand for the same.
type principal struct {
	name string
	role optionsv1.Role
	// bound tells that it is bound to an account.
	bound bool
	// refused is the reason for which its credential never passes.
	refused string
	// inner tells that it calls the internal listener; role is what it is trusted with there.
	inner       bool
	credentials []credential
}

// credential is one way to call.
type credential struct {
	name   string
	client *http.Client
	header http.Header
}

func bearer(text string) http.Header { return http.Header{"Authorization": {"Bearer " + text}} }

func (p *platform) by(name string, header http.Header) credential {
	return credential{name, p.plain, header}
}

var roles = []struct {
	name string
	role caller.Role
	asks optionsv1.Role
}{
	{"viewer", caller.Viewer, optionsv1.Role_ROLE_VIEWER},
	{"operator", caller.Operator, optionsv1.Role_ROLE_OPERATOR},
	{"admin", caller.Admin, optionsv1.Role_ROLE_ADMIN},
}

// everybody makes one of each kind of caller.
func (p *platform) everybody(t *testing.T) []principal {
	t.Helper()
	account := p.account(t, "Everybody's account")
	all := []principal{{name: "anonymous", refused: access.ReasonRequired, credentials: []credential{
		p.by("nothing", nil),
		p.by("a cookie", http.Header{"Cookie": {"Authorization=Bearer x"}}),
		{"a certificate of the connector", p.ca.Client(t, p.ca.Issue(t, connectorID)), nil},
	}}}
	for _, bound := range []bool{false, true} {
		for _, r := range roles {
			wanted, claims, name := access.NewAPIKey{Name: r.name, Role: r.role}, object{"roles": []string{r.name}}, r.name
			if bound {
				wanted.Account, claims["account_id"], name = account.ID, account.ID.String(), r.name+"/account"
			}
			_, key := p.key(t, wanted)
			all = append(all, principal{name: name, role: r.asks, bound: bound, credentials: []credential{
				p.by("key", bearer(key)),
				p.by("key in x-api-key", http.Header{"X-Api-Key": {key}}),
				p.by("token", bearer(p.issuer.token(claims))),
				{"key and certificate", p.ca.Client(t, p.ca.Issue(t, connectorID)), bearer(key)},
			}})
		}
	}
	admin := access.NewAPIKey{Name: "admin", Role: caller.Admin}
	claims := object{"roles": []string{"admin"}}
	with := func(name string, value any) object {
		return object{"roles": []string{"admin"}, name: value}
	}
	ended := admin
	ended.Lifetime = time.Hour
	_, expired := p.keyAt(t, func() time.Time { return time.Now().Add(-2 * time.Hour) }, ended)
	all = append(all, principal{name: "expired", refused: access.ReasonExpired, credentials: []credential{
		p.by("key", bearer(expired)),
		p.by("token", bearer(p.issuer.token(with("exp", time.Now().Add(-time.Hour).Unix())))),
	}})

	revoked, text := p.key(t, admin)
	_, err := p.keys.Revoke(t.Context(), request(), revoked.KeyID)
	require.NoError(t, err)
	gone := p.account(t, "A deleted account")
	_, orphan := p.key(t, access.NewAPIKey{Name: "orphan", Role: caller.Admin, Account: gone.ID})
	_, err = p.accounts.Delete(t.Context(), request(), access.Target{ID: gone.ID})
	require.NoError(t, err)
	all = append(all, principal{name: "revoked", refused: access.ReasonRevoked, credentials: []credential{
		p.by("key", bearer(text)), p.by("key of a deleted account", bearer(orphan)),
	}})

	unknown, _ := access.NewKey()
	_, good := p.key(t, admin)
	all = append(all, principal{name: "garbage", refused: access.ReasonInvalid, credentials: []credential{
		p.by("no credential at all", bearer("garbage")),
		p.by("a key that nobody made", bearer(unknown.Reveal())),
		p.by("a token of another issuer", bearer(newIssuer(t, p.ca).token(claims))),
		p.by("a token without a signature", bearer(strings.TrimRight(p.issuer.sign(object{"alg": "none", "kid": "one"}, claims), "."))),
		p.by("a token for others", bearer(p.issuer.token(with("aud", "billing")))),
		p.by("a key and a token", http.Header{"X-Api-Key": {good}, "Authorization": {"Bearer " + p.issuer.token(claims)}}),
	}})
	all = append(all, principal{name: "no role", credentials: []credential{
		p.by("token without roles", bearer(p.issuer.token(nil))),
		p.by("token with another role", bearer(p.issuer.token(object{"roles": []string{"root"}}))),
	}})
	for _, one := range []struct {
		name, id string
		role     optionsv1.Role
	}{{"connector", connectorID, optionsv1.Role_ROLE_OPERATOR}, {"engine", engineID, optionsv1.Role_ROLE_VIEWER}, {"stranger", strangerID, 0}} {
		client := p.ca.Client(t, p.ca.Issue(t, one.id))
		all = append(all, principal{name: one.name, role: one.role, inner: true, credentials: []credential{
			{"certificate", client, nil}, {"certificate and an admin's key", client, bearer(good)},
		}})
	}
	p.heard(t, orphan, access.ReasonRevoked)
	return all
}

// heard waits until the process refuses the key for the reason, and so knows every change before.
func (p *platform) heard(t *testing.T, key, reason string) {
	t.Helper()
	m := methodOf(t, "/trunkline.operators.v1.OutboxService/GetOutboxStatus")
	require.Eventually(t, func() bool {
		a, err := try(t.Context(), p.plain, p.url, m, connectJSON, bearer(key), []byte("{}"))
		return err == nil && a.reason == reason
	}, eventually, tick)
}

// passed is how a call ends that got past the policy with a message that nobody can read.
const passed = "invalid_argument MALFORMED_MESSAGE"

// expected tells how a call with an unreadable message ends, from the option in the schema alone.
func expected(m method, who principal) string {
	if who.inner != (m.access.GetAudience() == optionsv1.Audience_AUDIENCE_INTERNAL) {
		return "unimplemented UNKNOWN_METHOD"
	}
	switch {
	case who.inner && who.role < m.access.GetRole():
		return "permission_denied IDENTITY_NOT_ALLOWED"
	case who.refused != "":
		return "unauthenticated " + who.refused
	case who.role < m.access.GetRole():
		return "permission_denied ROLE_TOO_LOW"
	case who.bound && !m.access.GetAccountScoped():
		return "permission_denied ACCOUNT_NOT_ALLOWED"
	}
	return passed
}

// shown is how the golden file writes an outcome.
var shown = map[string]string{
	passed:                                   "yes",
	"unimplemented UNKNOWN_METHOD":           "-",
	"unauthenticated CREDENTIAL_REQUIRED":    "who?",
	"unauthenticated CREDENTIAL_INVALID":     "invalid",
	"unauthenticated CREDENTIAL_EXPIRED":     "expired",
	"unauthenticated CREDENTIAL_REVOKED":     "revoked",
	"permission_denied ROLE_TOO_LOW":         "role",
	"permission_denied ACCOUNT_NOT_ALLOWED":  "account",
	"permission_denied IDENTITY_NOT_ALLOWED": "identity",
}

// TestEveryRPCLetsInWhomItsOptionNames calls every RPC of the schema as everybody, by every protocol. The message
// cannot be read, so whoever is let in learns that and changes nothing, and whoever is not never gets so far.
func TestEveryRPCLetsInWhomItsOptionNames(t *testing.T) {
	t.Parallel()
	p := start(t, newDatabase(t))
	everybody := p.everybody(t)
	before := p.stored(t)

	rows := [][]string{{"RPC"}}
	for _, who := range everybody {
		rows[0] = append(rows[0], who.name)
	}
	for _, m := range methods() {
		require.NotNil(t, m.access, m.procedure)
		row := []string{strings.TrimPrefix(m.procedure, "/trunkline.")}
		for _, who := range everybody {
			want := expected(m, who)
			row = append(row, shown[want])
			url := p.url
			if who.inner {
				url = p.inner
			}
			for _, c := range who.credentials {
				for by, name := range protocols {
					a := call(t, c.client, url, m, by, c.header, malformed[by])
					assert.Equal(t, want, a.outcome(), "%s as %s by %s over %s", m.procedure, who.name, c.name, name)
				}
			}
		}
		rows = append(rows, row)
	}
	require.Equal(t, before, p.stored(t), "nothing is changed by anybody")
	compare(t, filepath.Join("testdata", "matrix.golden"), columns(rows))
	t.Run("nobody connects to the internal listener without a certificate", p.requireCertificates)
}

// requireCertificates tries every internal RPC without a certificate, and with bad ones.
func (p *platform) requireCertificates(t *testing.T) {
	_, admin := p.key(t, access.NewAPIKey{Name: "admin", Role: caller.Admin})
	for name, client := range map[string]*http.Client{
		"none":                   p.plain,
		"expired":                p.ca.Client(t, p.ca.Expired(t, connectorID)),
		"not yet valid":          p.ca.Client(t, p.ca.NotYetValid(t, connectorID)),
		"of another authority":   p.ca.Client(t, newAuthority(t).Issue(t, connectorID)),
		"of another, same names": p.ca.Client(t, newAuthority(t).Issue(t, connectorID, engineID)),
	} {
		for _, m := range methods() {
			if m.access.GetAudience() != optionsv1.Audience_AUDIENCE_INTERNAL {
				continue
			}
			_, err := try(context.Background(), client, p.inner, m, connectJSON, bearer(admin), []byte("{}"))
			require.Error(t, err, "%s with a certificate %s", m.procedure, name)
		}
	}
}

// TestTheMatrixKnowsEveryServiceFile makes sure that no service of the schema is left out because nothing links it in.
func TestTheMatrixKnowsEveryServiceFile(t *testing.T) {
	const root = "../../../proto"
	linked := map[string]bool{}
	for _, m := range methods() {
		linked[m.schema.ParentFile().Path()] = true
	}
	files, err := filepath.Glob(root + "/trunkline/*/v1/*_service.proto")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		path, err := filepath.Rel(root, file)
		require.NoError(t, err)
		require.True(t, linked[path], "%s is served by nothing that this package starts", path)
	}
}

// compare compares a text with a file, or writes it.
func compare(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text, "%s is out of date; if the change is meant, run the test with -update", path)
}

// columns writes rows as a table.
func columns(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	var out strings.Builder
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += fmt.Sprintf("%-*s  ", widths[i], cell)
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}
