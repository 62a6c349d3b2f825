package console

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// extend gives the policy of one answer. Styles without its nonce stay refused, and so do calls of any other origin.
func extend(policy, engineURL string) (func(nonce string) string, error) {
	const styles, calls = "style-src ", "connect-src "
	directives := strings.Split(policy, "; ")
	style, called := -1, false
	for i, directive := range directives {
		switch {
		case strings.HasPrefix(directive, styles):
			style = i
		case strings.HasPrefix(directive, calls):
			called = true
			if engineURL != "" {
				directives[i] += " " + engineURL
			}
		}
	}
	if style < 0 || !called {
		return nil, fmt.Errorf("the policy of the console lacks %sor %s: %q", styles, calls, policy)
	}
	before := strings.Join(directives[:style+1], "; ") + " 'nonce-"
	after := strings.Join(append([]string{"'"}, directives[style+1:]...), "; ")
	return func(nonce string) string { return before + nonce + after }, nil
}

func withNonce(index []byte, nonce string) []byte {
	return bytes.ReplaceAll(index, []byte(placeholder), []byte(nonce))
}

// writePage answers a page that no cache may keep.
func writePage(w http.ResponseWriter, r *http.Request, status int, page []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin") // a page that opens the console gets no hold of its window
	h.Set("Content-Length", strconv.Itoa(len(page)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(page)
	}
}
