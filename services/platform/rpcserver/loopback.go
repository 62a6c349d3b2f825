package rpcserver

import (
	"net"
	"net/http"
	"strings"

	"connectrpc.com/connect"
)

// LoopbackHosts is middleware for a server that asks for no credential. A web page
// can point a name of its own at 127.0.0.1, and is then no foreign page to the
// browser; so requests have to call the server by a name of this machine.
func LoopbackHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopbackHost(r.Host) {
			writeJSON(w, http.StatusForbidden, problem{connect.CodePermissionDenied.String(), ReasonHostNotAllowed,
				"This server asks for no credential and answers to localhost only: call it by that name."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func loopbackHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]") // without port
	}
	ip := net.ParseIP(name)
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}
