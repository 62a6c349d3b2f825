// Package redis keeps in Redis what all processes share about callers: the buckets of their limits.
//
// A bucket is a hash under access:limit:KIND:DIGEST, where DIGEST is the first half of SHA-256 of the caller's name or
// account id, in hex. It holds the tokens and the time of Redis, in microseconds, at which they were counted, and
// expires when it would be full. A Redis that has lost it gives a full bucket.
package redis

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"trunkline/services/access"
	"trunkline/services/platform/fault"
)

// ReasonUnavailable: Redis did not answer as it should.
const ReasonUnavailable = "SHARED_LIMIT_UNAVAILABLE"

var errUnavailable = fault.New(fault.Unavailable, ReasonUnavailable, "The shared limits are not available.")

//go:embed lease.lua
var leaseScript string

// Scripts runs Lua scripts in Redis.
type Scripts interface {
	// Script runs a script that answers with whole numbers, and loads it first where Redis does not know it. It
	// returns by the deadline of ctx, whatever Redis does.
	Script(ctx context.Context, script *rueidis.Lua, keys, args []string) ([]int64, error)
}

// Buckets are the shared buckets of an access.Limiter. Create it with NewBuckets.
type Buckets struct {
	scripts Scripts
	lease   *rueidis.Lua
}

var _ access.Shared = (*Buckets)(nil)

// NewBuckets returns the buckets in the Redis that scripts reaches.
func NewBuckets(scripts Scripts) *Buckets {
	return &Buckets{scripts: scripts, lease: rueidis.NewLuaScript(leaseScript)}
}

// Lease takes tokens out of a bucket; see access.Shared. The time is that of Redis, so clocks of processes do not
// matter. The error is the fault SHARED_LIMIT_UNAVAILABLE.
func (b *Buckets) Lease(ctx context.Context, key access.LimitKey, limit access.Limit, want, least int) (int, time.Duration, error) {
	answer, err := b.scripts.Script(ctx, b.lease, []string{name(key)}, []string{
		strconv.FormatFloat(limit.Rate, 'f', -1, 64), strconv.Itoa(limit.Burst), strconv.Itoa(want), strconv.Itoa(least),
	})
	if err == nil && len(answer) != 2 {
		err = fmt.Errorf("the script gave %d numbers and not 2", len(answer))
	}
	if err != nil {
		return 0, 0, errUnavailable.Wrap(err)
	}
	return int(answer[0]), time.Duration(answer[1]) * time.Microsecond, nil
}

// name keeps names and accounts out of Redis.
func name(key access.LimitKey) string {
	digest := sha256.Sum256([]byte(key.ID))
	return "access:limit:" + key.Kind + ":" + hex.EncodeToString(digest[:sha256.Size/2])
}
