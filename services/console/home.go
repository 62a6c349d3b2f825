package console

import (
	"net/http"
	"strings"
)

// Home is the root of the server: a person's browser goes on to the console, and programs get what they get at every
// address where nothing is.
func Home(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, Root, http.StatusFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(`{"code":"not_found","message":"There is nothing at this address."}` + "\n"))
}
