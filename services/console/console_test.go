package console_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"trunkline/services/console"
)

// policy is like the one of the server, in short.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'"

const index = `<!doctype html><meta property="csp-nonce" nonce="__NONCE__"><script type="module" nonce="__NONCE__" src="/console/assets/app-1a2b.js"></script>`

const script = "console.log('a script that is long enough to be worth compressing');"

func bundle() fstest.MapFS {
	of := func(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }
	return fstest.MapFS{
		".gitkeep":                of(""),
		".vite/manifest.json":     of("{}"),
		"index.html":              of(index),
		"index.html.gz":           of("packed page"),
		"scheme.js":               of("a"),
		"icon.svg":                of("<svg/>"),
		"assets/app-1a2b.js":      of(script),
		"assets/app-1a2b.js.br":   of("brotli"),
		"assets/app-1a2b.js.gz":   of("gzip"),
		"assets/app-1a2b.css":     of("body{}"),
		"assets/app-1a2b.css.br":  of("longer than the plain form"),
		"assets/lonely.gz":        of("no plain form"),
		"assets/font-1a2b.woff2":  of("font"),
		"assets/data-1a2b.qqq":    of("data"),
		"assets/deep/in-1a2b.js":  of("deep"),
		"assets/.hidden/in-1a.js": of("hidden"),
	}
}

func newConsole(t *testing.T, files fs.FS, s console.Settings) *console.Console {
	t.Helper()
	c, err := console.New(files, s, policy)
	require.NoError(t, err)
	return c
}

// ask sends a request; headers come as name and value.
func ask(h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", http.NoBody)
	r.URL.Path = path
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestWhatIsAnsweredWhere(t *testing.T) {
	c := newConsole(t, bundle(), console.Settings{})
	const page, missing = "page", "missing"
	for _, test := range []struct{ name, path, want string }{
		{"the console", "/console/", page},
		{"a screen", "/console/operators", page},
		{"one thing on a screen", "/console/operators/01890a5d-ac96-774b-bcce-b302099a8057", page},
		{"a place with a slash at its end", "/console/rules/", page},
		{"a place with a dot in the middle", "/console/a.b/c", page},
		{"a place with a plus", "/console/explorer/+447911", page},
		{"a name that looks like markup", "/console/<script>", page},
		{"a file with a hash", "/console/assets/app-1a2b.js", script},
		{"a file below a folder of assets", "/console/assets/deep/in-1a2b.js", "deep"},
		{"a file without a hash", "/console/icon.svg", "<svg/>"},
		{"a compressed file without a plain form", "/console/assets/lonely.gz", "no plain form"},
		{"an unknown asset", "/console/assets/app-ffff.js", missing},
		{"an unknown asset without an ending", "/console/assets/app", missing},
		{"the folder of assets", "/console/assets/", missing},
		{"an unknown file", "/console/favicon.ico", missing},
		{"the page by its file name", "/console/index.html", missing},
		{"a compressed form by its name", "/console/assets/app-1a2b.js.br", missing},
		{"what the build left for itself", "/console/.vite/manifest.json", missing},
		{"a hidden file", "/console/.gitkeep", missing},
		{"a hidden folder", "/console/assets/.hidden/in-1a.js", missing},
		{"a way up", "/console/../go.mod", missing},
		{"a way up through assets", "/console/assets/../index.html", missing},
		{"a way up with backslashes", `/console/..\..\go.mod`, missing},
		{"an absolute path", "/console//etc/hosts.txt", missing},
		{"a NUL", "/console/icon.svg\x00.png", missing},
		{"a path that is not below", "/elsewhere/icon.svg", missing},
		{"a path that begins alike", "/consoles/", missing},
		{"no path", "", missing},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := ask(c, http.MethodGet, test.path)
			switch test.want {
			case page:
				require.Equal(t, http.StatusOK, w.Code)
				require.Contains(t, w.Body.String(), `<meta property="csp-nonce"`)
			case missing:
				require.Equal(t, http.StatusNotFound, w.Code)
				require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
				require.Contains(t, w.Body.String(), "no such file")
				require.NotContains(t, w.Header().Get("Cache-Control"), "immutable")
			default:
				require.Equal(t, http.StatusOK, w.Code)
				require.Equal(t, test.want, w.Body.String())
			}
		})
	}
}

