package cache

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/clock"
	"trunkline/services/routing"
)

// Keys of health. operator-management alone writes the first, engines write the second from events.
const (
	reducedHealthKey = "ops:health:"
	engineHealthKey  = "operator:health:"
)

// HealthStore is the part of the shared cache that health needs.
type HealthStore interface {
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// MGet gives the values of the keys that are there.
	MGet(ctx context.Context, keys []string) (map[string][]byte, error)
}

// Codec turns health events into stored text and back.
type Codec struct {
	Encode func(routing.HealthEvent) ([]byte, error)
	Decode func([]byte) (routing.HealthEvent, error)
}

// Health shares the health of operators between engines through the cache, for the time when events
// cannot reach them.
type Health struct {
	store HealthStore
	codec Codec
	clock clock.Clock
}

// NewHealth gives health over a shared cache.
func NewHealth(store HealthStore, codec Codec, clk clock.Clock) *Health {
	return &Health{store: store, codec: codec, clock: clk}
}

// Save keeps an event for what is left of its HealthTTL. An event that is older is not kept.
func (h *Health) Save(ctx context.Context, e routing.HealthEvent) error {
	left := routing.HealthTTL - max(h.clock.Now().Sub(e.ObservedAt), 0)
	if left <= 0 {
		return nil
	}
	value, err := h.codec.Encode(e)
	if err != nil {
		return fmt.Errorf("encode health: %w", err)
	}
	return h.store.Set(ctx, engineHealthKey+e.Operator.String(), value, left)
}

// fillBatch keeps the two keys of each operator within what a cache takes in one call.
const fillBatch = 500

// Fill brings the view up to date with what the cache knows of the operators. The word of
// operator-management comes before that of another engine.
func (h *Health) Fill(ctx context.Context, view *routing.HealthView, operators []uuid.UUID) error {
	for batch := range slices.Chunk(operators, fillBatch) {
		if err := h.fill(ctx, view, batch); err != nil {
			return err
		}
	}
	return nil
}

func (h *Health) fill(ctx context.Context, view *routing.HealthView, operators []uuid.UUID) error {
	keys := make([]string, 0, 2*len(operators))
	for _, id := range operators {
		keys = append(keys, reducedHealthKey+id.String(), engineHealthKey+id.String())
	}
	values, err := h.store.MGet(ctx, keys)
	if err != nil {
		return err
	}
	for i, id := range operators {
		for _, key := range keys[2*i : 2*i+2] {
			value, ok := values[key]
			if !ok {
				continue
			}
			e, err := h.codec.Decode(value)
			if err != nil || e.Operator != id {
				continue
			}
			at := e.ObservedAt
			if now := h.clock.Now(); at.After(now) {
				at = now // the writer's clock is ahead of ours
			}
			view.Fill(id, routing.StoredHealth{
				Health:  routing.Health{Bind: e.Bind, Quality: e.Quality, ObservedAt: at},
				Version: e.Version,
			})
		}
	}
	return nil
}
