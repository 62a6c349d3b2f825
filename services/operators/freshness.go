package operators

import "time"

// Freshness tells how current what was read is.
type Freshness struct {
	// Stale is set when a replica answered because the primary database is down: the newest changes may be missing.
	Stale bool
	// Age is how old the state may be at most; 0 when it is not stale.
	Age time.Duration
}
