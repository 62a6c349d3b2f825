package rpcserver

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	connectcors "connectrpc.com/cors"
	"github.com/rs/cors"

	"trunkline/services/platform/fault"
)

// ConsolePolicy is the Content-Security-Policy of a page with scripts: everything
// comes from this server, nothing is inline, and nobody may frame it.
const ConsolePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const (
	apiPolicy  = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	hstsPolicy = "max-age=31536000"
	corsMaxAge = 7200 // seconds, the most that browsers keep a preflight answer
)

// CORSConfig names the web pages of other origins that may call.
type CORSConfig struct {
	AllowedOrigins []string `koanf:"allowed_origins" doc:"Origins of web pages that may call, as https://host or https://host:port. Empty: only pages that this server itself serves. http is for localhost only, and * is refused."`
}

func (c CORSConfig) validate() error {
	var errs []error
	for i, origin := range c.AllowedOrigins {
		if err := CheckOrigin(origin); err != nil {
			errs = append(errs, fmt.Errorf("cors.allowed_origins[%d]: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

// CheckOrigin accepts what a browser sends as Origin, and nothing that would name more than one. Its error says how to
// write it.
func CheckOrigin(origin string) error {
	if strings.Contains(origin, "*") {
		return errors.New("a wildcard stands for more than one: name each origin, such as https://console.example.org")
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme+"://"+u.Host != origin || origin != strings.ToLower(origin) || strings.ContainsAny(origin, ";,'\"") {
		return errors.New("write an origin in small letters and without path, such as https://console.example.org")
	}
	switch u.Scheme {
	case "https":
		if u.Port() == "443" {
			return errors.New("leave out the port 443, as browsers do")
		}
		return nil
	case "http":
		if u.Port() == "80" {
			return errors.New("leave out the port 80, as browsers do")
		}
		if loopbackHost(u.Host) {
			return nil
		}
	}
	return errors.New("only https keeps a credential secret on its way: use https, or http with localhost")
}

// browser decides about requests of web pages. It is replaced as a whole.
type browser struct {
	cors  *cors.Cors // nil while no other origin is allowed
	cross *http.CrossOriginProtection
}

func newBrowser(origins []string) (*browser, error) {
	b := &browser{cross: http.NewCrossOriginProtection()}
	if err := (CORSConfig{origins}).validate(); err != nil {
		return nil, err
	}
	if len(origins) == 0 { // the library takes an empty list for everybody
		return b, nil
	}
	for _, origin := range origins {
		if err := b.cross.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	b.cors = cors.New(cors.Options{
		AllowedOrigins: slices.Clone(origins),
		AllowedMethods: connectcors.AllowedMethods(),
		AllowedHeaders: append(connectcors.AllowedHeaders(), "Authorization", "X-Api-Key", requestIDHeader, "Traceparent"),
		ExposedHeaders: append(connectcors.ExposedHeaders(), requestIDHeader, "Www-Authenticate"),
		MaxAge:         corsMaxAge,
	})
	return b, nil
}

// SetAllowedOrigins replaces the origins whose pages may call. On an error the
// former ones stay in force. It may be called while the server serves.
func (s *Server) SetAllowedOrigins(origins []string) error {
	if s.internal() && len(origins) > 0 {
		return errors.New("web pages cannot call an internal listener")
	}
	b, err := newBrowser(origins)
	if err != nil {
		return err
	}
	s.browser.Store(b)
	return nil
}

// fixedHeader is on every answer. Its name is in canonical form; the value is
// shared and never changed.
type fixedHeader struct {
	name  string
	value []string
}

func (s *Server) addBrowser() error {
	for _, h := range [][2]string{
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"X-Frame-Options", "DENY"},
		{"Content-Security-Policy", apiPolicy},
		{"Cache-Control", "no-store"},
	} {
		s.headers = append(s.headers, fixedHeader{h[0], []string{h[1]}})
	}
	if s.certs != nil {
		s.headers = append(s.headers, fixedHeader{"Strict-Transport-Security", []string{hstsPolicy}})
	}
	return s.SetAllowedOrigins(s.cfg.CORS.AllowedOrigins)
}

// harden sets the headers of every answer. Pages may replace them.
func (s *Server) harden(h http.Header) {
	for _, fixed := range s.headers {
		h[fixed.name] = fixed.value
	}
}

// guardBrowser answers preflights and turns away what a browser should not have
// sent. It reports whether the request is answered.
func (s *Server) guardBrowser(w http.ResponseWriter, r *http.Request, c *call) bool {
	b := s.browser.Load()
	if b.cors != nil {
		b.cors.HandlerFunc(w, r)
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			return true
		}
	}
	if credentialIn(r.URL.RawQuery) {
		s.turnAway(w, r, c, http.StatusBadRequest, fault.New(fault.InvalidArgument, ReasonCredentialInURL,
			"A credential in the URL is not taken, because proxies and browsers keep URLs: revoke it, and send the next one in the header Authorization."))
		return true
	}
	if err := b.cross.Check(r); err != nil {
		s.turnAway(w, r, c, http.StatusForbidden, fault.New(fault.PermissionDenied, ReasonOriginNotAllowed,
			"Web pages of this origin may not call: add the origin to server.cors.allowed_origins.").Wrap(err))
		return true
	}
	return false
}

// turnAway refuses a request before it is known to be a call.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, c *call, status int, f *fault.Fault) {
	s.deny(r, c, f)
	if c.procedure == nil && dialectProtocol(r) == "" {
		writeJSON(w, status, problem{codeOf(f.Kind).String(), f.Reason, f.Message})
		return
	}
	c.protocol = protocolOf(r)
	s.refuse(w, r, c, f, status)
	s.settle(r, c)
}

// credentialIn reports whether a query has a parameter that is named like a
// credential, however it is written.
func credentialIn(query string) bool {
	for query != "" {
		var part string
		part, query = cutAny(query)
		name, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		switch strings.ToLower(name) {
		case "access_token", "api_key", "apikey", "x-api-key", "authorization":
			return true
		}
	}
	return false
}

// cutAny cuts at & and at ;, which some servers take for it.
func cutAny(query string) (part, rest string) {
	if i := strings.IndexAny(query, "&;"); i >= 0 {
		return query[:i], query[i+1:]
	}
	return query, ""
}
