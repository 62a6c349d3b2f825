package routing

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

// Origin says where the rules in force came from.
type Origin uint8

// The origins. NoOrigin is that of an engine without rules.
const (
	NoOrigin Origin = iota
	FromDatabase
	FromManagement
	// FromRelease: what operators are set to is that of the live configuration all the same.
	FromRelease
)

// supplied is one state of a Supply. It never changes.
type supplied struct {
	state  State
	table  *Table // nil while lookups go to the store
	usable []uuid.UUID
	origin Origin
	since  time.Time // when the origin became this one
}

// reach is the newest version of which anything is in force.
func (s *supplied) reach() int64 {
	if s.table == nil {
		return s.state.Versions.Config
	}
	return s.table.reach
}

// InForce tells what an engine decides by, wherever it comes from, and keeps it up to date.
type InForce struct {
	*Refresher
	inForce atomic.Pointer[supplied]
}

// State implements States.
func (s *InForce) State() (State, bool) {
	if now := s.inForce.Load(); now != nil {
		return now.state, true
	}
	return State{}, false
}

// Table gives the one table with every rule, or nil while rules are looked up in the store.
func (s *InForce) Table() *Table {
	if now := s.inForce.Load(); now != nil {
		return now.table
	}
	return nil
}

// UsableOperators gives the operators that are ACTIVE and can send.
func (s *InForce) UsableOperators() []uuid.UUID {
	if now := s.inForce.Load(); now != nil {
		return now.usable
	}
	return nil
}

// Origin says where the rules in force came from.
func (s *InForce) Origin() Origin {
	if now := s.inForce.Load(); now != nil {
		return now.origin
	}
	return NoOrigin
}

// CheckReady gives nil once there are rules, and else why there are none.
func (s *InForce) CheckReady(context.Context) error {
	if s.inForce.Load() != nil {
		return nil
	}
	if err := s.Failure(); err != nil {
		return err
	}
	return ErrNotReady
}

// CheckOrigin gives a fault with ReasonFromManagement while the rules in force came from operator-management.
func (s *InForce) CheckOrigin(context.Context) error {
	if now := s.inForce.Load(); now != nil && now.origin == FromManagement {
		return fault.New(fault.Unavailable, ReasonFromManagement,
			"the database is out of reach; the routing rules come from operator-management since %s", now.since.UTC().Format(time.RFC3339))
	}
	return nil
}
