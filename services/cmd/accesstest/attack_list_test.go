package accesstest

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const listKeys = "access.v1.ApiKeyService/ListApiKeys"

// pageToken asks for one key and gives the token of the next page.
func (w *town) pageToken(t *testing.T, body object) string {
	t.Helper()
	body["pageSize"] = 1
	a := w.call(t, w.admin, listKeys, body)
	require.Equal(t, "ok", a.outcome())
	var page struct{ NextPageToken string }
	require.NoError(t, json.Unmarshal(a.body, &page))
	require.NotEmpty(t, page.NextPageToken)
	return page.NextPageToken
}

// goesOn asks for the page of a token that somebody tampered with.
func goesOn(change func(token string) string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		return w.call(t, w.admin, listKeys, object{"pageToken": change(w.pageToken(t, object{}))}).outcome()
	}
}

// made is a token of a position that nobody gave out, with no right checksum.
func made(position string) func(string) string {
	return func(string) string { return b64(append([]byte("12345678"), position...)) }
}

const badToken = "invalid_argument INVALID_PAGE_TOKEN"

var pageTokens = []attack{
	{"a page token with another filter", func(t *testing.T, w *town) string {
		return w.call(t, w.admin, listKeys, object{"pageToken": w.pageToken(t, object{}), "showEnded": true}).outcome()
	}, badToken},
	{"a page token of an account with that of another", func(t *testing.T, w *town) string {
		token := w.pageToken(t, object{"accountId": w.a.ID.String()})
		return w.call(t, w.admin, listKeys, object{"pageToken": token, "accountId": w.b.ID.String()}).outcome()
	}, badToken},
	{"a page token of another RPC", func(t *testing.T, w *town) string {
		return w.call(t, w.admin, "access.v1.AccountService/ListAccounts", object{"pageToken": w.pageToken(t, object{})}).outcome()
	}, badToken},
	{"a page token of another service", func(t *testing.T, w *town) string {
		return w.call(t, w.admin, listOperators, object{"pageToken": w.pageToken(t, object{})}).outcome()
	}, badToken},
	{"a page token of somebody who sees everything, shown by an account", func(t *testing.T, w *town) string {
		token := w.pageToken(t, object{})
		a := w.call(t, w.ofA, listKeys, object{"pageToken": token})
		assert.NotContains(t, strings.ToLower(a.told), "neighbour")
		assert.NotContains(t, a.told, w.b.ID.String())
		return a.outcome()
	}, "ok"},
	{"a page token without its last character", goesOn(func(token string) string { return without(token, 1) }), badToken},
	{"half a page token", goesOn(func(token string) string { return token[:len(token)/2] }), badToken},
	{"a page token with its first character changed", goesOn(func(token string) string { return flip(token, 0) }), badToken},
	{"a page token with its middle changed", goesOn(func(token string) string { return flip(token, len(token)/2) }), badToken},
	{"a page token with padding", goesOn(func(token string) string { return token + "=" }), badToken},
	{"a page token with a line break, which means the same", goesOn(func(token string) string { return token[:8] + "\n" + token[8:] }), "ok"},
	{"a page token twice in a row", goesOn(func(token string) string { return token + token }), badToken},
	{"a page token of the other base64 alphabet", goesOn(func(string) string { return base64.StdEncoding.EncodeToString([]byte("\xfb\xff12345678[]")) }), badToken},
	{"a page token that is huge", goesOn(func(string) string { return repeat("A", 1025) }), "invalid_argument VALIDATION_FAILED"},
	{"a page token of the largest size", goesOn(func(string) string { return repeat("A", 1024) }), badToken},
	{"a page token of a megabyte", goesOn(func(string) string { return repeat("A", 2<<20) }), "resource_exhausted MESSAGE_TOO_LARGE"},
	{"a page token with a position made by hand", goesOn(made(`["2030-01-01T00:00:00Z","00000000-0000-0000-0000-000000000000"]`)), badToken},
	{"a page token with SQL in it", goesOn(made(`["' OR 1=1 --","x"]`)), badToken},
	{"a page token with null in it", goesOn(made("null")), badToken},
	{"a page token that is SQL", goesOn(func(string) string { return "' OR 1=1 --" }), badToken},
	{"a page token that is a number", goesOn(func(string) string { return "100" }), badToken},
	{"a page token with a NUL character", goesOn(func(string) string { return "AAAA\x00AAAA" }), badToken},
	{"a page size below nothing", func(t *testing.T, w *town) string {
		return w.call(t, w.admin, listKeys, object{"pageSize": -1}).outcome()
	}, "invalid_argument VALIDATION_FAILED"},
	{"a page size that is too large", func(t *testing.T, w *town) string {
		return w.call(t, w.admin, listKeys, object{"pageSize": 1_000_000}).outcome()
	}, "invalid_argument VALIDATION_FAILED"},
	{"a page size beyond its type", func(t *testing.T, w *town) string {
		return w.call(t, w.admin, listKeys, `{"pageSize":1e400}`).outcome()
	}, "invalid_argument MALFORMED_MESSAGE"},
	{"a search for a pattern of SQL", func(t *testing.T, w *town) string {
		a := w.call(t, w.admin, "access.v1.AccountService/ListAccounts", object{"search": "%"})
		return string(a.body)
	}, "{}"},
	{"a search that ends the text of SQL", func(t *testing.T, w *town) string {
		a := w.call(t, w.admin, listOperators, object{"search": "'; DROP TABLE ops_routing.operators; --"})
		assert.NotContains(t, string(a.body), "Nord")
		return a.outcome()
	}, "ok"},
}

// requireNoForeignTokens asks every list of the schema for the page of a token that it did not give out.
func (w *town) requireNoForeignTokens(t *testing.T) {
	lists := 0
	for _, m := range methods() {
		if m.schema.Input().Fields().ByName("page_token") == nil {
			continue
		}
		lists++
		for _, token := range []string{"garbage", b64([]byte("12345678[\"x\"]")), w.pageToken(t, object{"accountId": w.b.ID.String()})} {
			a := call(t, w.plain, w.url, m, connectJSON, w.admin, marshal(object{"pageToken": token}))
			assert.Equal(t, badToken, a.outcome(), "%s: %s", m.procedure, a.told)
		}
	}
	require.Greater(t, lists, 5)
}
