package access

import (
	"maps"

	"github.com/google/uuid"
)

// The two buckets that a call is charged to. The names are labels of metrics and parts of keys.
const (
	LimitOfPrincipal = "principal"
	LimitOfAccount   = "account"
)

// Limit is a token bucket. It starts full with Burst tokens; Rate tokens flow in each second until it is full again.
type Limit struct {
	Rate  float64 `koanf:"rate" doc:"Calls per second, over time (0.001 to 1000000). 0: no limit. An item of a batch counts as a call."`
	Burst int     `koanf:"burst" doc:"Calls at once after a pause (1 to 1000000). A batch with more items than this counts as this many."`
}

// None reports whether the limit lets everything through.
func (l Limit) None() bool { return l.Rate == 0 }

// Limits says which limit a caller has.
type Limits struct {
	// Principal and Account are the limits of those who have none of their own.
	Principal Limit
	Account   Limit
	// Principals and Accounts hold the limits of single callers.
	Principals map[string]Limit
	Accounts   map[uuid.UUID]Limit
}

// ofPrincipal is the limit of one credential or identity.
func (l *Limits) ofPrincipal(name string) Limit {
	if own, ok := l.Principals[name]; ok {
		return own
	}
	return l.Principal
}

// ofAccount is the limit of all callers of an account together. Callers that are bound to no account share none.
func (l *Limits) ofAccount(id uuid.UUID) Limit {
	if id == uuid.Nil {
		return Limit{}
	}
	if own, ok := l.Accounts[id]; ok {
		return own
	}
	return l.Account
}

func (l Limits) clone() *Limits {
	l.Principals, l.Accounts = maps.Clone(l.Principals), maps.Clone(l.Accounts)
	return &l
}
