package cache

import (
	"context"
	"time"

	"golang.org/x/sync/singleflight"

	"trunkline/services/routing"
)

// flightLimit bounds a shared question, which must not end with the first caller's patience.
const flightLimit = 3 * time.Second

// Shared is a routing.Finder that lets equal questions under way at the same time share one answer.
type Shared struct {
	next  routing.Finder
	group singleflight.Group
}

// NewShared puts sharing before a finder.
func NewShared(next routing.Finder) *Shared { return &Shared{next: next} }

type found struct {
	extract *routing.Extract
	result  routing.CacheResult
}

// Find asks on, or waits for an equal question. A caller that gives up leaves the question to the others.
func (s *Shared) Find(ctx context.Context, l routing.Lookup) (*routing.Extract, routing.CacheResult, error) {
	flight := s.group.DoChan(key(l), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flightLimit)
		defer cancel()
		e, result, err := s.next.Find(ctx, l)
		return found{e, result}, err
	})
	select {
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	case r := <-flight:
		if r.Err != nil {
			return nil, 0, r.Err
		}
		f := r.Val.(found)
		return f.extract, f.result, nil
	}
}
