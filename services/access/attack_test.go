package access

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var tenant = uuid.MustParse("6f1d3c5e-8b6a-4c0e-9d55-2f7a1b3c4d5e")

func pepper(t testing.TB, of string) Pepper {
	t.Helper()
	p, err := NewPepper(secret.New(strings.Repeat(of, MinPepper)))
	require.NoError(t, err)
	return p
}

// frozen finds keys in a set at noon.
type frozen struct{ *KeySet }

func (f frozen) Find(text string) (caller.Caller, error) { return f.KeySet.Find(text, noon) }

// town has keys in every state and an authenticator that knows them.
type town struct {
	*Authenticator
	good, other, former, revoked, revokedAhead, expired, dead, foreign, relabelled string
	goodMAC                                                                        MAC
	goodID                                                                         uuid.UUID
}

func newTown(t testing.TB) *town {
	current, former, lost := pepper(t, "c"), pepper(t, "f"), pepper(t, "l")
	w := &town{}
	var records []KeyRecord
	add := func(text *string, p Pepper, change func(*KeyRecord)) {
		key, id := NewKey()
		*text = key.Reveal()
		r := KeyRecord{KeyID: id, Account: tenant, Role: caller.Operator, PepperID: p.ID(), MAC: key.MAC(p), ExpiresAt: noon.Add(time.Second)}
		if change != nil {
			change(&r)
		}
		records = append(records, r)
	}
	add(&w.good, current, func(r *KeyRecord) { w.goodMAC, w.goodID = r.MAC, r.KeyID })
	add(&w.other, current, func(r *KeyRecord) { r.ExpiresAt = time.Time{} })
	add(&w.former, former, nil)
	add(&w.revoked, current, func(r *KeyRecord) { r.RevokedAt = noon.Add(-time.Hour) })
	add(&w.revokedAhead, current, func(r *KeyRecord) { r.RevokedAt = noon.Add(time.Minute) })
	add(&w.expired, current, func(r *KeyRecord) { r.ExpiresAt = noon })
	add(&w.dead, current, func(r *KeyRecord) { r.RevokedAt, r.ExpiresAt = noon.Add(-time.Hour), noon.Add(-time.Hour) })
	add(&w.foreign, lost, nil)
	add(&w.relabelled, lost, func(r *KeyRecord) { r.PepperID = current.ID() })
	set := NewKeySet(records, current, former)
	require.Equal(t, 1, set.OfUnknownPepper())
	require.Equal(t, len(records)-1, set.Len())
	w.Authenticator = NewAuthenticator(frozen{set}, nil)
	return w
}

func bearer(text string) http.Header { return http.Header{"Authorization": {"Bearer " + text}} }

// resum gives the text the checksum that fits.
func resum(text string) string { return string(appendSum([]byte(text[:sumAt]), []byte(text[:sumAt]))) }

// flip changes one character to another of base 62.
func flip(text string, at int) string {
	c := byte('0')
	if text[at] == c {
		c = '1'
	}
	return text[:at] + string(c) + text[at+1:]
}

var rules = ClaimRules{Role: "realm_access.roles", Scope: "scope", Account: "tenant.id"}

// claims are those of an operator of the tenant, with one changed.
func claims(name string, value any) map[string]any {
	all := map[string]any{
		"sub":          "alice",
		"realm_access": map[string]any{"roles": []any{"operator"}},
		"tenant":       map[string]any{"id": tenant.String()},
	}
	all[name] = value
	return all
}

func roles(value any) map[string]any {
	return claims("realm_access", map[string]any{"roles": value})
}

func account(value any) map[string]any { return claims("tenant", map[string]any{"id": value}) }

// scopes are the only source of a role.
func scopes(value any) map[string]any {
	all := claims("scope", value)
	delete(all, "realm_access")
	return all
}

// noRole is what an attack gets that passes as a caller who may do nothing.
const noRole = "no role"

// attack is one thing to try: headers, or claims of a token whose signature is right.
type attack struct {
	name   string
	show   func(w *town) http.Header
	claims map[string]any
	want   string
}

