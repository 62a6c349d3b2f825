package accesstest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// preflight asks as a browser does before it calls for a page, and tells whether the page may.
func preflight(origin, method, headers string, more ...string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		lines := append([]string{"Access-Control-Request-Method: " + method, "Access-Control-Request-Headers: " + headers}, more...)
		if origin != "" {
			lines = append(lines, "Origin: "+origin)
		}
		res, _ := w.web(t, http.MethodOptions, path(createAccount), "", lines...)
		assert.Empty(t, res.Header.Get("Access-Control-Allow-Credentials"))
		assert.NotEqual(t, "*", res.Header.Get("Access-Control-Allow-Origin"))
		if res.Header.Get("Access-Control-Allow-Origin") != "" {
			return "allowed"
		}
		return "not allowed"
	}
}

// fromPage makes a change for a page, with the credential of an admin.
func fromPage(contentType, body string, headers ...string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		res, _ := w.web(t, http.MethodPost, path(createAccount), body, append(headers, contentType, w.keyLine())...)
		for _, h := range headers {
			if origin, ok := strings.CutPrefix(h, "Origin: "); ok && origin != console {
				assert.NotEqual(t, origin, res.Header.Get("Access-Control-Allow-Origin"))
			}
		}
		return w.status(t, http.MethodPost, path(createAccount), body, append(headers, contentType, w.keyLine())...)
	}
}

// framedFromPage makes a change for a page of another origin by a protocol that frames its messages.
func framedFromPage(procedure string, by protocol) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		header := w.admin.Clone()
		header.Set("Origin", "https://evil.example")
		header.Set("Sec-Fetch-Site", "cross-site")
		return call(t, w.plain, w.url, methodOf(t, path(procedure)), by, header, nil).outcome()
	}
}

// get makes a change by HTTP GET.
func get(query string, headers ...string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		return w.status(t, http.MethodGet, path(createAccount)+query, "", append(headers, w.keyLine())...)
	}
}

const (
	usual   = "authorization,connect-protocol-version,content-type"
	foreign = "Origin: https://evil.example"
	cross   = "Sec-Fetch-Site: cross-site"
	away    = "403 ORIGIN_NOT_ALLOWED"
	noType  = "415 UNSUPPORTED_CONTENT_TYPE"
	notGET  = "405 METHOD_NOT_ALLOWED"
)

// frames of an empty message, and of the change.
const emptyFrame = "\x00\x00\x00\x00\x00"

var asQuery = "?connect=v1&encoding=json&message=" + url.QueryEscape(evil)

