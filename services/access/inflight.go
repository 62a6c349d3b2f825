package access

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

// ReasonTooManyInFlight refuses a caller who has as many calls under way as one may have.
const ReasonTooManyInFlight = "TOO_MANY_IN_FLIGHT"

// inFlightRetry is when a caller with too many calls under way may try again; one of them has probably ended by then.
const inFlightRetry = 100 * time.Millisecond

var (
	errPrincipalCrowded = fault.New(fault.ResourceExhausted, ReasonTooManyInFlight,
		"This credential has too many calls under way. Wait until some have ended, then send fewer at the same time.").
		With("limit", LimitOfPrincipal).WithRetry(inFlightRetry)
	errAccountCrowded = fault.New(fault.ResourceExhausted, ReasonTooManyInFlight,
		"The callers of this account have too many calls under way. Wait until some have ended, then send fewer at the same time.").
		With("limit", LimitOfAccount).WithRetry(inFlightRetry)
)

// InFlight bounds how many calls one principal, and all callers of one account, have under way at the same time. A
// call counts from its headers until its answer is out, so that slow senders and readers crowd out themselves only. It
// remembers nobody who has no call under way. Create it with NewInFlight. It is safe for concurrent use.
type InFlight struct {
	mu         sync.Mutex
	limit      int
	principals map[string]int
	accounts   map[uuid.UUID]int
}

// NewInFlight allows each limit calls at a time; 0 is no limit.
func NewInFlight(limit int) *InFlight {
	return &InFlight{limit: limit, principals: map[string]int{}, accounts: map[uuid.UUID]int{}}
}

// SetLimit replaces the limit. Calls under way go on.
func (f *InFlight) SetLimit(limit int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.limit = limit
}

// Enter counts a call; uuid.Nil stands for no account. It returns what the call does once when it is over, or the fault
// TOO_MANY_IN_FLIGHT.
func (f *InFlight) Enter(principal string, account uuid.UUID) (leave func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.limit <= 0:
	case f.principals[principal] >= f.limit:
		return nil, errPrincipalCrowded
	case account != uuid.Nil && f.accounts[account] >= f.limit:
		return nil, errAccountCrowded
	}
	f.principals[principal]++
	if account != uuid.Nil {
		f.accounts[account]++
	}
	return func() { f.leave(principal, account) }, nil
}

func (f *InFlight) leave(principal string, account uuid.UUID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	end(f.principals, principal)
	if account != uuid.Nil {
		end(f.accounts, account)
	}
}

func end[K comparable](calls map[K]int, who K) {
	if calls[who]--; calls[who] == 0 {
		delete(calls, who)
	}
}
