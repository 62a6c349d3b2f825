package replay

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/money"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
)

// side is one of the two releases.
type side struct {
	table     *routing.Table
	operators []release.Operator
	fx        []release.FXRate
}

// Load makes the table of a release, and closes the reader. Without an error the whole artifact is good.
type Load func(r *release.Reader, health *routing.HealthView) (*routing.Table, error)

// open makes one side of a release.
func (l Load) open(ctx context.Context, source release.Source, health *routing.HealthView) (s *side, err error) {
	r, closer, err := source.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	table, err := l(r, health)
	if err != nil {
		return nil, err
	}
	return &side{table: table, operators: r.Operators(), fx: r.FX()}, nil
}

// names gives the operators of both sides; those of the second count where both have one.
func names(before, after *side) map[uuid.UUID]string {
	all := make(map[uuid.UUID]string, len(after.operators))
	for _, s := range []*side{before, after} {
		for i := range s.operators {
			all[s.operators[i].ID] = s.operators[i].Name
		}
	}
	return all
}

// worth gives what currencies are worth: by the second side, and by the first where the second does not say.
func worth(before, after *side) map[money.Currency]int64 {
	all := make(map[money.Currency]int64, len(after.fx))
	for _, s := range []*side{before, after} {
		for _, fx := range s.fx {
			all[fx.Currency] = fx.Nanos
		}
	}
	return all
}

// speak says of every operator how it is: well, but for those that are down.
func speak(health *routing.HealthView, operators map[uuid.UUID]string, down map[uuid.UUID]bool, at time.Time) {
	for id := range operators {
		health.Know([]uuid.UUID{id})
		e := routing.HealthEvent{Operator: id, Bind: routing.Bound, Quality: routing.Healthy, ObservedAt: at}
		if down[id] {
			e.Bind, e.Quality = routing.Unbound, routing.Unhealthy
		}
		health.Apply(e)
	}
}
