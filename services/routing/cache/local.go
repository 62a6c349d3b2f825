package cache

import (
	"context"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/platform/clock"
	"trunkline/services/routing"
)

// Bounds of a Local. An entry is a few KiB.
const (
	LocalEntries = 10_000
	LocalTTL     = 60 * time.Second
)

// Local is a routing.Finder that keeps extracts decoded, and with them their compiled tables, in this process.
// What it saves is not the way to the shared cache, which client-side caching saves too, but decoding and
// compiling on every hit. Keys name version and epoch, so its entries are as right as those of the shared cache.
type Local struct {
	next         routing.Finder
	entries      *lru.Cache[routing.Lookup, kept]
	hits, misses prometheus.Counter
	clock        clock.Clock
}

type kept struct {
	extract *routing.Extract
	until   time.Time
}

// NewLocal puts a cache of the process before a finder.
func NewLocal(next routing.Finder, hits, misses prometheus.Counter, clk clock.Clock) (*Local, error) {
	entries, err := lru.New[routing.Lookup, kept](LocalEntries)
	if err != nil {
		return nil, fmt.Errorf("local cache: %w", err)
	}
	return &Local{next: next, entries: entries, hits: hits, misses: misses, clock: clk}, nil
}

// Find gives the extract kept, or asks on and keeps the answer.
func (c *Local) Find(ctx context.Context, l routing.Lookup) (*routing.Extract, routing.CacheResult, error) {
	now := c.clock.Now()
	if k, ok := c.entries.Get(l); ok && now.Before(k.until) {
		c.hits.Inc()
		return k.extract, routing.CacheHit, nil
	}
	c.misses.Inc()
	e, result, err := c.next.Find(ctx, l)
	// As in the shared cache, an extract of another version belongs under another key.
	if err == nil && e.Versions.Config == l.Config {
		c.entries.Add(l, kept{e, now.Add(LocalTTL)})
	}
	return e, result, err
}