var crossOrigin = []attack{
	{"a preflight of another origin", preflight("https://evil.example", "POST", usual), "not allowed"},
	{"a preflight without origin", preflight("", "POST", usual), "not allowed"},
	{"a preflight of the origin null", preflight("null", "POST", usual), "not allowed"},
	{"a preflight of the origin star", preflight("*", "POST", usual), "not allowed"},
	{"a preflight of an allowed origin without TLS", preflight("http://console.example.org", "POST", usual), "not allowed"},
	{"a preflight of an allowed origin on another port", preflight(console+":8443", "POST", usual), "not allowed"},
	{"a preflight of a name below an allowed one", preflight("https://x.console.example.org", "POST", usual), "not allowed"},
	{"a preflight of an origin that begins as an allowed one", preflight(console+".evil.example", "POST", usual), "not allowed"},
	{"a preflight of an origin that ends as an allowed one", preflight("https://evilconsole.example.org", "POST", usual), "not allowed"},
	{"a preflight of an allowed origin behind a user name", preflight("https://console.example.org@evil.example", "POST", usual), "not allowed"},
	{"a preflight of an allowed origin with a path", preflight(console+"/evil", "POST", usual), "not allowed"},
	{"a preflight of an allowed origin and another", preflight(console+" https://evil.example", "POST", usual), "not allowed"},
	{"a preflight for another method", preflight(console, "DELETE", usual), "not allowed"},
	{"a preflight for a header that no call has", preflight(console, "POST", "cookie"), "not allowed"},
	{"a preflight for every header", preflight(console, "POST", "*"), "not allowed"},
	{"a preflight for the local network", preflight("https://evil.example", "POST", usual, "Access-Control-Request-Private-Network: true"), "not allowed"},

	{"a form of another origin as text", fromPage("Content-Type: text/plain", evil, foreign, cross), away},
	{"a form of another origin as a form", fromPage("Content-Type: application/x-www-form-urlencoded", evil, foreign, cross), away},
	{"a form of another origin in parts", fromPage("Content-Type: multipart/form-data; boundary=x", evil, foreign, cross), away},
	{"a form without origin as text", fromPage("Content-Type: text/plain", evil), noType},
	{"a form without origin as a form", fromPage("Content-Type: application/x-www-form-urlencoded", evil), noType},
	{"a form without origin in parts", fromPage("Content-Type: multipart/form-data; boundary=x", evil), noType},
	{"JSON called text that names JSON behind a semicolon", fromPage("Content-Type: text/plain; application/json", evil), noType},
	{"a message without a type", fromPage("X-Nothing: x", evil), noType},
	{"a JSON call of another origin", fromPage(asJSON, evil, foreign, cross), away},
	{"a JSON call of another origin in an old browser", fromPage(asJSON, evil, foreign), away},
	{"a JSON call of a page without origin", fromPage(asJSON, evil, "Origin: null", cross), away},
	{"a JSON call of another site without origin", fromPage(asJSON, evil, cross), away},
	{"a JSON call of the same site and another origin", fromPage(asJSON, evil, foreign, "Sec-Fetch-Site: same-site"), away},
	{"a JSON call of another origin that follows a link", fromPage(asJSON, evil, foreign, cross, "Sec-Fetch-Mode: navigate"), away},
	{"a JSON call of another origin that overrides the method", fromPage(asJSON, evil, foreign, cross, "X-HTTP-Method-Override: GET"), away},
	{"a gRPC-Web call of another origin", framedFromPage(createAccount, grpcWeb), "permission_denied ORIGIN_NOT_ALLOWED"},
	{"a gRPC call of another origin", framedFromPage(createAccount, grpc), "permission_denied ORIGIN_NOT_ALLOWED"},
	{"a gRPC-Web call in text of another origin", fromPage("Content-Type: application/grpc-web-text", emptyFrame, foreign, cross), away},
	{"a Connect stream of another origin", framedFromPage("operators.v1.OperatorService/ImportOperators", connectJSON), "permission_denied ORIGIN_NOT_ALLOWED"},
	{"a binary call of another origin", fromPage("Content-Type: application/proto", "x", foreign, cross), away},
	{"a change by GET", get(asQuery), notGET},
	{"a change by GET of another origin", get(asQuery, foreign, cross), notGET},
	{"a change by GET that overrides the method", get(asQuery, "X-HTTP-Method-Override: POST"), notGET},
	{"a change by HEAD", func(t *testing.T, w *town) string {
		res, _ := w.web(t, http.MethodHead, path(createAccount)+asQuery, "", w.keyLine())
		return res.Status
	}, "405 Method Not Allowed"},
}

// inURL shows the key of an admin, SECRET, in the URL.
func inURL(target string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		return w.status(t, http.MethodPost, strings.ReplaceAll(target, "SECRET", w.adminText), evil, asJSON)
	}
}

// shows makes a change with these headers; KEY is that of an admin and TOKEN a token of one.
func shows(headers ...string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		token := w.issuer.token(object{"roles": []string{"admin"}})
		lines := []string{asJSON}
		for _, h := range headers {
			lines = append(lines, strings.NewReplacer("KEY", w.adminText, "TOKEN", token).Replace(h))
		}
		return w.status(t, http.MethodPost, path(createAccount), evil, lines...)
	}
}

const (
	inTheURL = "400 CREDENTIAL_IN_URL"
	required = "401 CREDENTIAL_REQUIRED"
	invalid  = "401 CREDENTIAL_INVALID"
)