func TestAnAddressWithADotIsAPlaceForAPersonAndAFileForAPage(t *testing.T) {
	c := newConsole(t, bundle(), console.Settings{})
	const person, script = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "*/*"
	for _, test := range []struct {
		name, path, accept string
		want               int
	}{
		{"a person follows a link to an id with a dot", "/console/audit/jwt.alice", person, http.StatusOK},
		{"a person opens a place that looks like a file", "/console/rules/export.csv", person, http.StatusOK},
		{"a person types the name of the page", "/console/index.html", person, http.StatusOK},
		{"a person opens an asset of a former version", "/console/assets/app-ffff.js", person, http.StatusNotFound},
		{"a person opens an asset without an ending", "/console/assets/app", person, http.StatusNotFound},
		{"a person opens something outside", "/elsewhere/jwt.alice", person, http.StatusNotFound},
		{"a page asks for a script that is gone", "/console/old.js", script, http.StatusNotFound},
		{"a browser looks for an icon", "/console/favicon.ico", "image/avif,image/webp,*/*;q=0.8", http.StatusNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := ask(c, http.MethodGet, test.path, "Accept", test.accept)
			require.Equal(t, test.want, w.Code)
			require.Equal(t, test.want == http.StatusOK, strings.Contains(w.Body.String(), `<meta property="csp-nonce"`))
		})
	}
	// A cache must not give one what was meant for the other.
	require.Equal(t, "Accept", ask(c, http.MethodGet, "/console/old.js", "Accept", script).Header().Get("Vary"))
	require.Equal(t, "no-store", ask(c, http.MethodGet, "/console/old.js", "Accept", person).Header().Get("Cache-Control"))
}

func TestTypesAndCaches(t *testing.T) {
	c := newConsole(t, bundle(), console.Settings{})
	const forever, ask1 = "public, max-age=31536000, immutable", "no-cache"
	for path, want := range map[string][2]string{
		"/console/assets/app-1a2b.js":     {"text/javascript; charset=utf-8", forever},
		"/console/assets/app-1a2b.css":    {"text/css; charset=utf-8", forever},
		"/console/assets/font-1a2b.woff2": {"font/woff2", forever},
		"/console/assets/data-1a2b.qqq":   {"application/octet-stream", forever},
		"/console/icon.svg":               {"image/svg+xml", ask1},
		"/console/scheme.js":              {"text/javascript; charset=utf-8", ask1},
		"/console/settings.json":          {"application/json", ask1},
		"/console/":                       {"text/html; charset=utf-8", "no-store"},
	} {
		w := ask(c, http.MethodGet, path)
		require.Equal(t, want, [2]string{w.Header().Get("Content-Type"), w.Header().Get("Cache-Control")}, path)
	}
}

func TestTheBestFormThatTheBrowserTakes(t *testing.T) {
	c := newConsole(t, bundle(), console.Settings{})
	for _, test := range []struct{ name, accept, encoding string }{
		{"nothing named", "", ""},
		{"what browsers send", "gzip, deflate, br, zstd", "br"},
		{"gzip alone", "gzip", "gzip"},
		{"in capitals", "GZIP", "gzip"},
		{"with weights", "gzip;q=1.0, br;q=0.5", "br"},
		{"brotli refused", "br;q=0, gzip", "gzip"},
		{"brotli refused with spaces and digits", "br ; q=0.000 , gzip", "gzip"},
		{"a weight that is none", "br;q=x", ""},
		{"all refused", "br;q=0, gzip;q=0", ""},
		{"another name", "brx, xgzip", ""},
		{"identity", "identity", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := ask(c, http.MethodGet, "/console/assets/app-1a2b.js", "Accept-Encoding", test.accept)
			require.Equal(t, http.StatusOK, w.Code)
			require.Equal(t, test.encoding, w.Header().Get("Content-Encoding"))
			want := map[string]string{"": script, "br": "brotli", "gzip": "gzip"}[test.encoding]
			require.Equal(t, want, w.Body.String())
			require.Equal(t, "Accept-Encoding", w.Header().Get("Vary"))
			require.Equal(t, "text/javascript; charset=utf-8", w.Header().Get("Content-Type"))
		})
	}
	w := ask(c, http.MethodGet, "/console/assets/app-1a2b.js", "Accept-Encoding", "deflate", "Accept-Encoding", "br")
	require.Equal(t, "br", w.Header().Get("Content-Encoding"), "in a second header")
	w = ask(c, http.MethodGet, "/console/assets/app-1a2b.css", "Accept-Encoding", "br")
	require.Empty(t, w.Header().Get("Content-Encoding"), "a compressed form that is longer")
	w = ask(c, http.MethodGet, "/console/", "Accept-Encoding", "gzip")
	require.Empty(t, w.Header().Get("Content-Encoding"), "the page has a nonce of its own each time")
}

