package routing

import (
	"errors"
	"time"

	"trunkline/services/platform/fault"
)

// The stable reasons of this service's errors.
const (
	ReasonValidation       = "VALIDATION_FAILED"
	ReasonNoRoute          = "NO_ROUTE"
	ReasonNoUsableOperator = "NO_USABLE_OPERATOR"
	ReasonNotReady         = "RULES_NOT_LOADED"
	ReasonMoving           = "RULES_CHANGING"
	// ReasonFromManagement is no error of a call: health pages say by it that the database is bypassed.
	ReasonFromManagement = "RULES_FROM_OPERATOR_MANAGEMENT"
)

var errNotUUID = errors.New("not a UUID")

// RetryNoUsable is how long a caller should wait when every candidate is out: one heartbeat, after
// which the health of operators may have changed.
const RetryNoUsable = 10 * time.Second

// The outcomes without an operator. They are shared values: a Fault never changes.
var (
	ErrNoRoute = fault.New(fault.NotFound, ReasonNoRoute,
		"no active rule of the account or global matches the number and message type")
	ErrNoUsableOperator = fault.New(fault.Unavailable, ReasonNoUsableOperator,
		"rules match the number, but none of their operators is usable now; ExplainRoute tells why").
		WithRetry(RetryNoUsable)
	ErrNotReady = fault.New(fault.Unavailable, ReasonNotReady,
		"the routing rules are not loaded yet").WithRetry(time.Second)
)