var misplaced = []attack{
	{"a key in the query as access_token", inURL(path(createAccount) + "?access_token=SECRET"), inTheURL},
	{"a key in the query as api_key", inURL(path(createAccount) + "?api_key=SECRET"), inTheURL},
	{"a key in the query as apikey", inURL(path(createAccount) + "?apikey=SECRET"), inTheURL},
	{"a key in the query as x-api-key", inURL(path(createAccount) + "?x-api-key=SECRET"), inTheURL},
	{"a key in the query as Authorization", inURL(path(createAccount) + "?Authorization=Bearer%20SECRET"), inTheURL},
	{"a key in the query in capitals", inURL(path(createAccount) + "?API_KEY=SECRET"), inTheURL},
	{"a key in the query under an escaped name", inURL(path(createAccount) + "?%61pi_key=SECRET"), inTheURL},
	{"a key in the query behind another parameter", inURL(path(createAccount) + "?x=1&api_key=SECRET"), inTheURL},
	{"a key in the query behind a semicolon", inURL(path(createAccount) + "?x=1;api_key=SECRET"), inTheURL},
	{"a key in the query of a page", func(t *testing.T, w *town) string {
		return w.status(t, http.MethodGet, "/metrics?api_key="+w.adminText, "")
	}, inTheURL},
	{"a key in the query of nothing", inURL("/nothing?api_key=SECRET"), inTheURL},
	{"a key as the user of the URL", inURL("https://SECRET@127.0.0.1" + path(createAccount)), required},
	{"a key in a query parameter of another name", inURL(path(createAccount) + "?key=SECRET"), required},
	{"a key in the path", inURL(path(createAccount) + "/SECRET"), "404 UNKNOWN_METHOD"},
	{"a key in a cookie", shows("Cookie: authorization=Bearer KEY; x-api-key=KEY; session=KEY"), required},
	{"a key for a proxy", shows("Proxy-Authorization: Bearer KEY"), required},
	{"a key in a header of another name", shows("X-Auth-Token: KEY", "Api-Key: KEY", "X-Forwarded-Authorization: Bearer KEY"), required},
	{"a key in a header of binary metadata", shows("Authorization-Bin: KEY", "X-Api-Key-Bin: KEY"), required},
	{"a name in a header that proxies set", shows("X-Forwarded-User: admin", "X-Remote-User: admin", "Remote-User: admin"), required},
	{"a certificate in a header that proxies set", shows("X-Forwarded-Client-Cert: URI="+connectorID, "X-Ssl-Client-Verify: SUCCESS", "Ssl-Client-Cert: x"), required},
	{"an address of this machine in a header that proxies set", shows("X-Forwarded-For: 127.0.0.1", "X-Real-Ip: 127.0.0.1", "Forwarded: for=127.0.0.1"), required},
	{"two keys", shows("X-Api-Key: KEY", "X-Api-Key: KEY"), invalid},
	{"two headers of authorization", shows("Authorization: Bearer KEY", "Authorization: Bearer KEY"), invalid},
	{"a key twice, in both headers", shows("Authorization: Bearer KEY", "X-Api-Key: KEY"), invalid},
	{"a token and a key", shows("Authorization: Bearer TOKEN", "X-Api-Key: KEY"), invalid},
	{"a good key and an empty one", shows("Authorization: Bearer KEY", "X-Api-Key:"), invalid},
	{"two keys in one header", shows("Authorization: Bearer KEY, Bearer KEY"), invalid},
	{"two keys with a comma", shows("X-Api-Key: KEY,KEY"), invalid},
	{"a key without a scheme", shows("Authorization: KEY"), invalid},
	{"a key as a password", shows("Authorization: Basic KEY"), invalid},
	{"a key with the scheme twice", shows("Authorization: Bearer Bearer KEY"), invalid},
	{"a token as a key", shows("X-Api-Key: TOKEN"), invalid},
}