func TestAFileThatDidNotChangeIsNotSentAgain(t *testing.T) {
	c := newConsole(t, bundle(), console.Settings{})
	seen := map[string]bool{}
	for _, test := range []struct{ path, accept string }{
		{"/console/icon.svg", ""}, {"/console/scheme.js", ""}, {"/console/settings.json", ""},
		{"/console/assets/app-1a2b.js", ""}, {"/console/assets/app-1a2b.js", "br"}, {"/console/assets/app-1a2b.js", "gzip"},
	} {
		first := ask(c, http.MethodGet, test.path, "Accept-Encoding", test.accept)
		etag := first.Header().Get("Etag")
		require.Regexp(t, `^"[0-9a-z-]+"$`, etag)
		require.False(t, seen[etag], "each form of each file has its own")
		seen[etag] = true
		again := ask(c, http.MethodGet, test.path, "Accept-Encoding", test.accept, "If-None-Match", `"other", `+etag)
		require.Equal(t, http.StatusNotModified, again.Code)
		require.Empty(t, again.Body.String())
		require.Equal(t, first.Header().Get("Cache-Control"), again.Header().Get("Cache-Control"))
		changed := ask(c, http.MethodGet, test.path, "Accept-Encoding", test.accept, "If-None-Match", `"other"`)
		require.Equal(t, http.StatusOK, changed.Code)
	}
	require.Empty(t, ask(c, http.MethodGet, "/console/").Header().Get("Etag"), "the page is never the same")
}

func TestMethods(t *testing.T) {
	c := newConsole(t, bundle(), console.Settings{})
	for _, path := range []string{"/console/", "/console/operators", "/console/settings.json", "/console/icon.svg", "/console/assets/app-1a2b.js"} {
		for _, accept := range []string{"", "br"} {
			get := ask(c, http.MethodGet, path, "Accept-Encoding", accept)
			head := ask(c, http.MethodHead, path, "Accept-Encoding", accept)
			require.Equal(t, http.StatusOK, head.Code)
			require.Empty(t, head.Body.String(), path)
			for _, name := range []string{"Content-Type", "Content-Length", "Cache-Control", "Etag", "Content-Encoding"} {
				require.Equal(t, get.Header().Get(name), head.Header().Get(name), "%s of %s", name, path)
			}
			require.NotEmpty(t, head.Header().Get("Content-Length"), path)
		}
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodTrace} {
			w := ask(c, method, path)
			require.Equal(t, http.StatusMethodNotAllowed, w.Code, "%s %s", method, path)
			require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
		}
	}
}

var nonceIn = regexp.MustCompile(`'nonce-([A-Za-z0-9+/=_-]{22,})'`)

func TestEachAnswerHasANonceOfItsOwn(t *testing.T) {
	c := newConsole(t, bundle(), console.Settings{})
	seen := map[string]bool{}
	for range 50 {
		w := ask(c, http.MethodGet, "/console/")
		found := nonceIn.FindStringSubmatch(w.Header().Get("Content-Security-Policy"))
		require.NotNil(t, found, "of at least 128 bits")
		nonce := found[1]
		require.False(t, seen[nonce])
		seen[nonce] = true
		require.Equal(t, "same-origin", w.Header().Get("Cross-Origin-Opener-Policy"))
		require.Equal(t, strings.ReplaceAll(index, "__NONCE__", nonce), w.Body.String())
	}
}

func TestThePolicyOfThePage(t *testing.T) {
	for _, test := range []struct{ name, engine, want string }{
		{"engines on the same origin", "",
			"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-N'; connect-src 'self'; frame-ancestors 'none'"},
		{"engines elsewhere", "https://engine.example:8443",
			"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-N'; connect-src 'self' https://engine.example:8443; frame-ancestors 'none'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := ask(newConsole(t, bundle(), console.Settings{EngineURL: test.engine}), http.MethodGet, "/console/releases")
			require.Equal(t, test.want, nonceIn.ReplaceAllString(w.Header().Get("Content-Security-Policy"), "'nonce-N'"))
		})
	}
	for _, lacking := range []string{"", "default-src 'none'", "style-src 'self'", "connect-src 'self'", "style-src-elem 'self'; connect-src 'self'"} {
		_, err := console.New(bundle(), console.Settings{}, lacking)
		require.ErrorContains(t, err, "the policy of the console lacks", "%q", lacking)
	}
}

