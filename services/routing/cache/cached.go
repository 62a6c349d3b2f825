package cache

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/routing"
)

// TTL is how long an extract is kept.
const TTL = 300 * time.Second

// keyPrefix starts every key. The number behind it is the version of the stored form: raise it when
// routing.Extract changes.
const keyPrefix = "route:decision:1:"

// Store is the shared cache. Both calls give up by themselves within milliseconds.
type Store interface {
	// Get gives the value; false when there is none. An error means that the cache is out of reach.
	Get(ctx context.Context, key string) ([]byte, bool, error)
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
}

// Cached is a routing.Finder that asks the cache first.
type Cached struct {
	next         routing.Finder
	store        Store
	hits, misses prometheus.Counter
	log          *slog.Logger
}

// NewCached puts a cache before a finder.
func NewCached(next routing.Finder, store Store, hits, misses prometheus.Counter, log *slog.Logger) *Cached {
	return &Cached{next: next, store: store, hits: hits, misses: misses, log: log}
}

// Find gives the cached extract, or asks on and keeps the answer. A cache that is out of reach is as good
// as none: the result then says CacheBypass.
func (c *Cached) Find(ctx context.Context, l routing.Lookup) (*routing.Extract, routing.CacheResult, error) {
	k := key(l)
	value, ok, err := c.store.Get(ctx, k)
	reachable := err == nil
	if ok {
		e := new(routing.Extract)
		if err := json.Unmarshal(value, e); err == nil && e.Versions.Config == l.Config {
			c.hits.Inc()
			return e, routing.CacheHit, nil
		}
		c.log.WarnContext(ctx, "an unreadable entry of the decision cache was ignored", "bytes", len(value))
	}
	c.misses.Inc()
	e, result, err := c.next.Find(ctx, l)
	if err != nil {
		return nil, 0, err
	}
	if !reachable {
		return e, routing.CacheBypass, nil
	}
	// An extract that is newer than the key belongs under a key that the engine does not use yet.
	if e.Versions.Config == l.Config {
		c.keep(ctx, k, e)
	}
	return e, result, nil
}

func (c *Cached) keep(ctx context.Context, k string, e *routing.Extract) {
	value, err := json.Marshal(e)
	if err == nil {
		err = c.store.Set(ctx, k, value, TTL)
	}
	if err != nil {
		c.log.DebugContext(ctx, "a decision could not be cached", "error", err)
	}
}

func key(l routing.Lookup) string {
	k := make([]byte, 0, 128)
	k = append(k, keyPrefix...)
	k = strconv.AppendInt(k, l.Config, 10)
	k = append(k, ':')
	k = strconv.AppendUint(k, l.Epoch, 16)
	k = append(k, ':')
	k = append(k, l.Account.String()...)
	k = append(k, ':')
	k = append(k, l.Type.String()...)
	k = append(k, ':')
	return string(append(k, l.Digits...))
}
