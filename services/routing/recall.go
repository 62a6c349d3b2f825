package routing

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// HealthSource remembers health. Fill brings the view up to date with what it knows of the operators.
type HealthSource interface {
	Fill(ctx context.Context, view *HealthView, operators []uuid.UUID) error
}

// askEvery is the least time between two questions to operator-management.
const askEvery = 5 * time.Second

// Recall brings a view up to date without events: from the shared cache, and for operators of which nothing
// recent is known then, from operator-management. It is for one goroutine, never that of a decision.
type Recall struct {
	view       *HealthView
	shared     HealthSource
	management HealthSource
	now        func() time.Time
	asked      time.Time
}

// NewRecall gives a recall for a view. management may be nil.
func NewRecall(view *HealthView, shared, management HealthSource, now func() time.Time) *Recall {
	return &Recall{view: view, shared: shared, management: management, now: now}
}

// Poll asks once about the operators. An error says who could not be asked; the view holds what the others know.
func (r *Recall) Poll(ctx context.Context, operators []uuid.UUID) error {
	err := r.shared.Fill(ctx, r.view, operators)
	if r.management == nil {
		return err
	}
	now := r.now()
	var silent []uuid.UUID
	for _, id := range operators {
		// A bad word that is old is asked about too: it may be over, and nobody else will tell.
		if h := r.view.Get(id); !h.known() || now.Sub(h.ObservedAt) > HealthTTL {
			silent = append(silent, id)
		}
	}
	if len(silent) == 0 || now.Sub(r.asked) < askEvery {
		return err
	}
	r.asked = now
	return errors.Join(err, r.management.Fill(ctx, r.view, silent))
}
