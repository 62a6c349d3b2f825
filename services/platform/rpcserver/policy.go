package rpcserver

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"

	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// Authenticator tells who makes a call of a public procedure.
type Authenticator interface {
	// Authenticate reads the credential of a call, which is in the headers only. An error is
	// a fault whose text repeats no part of the credential; the caller beside it may carry
	// the name that the credential claims, which goes into the Denial and nowhere else.
	// A caller without name counts as none. It is on the way of every call, and ctx has no
	// deadline of its own: what waits bounds itself.
	Authenticate(ctx context.Context, header http.Header) (caller.Caller, error)
}

// Everybody takes each call as one of who and asks for no credential. It is for
// development and tests.
func Everybody(who caller.Caller) Authenticator { return everybody{who} }

type everybody struct{ who caller.Caller }

// Authenticate implements Authenticator.
func (e everybody) Authenticate(context.Context, http.Header) (caller.Caller, error) {
	return e.who, nil
}

// nobody refuses everybody: a server without authenticator denies.
type nobody struct{}

// Authenticate implements Authenticator.
func (nobody) Authenticate(context.Context, http.Header) (caller.Caller, error) {
	return caller.Caller{}, credentialRequired()
}

func credentialRequired() *fault.Fault {
	return fault.New(fault.Unauthenticated, ReasonCredentialRequired,
		"This method needs a credential: send the header Authorization with Bearer and a token or an API key.")
}

// Denial is one refusal by policy: of a caller, an identity, a foreign web page or
// a credential in a URL.
type Denial struct {
	// Procedure is empty for requests that name none.
	Procedure string
	// Caller has the name anonymous where nothing is known. With the reasons of a bad
	// credential its name is a claim.
	Caller caller.Caller
	Reason string
	// Peer is the other end of the connection, which may be a proxy. The zero Addr is unknown.
	Peer netip.Addr
}

// Denied hears of denials.
type Denied = func(ctx context.Context, d Denial)

// Admit decides whether an authenticated call may run now. A refusal is a fault.
// leave is called once when the call or stream ends, and may be nil.
type Admit = func(ctx context.Context, who caller.Caller, procedure string) (leave func(), err error)

// Enter decides whether an admitted call may be worked on now, and may charge for what
// its message asks. The message is nil for calls that send several. ctx ends with the
// time of the call. A refusal is a fault. leave is called once when the answer is
// out or the stream ends, and may be nil.
type Enter = func(ctx context.Context, who caller.Caller, procedure string, message any) (leave func(), err error)

// addPolicy makes deny the default.
func (s *Server) addPolicy() error {
	s.denials = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "trunkline_access_denied_total",
		Help: "Requests refused by policy, by reason.",
	}, []string{"reason"})
	var err error
	if s.denials, err = register(s.opts.Registerer, s.denials); err != nil {
		return err
	}
	s.auth = s.opts.Authenticator
	if s.auth == nil && !s.internal() {
		s.auth = nobody{}
		if len(s.opts.Mounts) > 0 {
			s.log.Warn("every RPC is refused: the server has no authenticator")
		}
	}
	return nil
}

// permit applies the policy of the schema before a byte of the message is read. On
// success the call knows its caller. leave, where there is one, ends the call's share, also after a fault.
func (s *Server) permit(r *http.Request, c *call, p *procedure) (leave func(), f *fault.Fault) {
	if p.infra {
		return p.occupy()
	}
	check := s.public
	if s.internal() {
		check = s.certified
	}
	if f := check(r, c, p); f != nil {
		if f.Kind == fault.Unauthenticated || f.Kind == fault.PermissionDenied {
			s.deny(r, c, f)
		}
		return nil, f
	}
	if leave, f = p.occupy(); f != nil {
		return nil, f
	}
	if s.opts.Admit != nil {
		admitted, err := s.opts.Admit(r.Context(), c.who, p.name)
		if err != nil {
			return leave, fault.From(err)
		}
		leave = both(leave, admitted)
	}
	c.permitted = true
	return leave, nil
}

// both gives one end for two, of which each may be nil.
func both(one, other func()) func() {
	switch {
	case one == nil:
		return other
	case other == nil:
		return one
	}
	return func() {
		one()
		other()
	}
}

// public checks the credential, the role and the account of a caller.
func (s *Server) public(r *http.Request, c *call, p *procedure) *fault.Fault {
	who, err := s.auth.Authenticate(r.Context(), r.Header)
	c.who = who
	switch {
	case err != nil:
		return fault.From(err)
	case who.Name == "":
		return credentialRequired()
	case who.Role < p.role:
		return fault.New(fault.PermissionDenied, ReasonRoleTooLow,
			"This method needs the role %s, and the credential has the role %s: use one with a higher role.", p.role, who.Role).
			With("needed_role", p.role.String()).With("role", who.Role.String())
	case who.Bound() && !p.scoped:
		return fault.New(fault.PermissionDenied, ReasonAccountNotAllowed,
			"The credential is bound to one account, and this method is not limited to accounts: use a credential without account.")
	}
	return nil
}

func (s *Server) deny(r *http.Request, c *call, f *fault.Fault) {
	s.denials.WithLabelValues(f.Reason).Inc()
	if s.opts.Denied == nil {
		return
	}
	d := Denial{Caller: c.who, Reason: f.Reason}
	if d.Caller.Name == "" {
		d.Caller.Name = caller.Anonymous
	}
	if c.procedure != nil {
		d.Procedure = c.procedure.name
	}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		d.Peer = peer.Addr().Unmap()
	}
	s.opts.Denied(r.Context(), d)
}

// roleOf translates the role of the schema.
func roleOf(r optionsv1.Role) (caller.Role, error) {
	switch r {
	case optionsv1.Role_ROLE_VIEWER:
		return caller.Viewer, nil
	case optionsv1.Role_ROLE_OPERATOR:
		return caller.Operator, nil
	case optionsv1.Role_ROLE_ADMIN:
		return caller.Admin, nil
	case optionsv1.Role_ROLE_UNSPECIFIED:
	}
	return caller.None, fmt.Errorf("the role %s is none that a caller can have", r)
}
