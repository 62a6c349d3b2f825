// Package caller carries who calls in the context: what a call may do depends on
// it, and audit rows name it.
package caller

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Anonymous is the name of a caller who showed no identity.
const Anonymous = "anonymous"

// Role is what a caller may do. A higher role includes the lower ones.
type Role uint8

// The roles, in ascending order.
const (
	// None may do nothing.
	None Role = iota
	// Viewer reads and asks for routes.
	Viewer
	// Operator changes operators, rules and rates.
	Operator
	// Admin changes accounts, keys and releases.
	Admin
)

var roleNames = [...]string{None: "none", Viewer: "viewer", Operator: "operator", Admin: "admin"}

// String is the role's word, such as viewer.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return roleNames[None]
}

// ParseRole reads viewer, operator or admin.
func ParseRole(word string) (Role, bool) {
	for r := Viewer; r <= Admin; r++ {
		if roleNames[r] == word {
			return r, true
		}
	}
	return None, false
}

// Kind is how a caller proved who it is.
type Kind uint8

// The kinds.
const (
	// Nobody showed nothing.
	Nobody Kind = iota
	// Token is a verified JWT.
	Token
	// Key is an API key.
	Key
	// Certificate is a client certificate on the internal listener.
	Certificate
	// Development is the caller of a process that asks for no credential.
	Development
)

// Caller is who makes the current call.
type Caller struct {
	// Name is what audit rows call the caller: key:<key id>, jwt:<subject>, or
	// jwt@<account>:<subject> when it is bound to an account, the SPIFFE
	// ID or DNS name of a certificate, dev, or Anonymous. From never gives an empty one.
	Name string
	Kind Kind
	Role Role
	// Account is the one account the caller is bound to; uuid.Nil binds to none.
	Account uuid.UUID
	// Expires is when its credential ends; zero when it does not, or when that is not known.
	Expires time.Time
}

// Bound reports whether the caller sees one account only.
func (c Caller) Bound() bool { return c.Account != uuid.Nil }

// MaySee reports whether rows of the account may be shown to the caller. Rows of
// no account (uuid.Nil) are everybody's.
func (c Caller) MaySee(account uuid.UUID) bool {
	return !c.Bound() || account == uuid.Nil || account == c.Account
}

// MayChange reports whether the caller may change rows of the account. Rows of no
// account are changed by callers that are bound to none.
func (c Caller) MayChange(account uuid.UUID) bool { return !c.Bound() || account == c.Account }

type key struct{}

// named holds the caller itself, which context.WithValue would put beside.
type named struct {
	context.Context
	who Caller
}

// Value implements context.Context.
func (n *named) Value(k any) any {
	if k == (key{}) {
		return &n.who
	}
	return n.Context.Value(k)
}

// With returns a context whose caller is c.
func With(ctx context.Context, c Caller) context.Context { return &named{ctx, c} }

// From returns the caller of the current call, the anonymous one when none was named.
func From(ctx context.Context) Caller {
	if c, ok := ctx.Value(key{}).(*Caller); ok && c.Name != "" {
		return *c
	}
	return Caller{Name: Anonymous}
}