func TestSettings(t *testing.T) {
	s := console.Settings{EngineURL: "https://engine.example", Environment: `<b>"prod"`, Version: "v1.2.3", Auth: true}
	w := ask(newConsole(t, bundle(), s), http.MethodGet, "/console/settings.json")
	var got map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	require.Equal(t, map[string]any{"engineUrl": "https://engine.example", "environment": `<b>"prod"`, "version": "v1.2.3", "auth": true}, got)

	w = ask(newConsole(t, bundle(), console.Settings{}), http.MethodGet, "/console/settings.json")
	require.JSONEq(t, `{"engineUrl":"","environment":"","version":"","auth":false}`, w.Body.String(), "nothing is left out")

	files := bundle()
	files["settings.json"] = &fstest.MapFile{Data: []byte("of the bundle")}
	w = ask(newConsole(t, files, s), http.MethodGet, "/console/settings.json")
	require.JSONEq(t, `{"engineUrl":"https://engine.example","environment":"<b>\"prod\"","version":"v1.2.3","auth":true}`, w.Body.String())
}

func TestABinaryWithoutTheConsoleSaysHowToBuildIt(t *testing.T) {
	c := newConsole(t, fstest.MapFS{".gitkeep": &fstest.MapFile{}}, console.Settings{Version: "v1"})
	for _, path := range []string{"/console/", "/console/operators"} {
		w := ask(c, http.MethodGet, path)
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		require.Contains(t, w.Body.String(), "./task console:build")
		require.Contains(t, w.Body.String(), "./task dev")
		require.NotContains(t, w.Body.String(), "<script")
		require.NotContains(t, w.Body.String(), "style")
		require.Empty(t, w.Header().Get("Content-Security-Policy"), "it keeps the server's, which allows nothing")
		head := ask(c, http.MethodHead, path)
		require.Equal(t, http.StatusServiceUnavailable, head.Code)
		require.Empty(t, head.Body.String())
	}
	require.Equal(t, http.StatusNotFound, ask(c, http.MethodGet, "/console/assets/app-1a2b.js").Code)
	require.Equal(t, http.StatusOK, ask(c, http.MethodGet, "/console/settings.json").Code)
}

// unreadable has a file that cannot be read.
type unreadable struct{ fstest.MapFS }

func (u unreadable) Open(name string) (fs.File, error) {
	if name == "icon.svg" {
		return nil, errors.New("broken disk")
	}
	return u.MapFS.Open(name)
}

func (u unreadable) ReadFile(name string) ([]byte, error) {
	if name == "icon.svg" {
		return nil, errors.New("broken disk")
	}
	return u.MapFS.ReadFile(name)
}

func TestABundleThatCannotBeReadIsToldAtTheStart(t *testing.T) {
	_, err := console.New(unreadable{bundle()}, console.Settings{}, policy)
	require.ErrorContains(t, err, "read the bundle of the console: broken disk")
}

func TestTheBuiltInBundleCanBeServed(t *testing.T) {
	files := console.Bundle()
	_, err := fs.Stat(files, ".gitkeep")
	require.NoError(t, err, "Go builds without Node as long as the folder has one file")
	newConsole(t, files, console.Settings{})
}

func TestTheRootOfTheServer(t *testing.T) {
	h := http.HandlerFunc(console.Home)
	for _, accept := range []string{"text/html", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"} {
		w := ask(h, http.MethodGet, "/", "Accept", accept)
		require.Equal(t, http.StatusFound, w.Code)
		require.Equal(t, "/console/", w.Header().Get("Location"))
		require.Equal(t, "Accept", w.Header().Get("Vary"))
	}
	for _, accept := range []string{"", "*/*", "application/json"} {
		w := ask(h, http.MethodGet, "/", "Accept", accept)
		require.Equal(t, http.StatusNotFound, w.Code)
		require.JSONEq(t, `{"code":"not_found","message":"There is nothing at this address."}`, w.Body.String())
	}
}
