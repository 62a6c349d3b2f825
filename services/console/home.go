package console

import (
	"net/http"
	"strings"
)

// Home is the root of the server: a person's browser goes on to the console, and programs get what they get at every
// address where nothing is.
func Home(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	if wantsPage(r) {
		http.Redirect(w, r, Root, http.StatusFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(`{"code":"not_found","message":"There is nothing at this address."}` + "\n"))
}

// wantsPage reports whether a person opens an address, rather than a page or a program that asks for a file.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