var attacks = []attack{
	// Keys.
	{name: "a key with one character of the id changed", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(flip(w.good, idAt)) }},
	{name: "a key with one character of the secret changed", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(flip(w.good, secretAt+7)) }},
	{name: "a key with one character of the checksum changed", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(flip(w.good, sumAt)) }},
	{name: "a key with the secret changed and the checksum made to fit", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(resum(flip(w.good, secretAt))) }},
	{name: "a key with the last character of the secret changed and the checksum made to fit", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(resum(flip(w.good, sumAt-1))) }},
	{name: "the id of one key with the secret of another", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(resum(w.good[:secretAt] + w.other[secretAt:])) }},
	{name: "a well-formed key that nobody issued", want: ReasonInvalid, show: func(*town) http.Header { k, _ := NewKey(); return bearer(k.Reveal()) }},
	{name: "a key of zeros with a fitting checksum", want: ReasonInvalid, show: func(*town) http.Header {
		return bearer(resum(KeyPrefix + strings.Repeat("0", KeyLength-len(KeyPrefix))))
	}},
	{name: "a key whose id is more than 128 bits", want: ReasonInvalid, show: func(w *town) http.Header {
		return bearer(resum(KeyPrefix + strings.Repeat("z", idDigits) + w.good[secretAt:]))
	}},
	{name: "the stored code of a key instead of its secret", want: ReasonInvalid, show: func(w *town) http.Header {
		return bearer(resum(w.good[:secretAt] + string(appendBase62(nil, w.goodMAC[:], secretDigits)) + w.good[sumAt:]))
	}},
	{name: "the stored code of a key in hexadecimal", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(KeyPrefix + hex.EncodeToString(w.goodMAC[:])) }},
	{name: "the id of a key alone", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.goodID.String()) }},
	{name: "the name that the audit log shows", want: ReasonInvalid, show: func(w *town) http.Header { return bearer("key:" + w.goodID.String()) }},
	{name: "a key without its last character", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.good[:KeyLength-1]) }},
	{name: "a key without its checksum", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.good[:sumAt]) }},
	{name: "the prefix of keys alone", want: ReasonInvalid, show: func(*town) http.Header { return bearer(KeyPrefix) }},
	{name: "a key without its prefix", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.good[idAt:]) }},
	{name: "a key with one more character", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.good + "0") }},
	{name: "a key twice in a row", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.good + w.good) }},
	{name: "a key with padding behind it", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.good + "==") }},
	{name: "a key with its prefix in capitals", want: ReasonInvalid, show: func(w *town) http.Header { return bearer("TL_" + w.good[idAt:]) }},
	{name: "a key in capitals", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(KeyPrefix + strings.ToUpper(w.good[idAt:])) }},
	{name: "a key with a look-alike letter of another alphabet", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(KeyPrefix + "а" + w.good[idAt+1:]) }},
	{name: "a key with a full-width digit", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(KeyPrefix + "０" + w.good[idAt+1:]) }},
	{name: "a key behind a byte order mark", want: ReasonInvalid, show: func(w *town) http.Header { return bearer("\ufeff" + w.good) }},
	{name: "a key with a zero-width space at its end", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.good + "\u200b") }},
	{name: "a key in quotes", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(`"` + w.good + `"`) }},
	{name: "a key in percent-encoding", want: ReasonInvalid, show: func(w *town) http.Header { return bearer("%74l_" + w.good[idAt:]) }},
	{name: "a key in base64", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(base64.StdEncoding.EncodeToString([]byte(w.good))) }},
	{name: "a key with a blank behind it", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.good + " ") }},
	{name: "a key with a blank within", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.good[:40] + " " + w.good[40:]) }},
	{name: "a key with a line break behind it", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.good + "\r\n") }},
	{name: "a key with a NUL behind it", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.good + "\x00") }},
	{name: "a key that is an SQL condition", want: ReasonInvalid, show: func(*town) http.Header { return bearer("tl_'OR'1'='1") }},
	{name: "a key that is a path", want: ReasonInvalid, show: func(*town) http.Header { return bearer("tl_../../../../etc/passwd") }},
	{name: "a key of a pepper that is not configured", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.foreign) }},
	{name: "a key whose row names another pepper than its code was made with", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.relabelled) }},
	{name: "a revoked key", want: ReasonRevoked, show: func(w *town) http.Header { return bearer(w.revoked) }},
	{name: "a key revoked by a process whose clock is ahead", want: ReasonRevoked, show: func(w *town) http.Header { return bearer(w.revokedAhead) }},
	{name: "a key that is both revoked and expired", want: ReasonRevoked, show: func(w *town) http.Header { return bearer(w.dead) }},
	{name: "a revoked key with a wrong secret", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(resum(flip(w.revoked, secretAt))) }},
	{name: "a key in the very second of its end", want: ReasonExpired, show: func(w *town) http.Header { return bearer(w.expired) }},
	{name: "an expired key with a wrong secret", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(resum(flip(w.expired, secretAt))) }},

	// Places.
	{name: "no header at all", want: ReasonRequired, show: func(*town) http.Header { return nil }},
	{name: "a key in the query of the address", want: ReasonRequired, show: func(w *town) http.Header {
		return httptest.NewRequest(http.MethodGet, "/?access_token="+w.good+"&x-api-key="+w.good, nil).Header
	}},
	{name: "a key in the user part of the address", want: ReasonRequired, show: func(w *town) http.Header {
		return httptest.NewRequest(http.MethodGet, "https://"+w.good+"@trunkline.example/", nil).Header
	}},
	{name: "a key in a cookie", want: ReasonRequired, show: func(w *town) http.Header { return http.Header{"Cookie": {"authorization=" + w.good}} }},
	{name: "a key in Proxy-Authorization", want: ReasonRequired, show: func(w *town) http.Header { return http.Header{"Proxy-Authorization": {"Bearer " + w.good}} }},
	{name: "two Authorization headers with the same key", want: ReasonInvalid, show: func(w *town) http.Header {
		return http.Header{"Authorization": {"Bearer " + w.good, "Bearer " + w.good}}
	}},
	{name: "a good key behind a bad one", want: ReasonInvalid, show: func(w *town) http.Header {
		return http.Header{"Authorization": {"Bearer tl_0", "Bearer " + w.good}}
	}},
	{name: "two keys in one header", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(w.good + ", Bearer " + w.other) }},
	{name: "x-api-key twice", want: ReasonInvalid, show: func(w *town) http.Header { return http.Header{"X-Api-Key": {w.good, w.good}} }},
	{name: "a key in both headers", want: ReasonInvalid, show: func(w *town) http.Header {
		return http.Header{"Authorization": {"Bearer " + w.good}, "X-Api-Key": {w.good}}
	}},
	{name: "a good key beside an empty Authorization header", want: ReasonInvalid, show: func(w *town) http.Header {
		return http.Header{"Authorization": {""}, "X-Api-Key": {w.good}}
	}},
	{name: "an empty Authorization header", want: ReasonInvalid, show: func(*town) http.Header { return http.Header{"Authorization": {""}} }},
	{name: "an empty x-api-key header", want: ReasonInvalid, show: func(*town) http.Header { return http.Header{"X-Api-Key": {""}} }},
	{name: "the word Bearer alone", want: ReasonInvalid, show: func(*town) http.Header { return http.Header{"Authorization": {"Bearer"}} }},
	{name: "Bearer and a blank", want: ReasonInvalid, show: func(*town) http.Header { return bearer("") }},
	{name: "Bearer and padding alone", want: ReasonInvalid, show: func(*town) http.Header { return bearer("====") }},
	{name: "Bearer and two blanks before a key", want: ReasonInvalid, show: func(w *town) http.Header { return bearer(" " + w.good) }},
	{name: "Bearer and a tab before a key", want: ReasonInvalid, show: func(w *town) http.Header { return http.Header{"Authorization": {"Bearer\t" + w.good}} }},
	{name: "a key without a scheme", want: ReasonInvalid, show: func(w *town) http.Header { return http.Header{"Authorization": {w.good}} }},
	{name: "a key as the password of Basic", want: ReasonInvalid, show: func(w *town) http.Header {
		return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+w.good))}}
	}},
	{name: "a key under the scheme Digest", want: ReasonInvalid, show: func(w *town) http.Header { return http.Header{"Authorization": {"Digest " + w.good}} }},
	{name: "a scheme with a look-alike letter", want: ReasonInvalid, show: func(w *town) http.Header { return http.Header{"Authorization": {"Вearer " + w.good}} }},
	{name: "a scheme that folds to Bearer in Unicode only", want: ReasonInvalid, show: func(w *town) http.Header { return http.Header{"Authorization": {"Beaɾer " + w.good}} }},
	{name: "x-api-key with a scheme", want: ReasonInvalid, show: func(w *town) http.Header { return http.Header{"X-Api-Key": {"Bearer " + w.good}} }},
	{name: "a token in x-api-key", want: ReasonInvalid, show: func(*town) http.Header { return http.Header{"X-Api-Key": {"eyJhbGciOiJub25lIn0.e30."}} }},
	{name: "a token where only keys are accepted", want: ReasonInvalid, show: func(*town) http.Header { return bearer("eyJhbGciOiJub25lIn0.e30.") }},
	{name: "a credential of more than 8 KiB", want: ReasonInvalid, show: func(*town) http.Header { return bearer(strings.Repeat("a", MaxCredential+1)) }},

	// Claims.
	{name: "a token without a subject", want: ReasonInvalid, claims: map[string]any{"realm_access": map[string]any{"roles": "admin"}}},
	{name: "an empty subject", want: ReasonInvalid, claims: claims("sub", "")},
	{name: "a subject that is a number", want: ReasonInvalid, claims: claims("sub", 1.0)},
	{name: "a subject that is a list", want: ReasonInvalid, claims: claims("sub", []any{"alice"})},
	{name: "a subject of 257 characters", want: ReasonInvalid, claims: claims("sub", strings.Repeat("ü", 257))},
	{name: "a subject with a line break, to write a line of its own into logs", want: ReasonInvalid, claims: claims("sub", "alice\nlevel=info")},
	{name: "a subject with a NUL", want: ReasonInvalid, claims: claims("sub", "alice\x00")},
	{name: "a subject with a right-to-left override", want: ReasonInvalid, claims: claims("sub", "alice\u202ebob")},
	{name: "a subject with a zero-width space", want: ReasonInvalid, claims: claims("sub", "alice\u200b")},
	{name: "a subject with broken UTF-8", want: ReasonInvalid, claims: claims("sub", "alice\xff")},
	{name: "a role that is a number", want: ReasonInvalid, claims: roles(3.0)},
	{name: "a role that is true", want: ReasonInvalid, claims: roles(true)},
	{name: "a role that is null", want: ReasonInvalid, claims: roles(nil)},
	{name: "a role that is an object", want: ReasonInvalid, claims: roles(map[string]any{"admin": true})},
	{name: "a list of roles with a number", want: ReasonInvalid, claims: roles([]any{"admin", 1.0})},
	{name: "a role in place of the object that holds roles", want: ReasonInvalid, claims: claims("realm_access", "admin")},
	{name: "a role that nobody knows", want: noRole, claims: roles("root")},
	{name: "a role in capitals", want: noRole, claims: roles("ADMIN")},
	{name: "a role with a blank", want: noRole, claims: roles("admin ")},
	{name: "two roles in one text", want: noRole, claims: roles("viewer admin")},
	{name: "the role none", want: noRole, claims: roles("none")},
	{name: "an empty list of roles", want: noRole, claims: roles([]any{})},
	{name: "a role in a claim that is not configured", want: noRole, claims: func() map[string]any {
		all := claims("roles", "admin")
		delete(all, "realm_access")
		return all
	}()},
	{name: "a scope that only starts like a known one", want: noRole, claims: scopes("ops:admin2 ops:reader")},
	{name: "a scope in capitals", want: noRole, claims: scopes("OPS:ADMIN")},
	{name: "scopes separated by commas", want: noRole, claims: scopes("ops:admin,ops:read")},
	{name: "a role word as a scope", want: noRole, claims: scopes("admin")},
	{name: "a scope that is a number", want: ReasonInvalid, claims: scopes(1.0)},
	{name: "an account that is no UUID", want: ReasonInvalid, claims: account("everyone")},
	{name: "an account that is null, to be bound to none", want: ReasonInvalid, claims: account(nil)},
	{name: "an empty account, to be bound to none", want: ReasonInvalid, claims: account("")},
	{name: "an account of zeros, to be bound to none", want: ReasonInvalid, claims: account(uuid.Nil.String())},
	{name: "an account that is a list of one", want: ReasonInvalid, claims: account([]any{tenant.String()})},
	{name: "an account that is a number", want: ReasonInvalid, claims: account(0.0)},
	{name: "an account that is an object", want: ReasonInvalid, claims: account(map[string]any{"id": tenant.String()})},
	{name: "an account in braces", want: ReasonInvalid, claims: account("{" + tenant.String() + "}")},
	{name: "an account as a URN", want: ReasonInvalid, claims: account("urn:uuid:" + tenant.String())},
	{name: "an account without dashes", want: ReasonInvalid, claims: account(strings.ReplaceAll(tenant.String(), "-", ""))},
	{name: "an account with a blank", want: ReasonInvalid, claims: account(tenant.String() + " ")},
	{name: "a text in place of the object that holds the account", want: ReasonInvalid, claims: claims("tenant", tenant.String())},
	{name: "null in place of the object that holds the account", want: ReasonInvalid, claims: claims("tenant", nil)},
}

