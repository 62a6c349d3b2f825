package rediscache

import (
	"fmt"
	"time"

	"trunkline/services/platform/fault"
)

// Limits that Cache and Memory share.
const (
	// MaxKeyBytes bounds one key, MaxValueBytes one value, MaxKeys the keys of one
	// call. All are inclusive.
	MaxKeyBytes   = 512
	MaxValueBytes = 1 << 20
	MaxKeys       = 1000
)

// ErrUnavailable means that the cache did not answer in time, or was not asked
// because it did not answer before. Test for it with errors.Is. Callers go on
// without the cache.
var ErrUnavailable = fault.New(fault.Unavailable, "CACHE_UNAVAILABLE", "The cache is not available.")

func invalid(field, format string, args ...any) error {
	return fault.Invalid("CACHE_CALL_INVALID", fault.Violation{Field: field, Description: fmt.Sprintf(format, args...)})
}

func checkKey(key string) error {
	if key == "" || len(key) > MaxKeyBytes {
		return invalid("key", "must have 1 to %d bytes", MaxKeyBytes)
	}
	return nil
}

func checkKeys(keys []string) error {
	if len(keys) > MaxKeys {
		return invalid("keys", "must be at most %d", MaxKeys)
	}
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	return nil
}

// checkEntry also refuses a value without an end: Redis would keep it for ever
// under the policy volatile-lru.
func checkEntry(key string, value []byte, ttl time.Duration) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if len(value) > MaxValueBytes {
		return invalid("value", "must have at most %d bytes", MaxValueBytes)
	}
	if ttl < time.Millisecond {
		return invalid("ttl", "must be at least 1ms")
	}
	return nil
}
