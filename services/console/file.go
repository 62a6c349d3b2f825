package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// file is one file of the bundle, also as its build compressed it.
type file struct {
	mediaType string
	cache     string
	etag      string // of the plain form, without quotes
	plain     []byte
	packed    []packed // the best first
}

// packed is a compressed form.
type packed struct {
	encoding string
	data     []byte
}

// encodings are those that the build makes, by the ending of their files, the best first.
var encodings = []struct{ ending, name string }{{".br", "br"}, {".gz", "gzip"}}

const (
	// A name with a hash never means another content. A year is the longest that caches promise.
	cacheForever = "public, max-age=31536000, immutable"
	// Ask each time whether it changed.
	cacheAsk = "no-cache"
)

// load reads every file of the bundle but those that begin with a dot, which are for the build.
func load(bundle fs.FS) (map[string]file, error) {
	all := map[string][]byte{}
	err := fs.WalkDir(bundle, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		all[name], err = fs.ReadFile(bundle, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	files := map[string]file{}
	for name, content := range all {
		if isPacked(name, all) {
			continue
		}
		f := newFile(name, content)
		for _, e := range encodings {
			if data, ok := all[name+e.ending]; ok && len(data) < len(content) {
				f.packed = append(f.packed, packed{e.name, data})
			}
		}
		files[name] = f
	}
	return files, nil
}

// isPacked reports whether the file is a compressed form of another one.
func isPacked(name string, all map[string][]byte) bool {
	for _, e := range encodings {
		if plain, ok := strings.CutSuffix(name, e.ending); ok && all[plain] != nil {
			return true
		}
	}
	return false
}

func newFile(name string, content []byte) file {
	sum := sha256.Sum256(content)
	f := file{mediaType: mediaType(name), cache: cacheAsk, etag: hex.EncodeToString(sum[:12]), plain: content}
	if strings.HasPrefix(name, assetsFolder) {
		f.cache = cacheForever
	}
	return f
}

// mediaTypes are those that browsers are strict about. The table of the machine must not change them.
var mediaTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

func mediaType(name string) string {
	ending := path.Ext(name)
	for _, known := range []string{mediaTypes[ending], mime.TypeByExtension(ending)} {
		if known != "" {
			return known
		}
	}
	return "application/octet-stream"
}

// serve answers the smallest form that the browser takes.
func (f file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("Cache-Control", f.cache)
	data, etag := f.plain, f.etag
	if len(f.packed) > 0 {
		h.Set("Vary", "Accept-Encoding")
		accepted := r.Header.Values("Accept-Encoding")
		if i := slices.IndexFunc(f.packed, func(p packed) bool { return accepts(accepted, p.encoding) }); i >= 0 {
			data, etag = f.packed[i].data, f.etag+"-"+f.packed[i].encoding
			h.Set("Content-Encoding", f.packed[i].encoding)
			h.Set("Content-Length", strconv.Itoa(len(data))) // which ServeContent leaves to its caller for encoded content
		}
	}
	h.Set("Etag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// accepts reports whether an encoding is named in Accept-Encoding and not refused by a weight of 0.
func accepts(header []string, encoding string) bool {
	for _, line := range header {
		for item := range strings.SplitSeq(line, ",") {
			name, parameter, _ := strings.Cut(item, ";")
			if !strings.EqualFold(strings.TrimSpace(name), encoding) {
				continue
			}
			weight, found := strings.CutPrefix(strings.ReplaceAll(parameter, " ", ""), "q=")
			q, err := strconv.ParseFloat(weight, 64)
			return !found || err == nil && q > 0
		}
	}
	return false
}
