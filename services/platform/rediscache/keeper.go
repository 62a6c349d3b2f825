package rediscache

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/redis/rueidis"
)

const (
	probeTimeout = time.Second
	minConnect   = 50 * time.Millisecond
	maxConnect   = 2 * time.Second
	// probeKeys are spread over the slots of a Cluster by their hash, enough to meet
	// every node of a usual one.
	probeKeys = 32
)

// keep connects and then brings the breaker back each time that it opens.
func (c *Cache) keep() {
	if !c.connect() {
		return
	}
	c.checkPolicy()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.tripped:
		}
		for !c.breaker.IsClosed() && c.sleep(c.breaker.RemainingDelay()) {
			if !c.breaker.TryAcquirePermit() { // the delay is not quite over
				c.sleep(time.Millisecond)
				continue
			}
			ctx, cancel := context.WithTimeout(c.ctx, probeTimeout)
			_, err := c.probe(ctx, *c.client.Load())
			cancel()
			if err != nil {
				c.breaker.RecordFailure()
				continue
			}
			c.breaker.RecordSuccess()
		}
	}
}

// connect tries until it succeeds, or returns false when the cache is closed.
func (c *Cache) connect() bool {
	for attempt, delay := 1, minConnect; c.ctx.Err() == nil; attempt, delay = attempt+1, min(2*delay, maxConnect) {
		client, err := c.newClient()
		if err == nil {
			c.client.Store(&client)
			c.log.Info("connected to Redis", "mode", client.Mode(), "attempts", attempt)
			return true
		}
		if c.ctx.Err() != nil {
			return false
		}
		c.lastErr.Store(&err)
		if attempt == 1 {
			c.log.Warn("Redis is not available, going on without it", "error", err)
		} else {
			c.log.Debug("Redis is still not available", "error", err, "attempts", attempt)
		}
		c.sleep(delay/2 + rand.N(delay/2))
	}
	return false
}

func (c *Cache) newClient() (rueidis.Client, error) {
	client, err := rueidis.NewClient(c.options())
	if err == nil && c.cfg.Topology == TopologyCluster && client.Mode() != rueidis.ClientModeCluster {
		err = fmt.Errorf("%s is not a Cluster: set topology to auto", strings.Join(c.cfg.Addrs, ", "))
	}
	if err == nil {
		return client, nil
	}
	if client != nil {
		client.Close()
	}
	return nil, err
}

// probe asks every node that calls may need. Its time also covers connecting anew.
func (c *Cache) probe(ctx context.Context, client rueidis.Client) (struct{}, error) {
	if client.Mode() != rueidis.ClientModeCluster {
		err := client.Do(ctx, client.B().Ping().Build()).Error()
		return struct{}{}, working(err)
	}
	commands := make(rueidis.Commands, probeKeys)
	for i := range commands {
		commands[i] = client.B().Exists().Key(fmt.Sprintf("probe:%d", i)).Build()
	}
	var errs []error
	for _, result := range client.DoMulti(ctx, commands...) {
		errs = append(errs, working(result.Error()))
	}
	return struct{}{}, errors.Join(errs...)
}

// working forgives a complaint, such as a key that the user may not read.
func working(err error) error {
	if err == nil || answered(err) {
		return nil
	}
	return err
}

func (c *Cache) stateChanged(e circuitbreaker.StateChangedEvent) {
	switch e.NewState {
	case circuitbreaker.OpenState:
		if e.OldState == circuitbreaker.ClosedState {
			c.log.Warn("Redis fails, going on without it", "failures", e.Metrics().Failures())
		}
		select {
		case c.tripped <- struct{}{}:
		default:
		}
	case circuitbreaker.ClosedState:
		c.log.Info("Redis is back")
	case circuitbreaker.HalfOpenState: // a probe is on its way
	}
}

// sleep returns false when the cache is closed.
func (c *Cache) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// checkPolicy warns when Redis would answer writes with errors, or drop keys of
// others, once its memory is full.
func (c *Cache) checkPolicy() {
	client := *c.client.Load()
	for addr, node := range client.Nodes() {
		ctx, cancel := context.WithTimeout(c.ctx, probeTimeout)
		// INFO and not CONFIG, which managed services refuse.
		info, err := node.Do(ctx, node.B().Info().Section("memory").Build()).ToString()
		cancel()
		policy := policyOf(info)
		switch {
		case err != nil || policy == "":
			c.log.Warn("could not read the memory policy of Redis", "addr", addr, "error", err)
		case policy != "allkeys-lru" && policy != "volatile-lru":
			c.log.Warn("the memory policy of Redis should be allkeys-lru or volatile-lru: set maxmemory-policy",
				"addr", addr, "policy", policy)
		}
	}
}

func policyOf(info string) string {
	for lines := bufio.NewScanner(strings.NewReader(info)); lines.Scan(); {
		if policy, ok := strings.CutPrefix(lines.Text(), "maxmemory_policy:"); ok {
			return policy
		}
	}
	return ""
}
