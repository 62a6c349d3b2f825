package rediscache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"
)

// The breaker opens when failures of the last window calls failed.
const (
	failures = 5
	window   = 20
)

// Cache is a cache in Redis. Create it with Open. It is safe for concurrent use.
type Cache struct {
	cfg     Config
	log     *slog.Logger
	reg     prometheus.Registerer
	gauge   prometheus.Collector
	breaker circuitbreaker.CircuitBreaker[any]
	// slots holds one token for each call that may be in flight.
	slots chan struct{}

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	keeper sync.WaitGroup
	// tripped tells the keeper that the breaker has opened. It holds at most one token.
	tripped chan struct{}
	once    sync.Once

	// client is nil until the first connection.
	client  atomic.Pointer[rueidis.Client]
	lastErr atomic.Pointer[error]
}

// Open returns at once, whether or not Redis can be reached: the connection is
// made in the background and remade for ever. Only an invalid configuration and a
// metric that is registered already are errors. The metric
// trunkline_redis_breaker_open is 1 while calls are refused without being tried.
// The caller closes the cache.
func Open(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Cache, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Cache{
		cfg: cfg, log: log, reg: reg,
		slots:   make(chan struct{}, cfg.MaxInFlight),
		tripped: make(chan struct{}, 1),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.breaker = circuitbreaker.NewBuilder[any]().
		WithFailureThresholdRatio(failures, window).
		WithSuccessThreshold(1).
		WithDelay(cfg.ProbeInterval).
		OnStateChanged(c.stateChanged).
		Build()
	c.gauge = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trunkline_redis_breaker_open",
		Help: "1 while calls to Redis are refused without being tried, else 0.",
	}, func() float64 {
		if c.refused() != nil {
			return 1
		}
		return 0
	})
	if err := reg.Register(c.gauge); err != nil {
		c.cancel()
		return nil, fmt.Errorf("register the metric of the Redis cache: %w", err)
	}
	c.keeper.Go(c.keep)
	return c, nil
}

// Close waits for the calls in flight and ends the connections. With a silent
// server it takes a few seconds at most. It may be called twice.
func (c *Cache) Close() {
	c.once.Do(func() {
		c.cancel()
		c.keeper.Wait()
		for range cap(c.slots) { // no call holds one any more, none can get one
			c.slots <- struct{}{}
		}
		if client := c.client.Load(); client != nil {
			(*client).Close()
		}
		c.reg.Unregister(c.gauge)
	})
}

// Get returns the value of key, or ok = false when there is none. The caller may
// keep and change the value.
func (c *Cache) Get(ctx context.Context, key string) (value []byte, ok bool, err error) {
	if err := begin(ctx, checkKey(key)); err != nil {
		return nil, false, err
	}
	value, err = call(ctx, c, func(ctx context.Context, client rueidis.Client) ([]byte, error) {
		var result rueidis.RedisResult
		if c.cfg.ClientSideCaching {
			result = client.DoCache(ctx, client.B().Get().Key(key).Cache(), c.cfg.ClientSideTTL)
		} else {
			result = client.Do(ctx, client.B().Get().Key(key).Build())
		}
		text, err := result.ToString()
		if rueidis.IsRedisNil(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return []byte(text), nil
	})
	return value, value != nil, err
}

// Set stores value under key for ttl, at least one millisecond.
func (c *Cache) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := begin(ctx, checkEntry(key, value, ttl)); err != nil {
		return err
	}
	// A copy: when the call runs out of time the command may still be written later.
	text := string(value)
	_, err := call(ctx, c, func(ctx context.Context, client rueidis.Client) (struct{}, error) {
		set := client.B().Set().Key(key).Value(text).PxMilliseconds(ttl.Milliseconds()).Build()
		return struct{}{}, client.Do(ctx, set).Error()
	})
	return err
}

// MGet returns the values of those keys that have one. The keys may be spread over
// a Cluster; if one of its nodes fails, the call fails.
func (c *Cache) MGet(ctx context.Context, keys []string) (map[string][]byte, error) {
	if err := begin(ctx, checkKeys(keys)); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return map[string][]byte{}, nil
	}
	keys = append([]string(nil), keys...) // the call may outlive this one
	return call(ctx, c, func(ctx context.Context, client rueidis.Client) (map[string][]byte, error) {
		messages, err := rueidis.MGetCache(client, ctx, c.cfg.ClientSideTTL, keys)
		if err != nil {
			return nil, err
		}
		found := make(map[string][]byte, len(messages))
		for key, m := range messages {
			text, err := m.ToString()
			if rueidis.IsRedisNil(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			found[key] = []byte(text)
		}
		return found, nil
	})
}

// Del removes keys; those without a value are not an error.
func (c *Cache) Del(ctx context.Context, keys ...string) error {
	if err := begin(ctx, checkKeys(keys)); err != nil {
		return err
	}
	if len(keys) == 0 {
		return nil
	}
	keys = append([]string(nil), keys...)
	_, err := call(ctx, c, func(ctx context.Context, client rueidis.Client) (struct{}, error) {
		var errs []error
		for _, err := range rueidis.MDel(client, ctx, keys) {
			errs = append(errs, err)
		}
		return struct{}{}, errors.Join(errs...)
	})
	return err
}

// Script runs a Lua script that answers with whole numbers, and loads it first where Redis does not know it. In a
// Cluster all keys must be in one slot. The caller does not change keys and args afterwards: when the call runs out
// of time the script may still run later.
func (c *Cache) Script(ctx context.Context, script *rueidis.Lua, keys, args []string) ([]int64, error) {
	if err := begin(ctx, checkKeys(keys)); err != nil {
		return nil, err
	}
	return call(ctx, c, func(ctx context.Context, client rueidis.Client) ([]int64, error) {
		return script.Exec(ctx, client, keys, args).AsIntSlice()
	})
}

// Check returns nil when calls are let through and Redis answers within ctx, or
// within one second.
func (c *Cache) Check(ctx context.Context) error {
	if err := c.refused(); err != nil {
		return err
	}
	_, err := limited(ctx, c, probeTimeout, c.probe)
	return unavailable(ctx, err)
}