func TestAttacks(t *testing.T) {
	w := newTown(t)
	names := map[string]bool{}
	for _, a := range attacks {
		require.False(t, names[a.name], a.name)
		names[a.name] = true
		t.Run(a.name, func(t *testing.T) {
			var who caller.Caller
			var err error
			if a.claims != nil {
				who, err = rules.Caller(a.claims)
			} else {
				who, err = w.Authenticate(t.Context(), a.show(w))
			}
			if a.want == noRole {
				require.NoError(t, err)
				require.Equal(t, caller.None, who.Role)
				return
			}
			require.Error(t, err)
			f := fault.From(err)
			require.Equal(t, fault.Unauthenticated, f.Kind)
			require.Equal(t, a.want, f.Reason)
			if a.want == ReasonRevoked || a.want == ReasonExpired {
				require.True(t, strings.HasPrefix(who.Name, "key:") || who.Name == "", "the audit log hears whose key it was")
			} else {
				require.Empty(t, who.Name)
			}
			require.Equal(t, caller.Caller{Name: who.Name}, who, "it may do nothing")
			for _, text := range []string{w.good, w.other, w.revoked, "alice", tenant.String()} {
				require.NotContains(t, err.Error(), text, "a refusal repeats nothing")
			}
		})
	}
}

func TestWhatAttacksStartFromIsGood(t *testing.T) {
	w := newTown(t)
	for name, header := range map[string]http.Header{
		"a key":                         bearer(w.good),
		"a key without an end":          bearer(w.other),
		"a key of the former pepper":    bearer(w.former),
		"a key in x-api-key":            {"X-Api-Key": {w.good}},
		"a scheme in other letters":     {"Authorization": {"bEARER " + w.good}},
		"other headers of no concern":   {"Authorization": {"Bearer " + w.good}, "X-Account-Id": {uuid.NewString()}, "Cookie": {"a=b"}},
		"a key by a name as HTTP/2 has": func() http.Header { h := http.Header{}; h.Set("x-api-key", w.good); return h }(),
	} {
		t.Run(name, func(t *testing.T) {
			who, err := w.Authenticate(t.Context(), header)
			require.NoError(t, err)
			require.Equal(t, caller.Key, who.Kind)
			require.Equal(t, caller.Operator, who.Role)
			require.Equal(t, tenant, who.Account)
			require.Regexp(t, `^key:[0-9a-f-]{36}$`, who.Name)
		})
	}
	who, err := rules.Caller(claims("x", nil))
	require.NoError(t, err)
	require.Equal(t, caller.Caller{Name: "jwt@" + tenant.String() + ":alice", Kind: caller.Token, Role: caller.Operator, Account: tenant}, who)
}
