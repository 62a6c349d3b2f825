package operators

import (
	"time"

	"github.com/google/uuid"
)

// EngineLife is how long an engine is remembered after its last word. It speaks every 30 s.
const EngineLife = 90 * time.Second

// EngineState is what an engine does with the release that the manifest asks for. The zero value is unknown.
type EngineState uint8

// The states.
const (
	EngineServing EngineState = iota + 1
	// EngineRefused serves what it served before.
	EngineRefused
	// EnginePrepared serves it at its time.
	EnginePrepared
)

var engineStateNames = [...]string{"", "serving", "refused", "prepared"}

// String returns the word, such as serving, or "" for the zero value.
func (s EngineState) String() string { return nameOf(s, engineStateNames[:]) }

// EngineStates are the states that an engine may tell of.
func EngineStates() []EngineState { return []EngineState{EngineServing, EngineRefused, EnginePrepared} }

// EngineWord is what an engine said last about releases.
type EngineWord struct {
	EngineID uuid.UUID
	// Host is for people.
	Host  string
	State EngineState
	// ReleaseID and Activation are what the state is about; Reason says why it was refused.
	ReleaseID  uuid.UUID
	Activation int64
	Reason     string
	// ServingID, ServingActivation and ServingSince are what it serves; zero for nothing.
	ServingID         uuid.UUID
	ServingActivation int64
	ServingSince      time.Time
	// At is when it said so.
	At time.Time
}

// Serves reports whether it serves what is in force.
func (w EngineWord) Serves(f Force) bool {
	return f.InForce != nil && w.ServingActivation == f.InForce.Number && w.ServingID == f.InForce.ReleaseID
}
