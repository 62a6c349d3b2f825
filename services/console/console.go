package console

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// Root is where the console lives on its server. The bundle is built for this address.
const Root = "/console/"

// Settings are what the page asks for at Root + settings.json before anything else. They are no secret: whoever
// reaches the server reads them.
type Settings struct {
	// EngineURL is the origin that answers for the routing engines; empty is the console's own.
	EngineURL string `json:"engineUrl"`
	// Environment is shown in the header; empty shows none.
	Environment string `json:"environment"`
	Version     string `json:"version"`
	// Auth tells whether calls need a credential.
	Auth bool `json:"auth"`
}

// Console serves the console below Root, for GET and HEAD. Create it with New.
type Console struct {
	files  map[string]file // by path below Root
	index  []byte          // nil without a bundle
	policy func(nonce string) string
}

const (
	indexName    = "index.html"
	settingsName = "settings.json"
	// assetsFolder holds files whose names change with their content.
	assetsFolder = "assets/"
	// placeholder stands in the page where the nonce belongs.
	placeholder = "__NONCE__"
)

// New reads the bundle. policy is the Content-Security-Policy of pages with scripts; styles with the nonce of the page
// and calls of the engines' origin are added to it. It fails when the bundle cannot be read or the policy says nothing
// of styles or calls.
func New(bundle fs.FS, s Settings, policy string) (*Console, error) {
	c := &Console{}
	var err error
	if c.policy, err = extend(policy, s.EngineURL); err != nil {
		return nil, err
	}
	if c.files, err = load(bundle); err != nil {
		return nil, fmt.Errorf("read the bundle of the console: %w", err)
	}
	if index, ok := c.files[indexName]; ok {
		c.index = index.plain
		delete(c.files, indexName) // it is answered with a nonce only
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	c.files[settingsName] = newFile(settingsName, text)
	return c, nil
}

// ServeHTTP answers a path below Root: with a file, or with the page where it may be a place in the console. Ids in links may
// hold dots: only who does not want a page is told that a file is missing.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, below := strings.CutPrefix(r.URL.Path, Root)
	f, known := c.files[name]
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The console takes GET and HEAD only.", http.StatusMethodNotAllowed)
	case below && known:
		f.serve(w, r)
	case !below, strings.HasPrefix(name, assetsFolder), path.Ext(name) != "" && !wantsPage(r):
		w.Header().Set("Vary", "Accept")
		http.Error(w, "The console has no such file. A page that was opened before an update asks for files of the former version: load it again.",
			http.StatusNotFound)
	case c.index == nil:
		writePage(w, r, http.StatusServiceUnavailable, []byte(unbuilt))
	default:
		nonce := rand.Text()
		w.Header().Set("Content-Security-Policy", c.policy(nonce))
		writePage(w, r, http.StatusOK, withNonce(c.index, nonce))
	}
}

// unbuilt is shown in place of the console by a binary that was built without it. It needs neither script nor style.
const unbuilt = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Trunkline: the console is not in this binary</title>
</head>
<body>
<h1>The console is not in this binary</h1>
<p>It was built without Node, so the console was left out. Everything else works: calls, and the <code>trunkline</code> command.</p>
<p>With Node 20.19 or newer, build it and start the server again:</p>
<pre>./task console:build
./task build</pre>
<p><code>./task dev</code> does both.</p>
</body>
</html>
`
