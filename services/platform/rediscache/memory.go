package rediscache

import (
	"context"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
)

// Memory is a cache in this process with the methods of Cache. It holds a bounded
// number of entries and drops the least recently used one. It is safe for
// concurrent use and needs no Close.
type Memory struct {
	clock   clock.Clock
	entries *lru.Cache[string, entry]
}

type entry struct {
	value []byte
	ends  time.Time
}

// NewMemory returns a cache of at most entries values, at least 1. Entries expire
// by clk.
func NewMemory(entries int, clk clock.Clock) (*Memory, error) {
	c, err := lru.New[string, entry](entries)
	if err != nil {
		return nil, fmt.Errorf("cache of %d entries: %w", entries, err)
	}
	return &Memory{clock: clk, entries: c}, nil
}

// Get is Cache.Get.
func (m *Memory) Get(ctx context.Context, key string) (value []byte, ok bool, err error) {
	if err := begin(ctx, checkKey(key)); err != nil {
		return nil, false, err
	}
	value, ok = m.get(key)
	return value, ok, nil
}

// Set is Cache.Set.
func (m *Memory) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := begin(ctx, checkEntry(key, value, ttl)); err != nil {
		return err
	}
	m.entries.Add(key, entry{value: copyOf(value), ends: m.clock.Now().Add(ttl)})
	return nil
}

// MGet is Cache.MGet.
func (m *Memory) MGet(ctx context.Context, keys []string) (map[string][]byte, error) {
	if err := begin(ctx, checkKeys(keys)); err != nil {
		return nil, err
	}
	found := make(map[string][]byte, len(keys))
	for _, key := range keys {
		if value, ok := m.get(key); ok {
			found[key] = value
		}
	}
	return found, nil
}

// Del is Cache.Del.
func (m *Memory) Del(ctx context.Context, keys ...string) error {
	if err := begin(ctx, checkKeys(keys)); err != nil {
		return err
	}
	for _, key := range keys {
		m.entries.Remove(key)
	}
	return nil
}

// Check returns nil: this cache cannot fail.
func (m *Memory) Check(context.Context) error { return nil }

func (m *Memory) get(key string) ([]byte, bool) {
	e, ok := m.entries.Get(key)
	if !ok || !m.clock.Now().Before(e.ends) {
		// An entry that has ended is left to be pushed out: removing it here could
		// remove a newer one that was set in between.
		return nil, false
	}
	return copyOf(e.value), true
}

// copyOf never returns nil, so that an empty value differs from none.
func copyOf(b []byte) []byte { return append(make([]byte, 0, len(b)), b...) }

// begin returns the fault of a call that should not start.
func begin(ctx context.Context, invalid error) error {
	if invalid != nil {
		return invalid
	}
	if err := ctx.Err(); err != nil {
		return fault.From(err)
	}
	return nil
}
