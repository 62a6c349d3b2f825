package rpcserver

import (
	"crypto/x509"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// Identity is who another process is by its certificate: a SPIFFE ID such as
// spiffe://example.org/smpp-connector, or a DNS name in small letters.
type Identity string

const (
	spiffeScheme = "spiffe://"
	maxSPIFFE    = 2048
	maxDNSName   = 253
)

var (
	spiffeID = regexp.MustCompile(`^spiffe://[a-z0-9._-]{1,255}(/[A-Za-z0-9._-]+)+$`)
	dnsName  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

	errIdentity = errors.New("write spiffe://TRUST-DOMAIN/PATH, or a DNS name without wildcard")
)

// ParseIdentity reads an identity. Wildcards are none: they would name everybody.
func ParseIdentity(text string) (Identity, error) {
	if strings.HasPrefix(text, spiffeScheme) {
		segments := strings.Split(text, "/")
		if len(text) > maxSPIFFE || !spiffeID.MatchString(text) || slices.Contains(segments, ".") || slices.Contains(segments, "..") {
			return "", errIdentity
		}
		return Identity(text), nil
	}
	text = strings.ToLower(text)
	if len(text) > maxDNSName || !dnsName.MatchString(text) {
		return "", errIdentity
	}
	return Identity(text), nil
}

// UnmarshalText implements encoding.TextUnmarshaler, so that settings are checked
// when they are read.
func (i *Identity) UnmarshalText(text []byte) (err error) {
	*i, err = ParseIdentity(string(text))
	return err
}

// identitiesOf lists who a certificate says its owner is. More than one URI is
// no SPIFFE certificate by its standard, so none of them counts.
func identitiesOf(leaf *x509.Certificate) []Identity {
	var found []Identity
	add := func(name string, spiffe bool) {
		// A name counts in its own field only: who may sign DNS names must not give out SPIFFE IDs.
		if id, err := ParseIdentity(name); err == nil && strings.HasPrefix(name, spiffeScheme) == spiffe {
			found = append(found, id)
		}
	}
	if len(leaf.URIs) == 1 {
		add(leaf.URIs[0].String(), true)
	}
	for _, name := range leaf.DNSNames {
		add(name, false)
	}
	return found
}

// certified lets only the identities of an internal procedure through. Who is
// among them has the procedure's role and no account.
func (s *Server) certified(r *http.Request, c *call, p *procedure) *fault.Fault {
	state := c.tls
	switch {
	case state == nil || len(state.VerifiedChains) == 0 || len(state.PeerCertificates) == 0:
		return fault.New(fault.Unauthenticated, ReasonCertificateRequired, "This call needs a client certificate.")
	case ended(state):
		return fault.New(fault.Unauthenticated, ReasonCertificateExpired,
			"The client certificate has expired since the connection was made: connect again with a new one.")
	}
	shown := identitiesOf(state.PeerCertificates[0])
	for _, id := range shown {
		if p.callers[id] {
			c.who = caller.Caller{Name: string(id), Kind: caller.Certificate, Role: p.role}
			return nil
		}
	}
	if len(shown) > 0 {
		c.who = caller.Caller{Name: string(shown[0]), Kind: caller.Certificate}
	}
	if s.observer.floods.allow("refused "+p.name, c.start) {
		s.log.WarnContext(r.Context(), "an identity may not call", "procedure", p.name, "identities", shown)
	}
	return fault.New(fault.PermissionDenied, ReasonIdentityNotAllowed,
		"The identity of the client certificate may not call this method: add it to the identities of the method, or use another certificate.")
}
