package database

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
)

// Health gives the health of one operator; version 0 when nothing was ever reported of it. It is a NotFound fault,
// NO_SUCH_OPERATOR, when there is no live operator with this id. Without the primary one that the replica does not have
// is no NotFound: it may be new.
func (h *Health) Health(ctx context.Context, id uuid.UUID) (operators.Health, operators.Freshness, error) {
	all, fresh, err := h.read(ctx, []uuid.UUID{id})
	switch {
	case err != nil:
		return operators.Health{}, fresh, err
	case len(all) == 0 && fresh.Stale:
		return operators.Health{}, fresh, fault.New(fault.Unavailable, bunstore.ReasonUnavailable,
			"The database answers from a replica, which has no operator with this id. It may be new: try again.").WithRetry(time.Second)
	case len(all) == 0:
		return operators.Health{}, fresh, operators.NoSuchOperator()
	}
	return all[0], fresh, nil
}

// HealthOf gives the health of those of the operators that are live and of which something was reported; without ids,
// of every such operator.
func (h *Health) HealthOf(ctx context.Context, ids []uuid.UUID) ([]operators.Health, operators.Freshness, error) {
	all, fresh, err := h.read(ctx, ids)
	reported := make([]operators.Health, 0, len(all))
	for _, one := range all {
		if one.Version > 0 {
			reported = append(reported, one)
		}
	}
	return reported, fresh, err
}

func (h *Health) read(ctx context.Context, ids []uuid.UUID) (all []operators.Health, fresh operators.Freshness, err error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	f, err := h.reader.Read(ctx, func(ctx context.Context, db bun.IDB) error {
		all, err = liveHealth(ctx, db, ids)
		return err
	})
	return all, operators.Freshness(f), err
}

// ListTransitions gives transitions, newest first, and whether there are more. Those of deleted operators are there too.
func (h *Health) ListTransitions(ctx context.Context, filter operators.TransitionFilter) (page []operators.Transition, more bool, fresh operators.Freshness, err error) {
	if err := filter.Validate(); err != nil {
		return nil, false, fresh, err
	}
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "list_transitions"), readLimit)
	defer cancel()
	var rows []transitionRow
	f, err := h.reader.Read(ctx, func(ctx context.Context, db bun.IDB) error {
		rows = nil
		query := db.NewSelect().Model(&rows).OrderExpr("occurred_at DESC, transition_id DESC").Limit(int64(filter.Limit) + 1)
		if filter.OperatorID != uuid.Nil {
			query = query.Where("operator_id = ?", filter.OperatorID)
		}
		if !filter.From.IsZero() {
			query = query.Where("occurred_at >= ?", filter.From)
		}
		if !filter.To.IsZero() {
			query = query.Where("occurred_at < ?", filter.To)
		}
		if !filter.AfterTime.IsZero() {
			// The first condition says nothing new; by it PostgreSQL leaves out the months after.
			query = query.Where("occurred_at <= ?", filter.AfterTime).
				Where("(occurred_at, transition_id) < (?, ?)", filter.AfterTime, filter.AfterID)
		}
		return query.Scan(ctx)
	})
	if err != nil {
		return nil, false, operators.Freshness(f), err
	}
	page, err = convert(rows[:min(filter.Limit, len(rows))], transitionRow.transition)
	return page, len(rows) > filter.Limit, operators.Freshness(f), err
}

// liveHealth reads the health of the live operators among ids, or of all, by id.
func liveHealth(ctx context.Context, db bun.IDB, ids []uuid.UUID) ([]operators.Health, error) {
	var rows []knownHealthRow
	query := db.NewSelect().TableExpr("operators AS o").Join("LEFT JOIN operator_health AS h ON h.operator_id = o.operator_id").
		ColumnExpr("o.operator_id, h.bind_state, h.quality, h.throttled, h.version, h.changed_at, h.observed_at").
		Where("o.deleted_at IS NULL").Order("o.operator_id")
	if len(ids) > 0 {
		query = query.Where("o.operator_id IN (?)", bun.List(ids))
	}
	if err := query.Scan(bunstore.WithQueryName(ctx, "health"), &rows); err != nil {
		return nil, err
	}
	return convert(rows, knownHealthRow.health)
}
