// Package healthcache keeps the reduced health of operators in the shared cache, where engines read it while events do
// not reach them: ops:health:<operator_id>, an OperatorHealthEvent in JSON. This service alone writes these keys.
package healthcache

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"trunkline/services/operators"
	"trunkline/services/platform/clock"
)

// keyPrefix is a contract with the engines.
const keyPrefix = "ops:health:"

// setLimit bounds one write, whatever the cache allows.
const setLimit = time.Second

// Store is the shared cache. It gives up by itself within milliseconds.
type Store interface {
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
}

// Cache writes health. It is safe for concurrent use.
type Cache struct {
	store  Store
	encode func(operators.Health) ([]byte, error)
	clock  clock.Clock
	sets   *prometheus.CounterVec
	log    *slog.Logger
}

var _ operators.HealthCache = (*Cache)(nil)

// New returns the cache and registers ops_redis_set_total. encode writes an OperatorHealthEvent.
func New(store Store, encode func(operators.Health) ([]byte, error), clk clock.Clock, reg prometheus.Registerer, log *slog.Logger) (*Cache, error) {
	c := &Cache{store: store, encode: encode, clock: clk, log: log, sets: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ops_redis_set_total",
		Help: "Writes of the health of operators to Redis by result (ok or error).",
	}, []string{"result"})}
	if err := reg.Register(c.sets); err != nil {
		return nil, fmt.Errorf("register the metric of the health cache: %w", err)
	}
	return c, nil
}

// KeepHealth keeps a health for what is left of its 60 s; one that is older is not kept. A failure is counted and
// logged: the next heartbeat writes it again.
func (c *Cache) KeepHealth(ctx context.Context, h operators.Health) {
	left := operators.HealthTTL - max(c.clock.Now().Sub(h.ObservedAt), 0)
	if left < time.Millisecond {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, setLimit)
	defer cancel()
	value, err := c.encode(h)
	if err == nil {
		err = c.store.Set(ctx, keyPrefix+h.OperatorID.String(), value, left)
	}
	if err != nil {
		c.sets.WithLabelValues("error").Inc()
		c.log.DebugContext(ctx, "the health of an operator was not cached", "operator_id", h.OperatorID, "error", err)
		return
	}
	c.sets.WithLabelValues("ok").Inc()
}
