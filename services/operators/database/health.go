package database

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
)

// healthLimit bounds one write of health. It is short, because reports wait behind it.
const healthLimit = 3 * time.Second

// Health keeps the reduced health of operators and the log of its transitions. It is safe for concurrent use, also by
// several processes.
type Health struct {
	db     *bun.DB
	reader *bunstore.Reader
}

var _ operators.HealthStore = (*Health)(nil)

// NewHealth returns the health kept in a database that bunstore opened and whose migrations are applied. What an ingest
// needs comes from there; everybody else reads through the reader.
func NewHealth(db *bun.DB, reader *bunstore.Reader) *Health { return &Health{db: db, reader: reader} }

// LiveHealth gives the health of the live operators among ids, or of all.
func (h *Health) LiveHealth(ctx context.Context, ids ...uuid.UUID) ([]operators.Health, error) {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	all, err := liveHealth(ctx, h.db, ids)
	return all, bunstore.Fault(err)
}

// isLive is a condition on a statement about one operator.
const isLive = "EXISTS (SELECT 1 FROM operators AS o WHERE o.operator_id = ? AND o.deleted_at IS NULL)"

// ChangeHealth stores a health in place of another version, with its transition.
func (h *Health) ChangeHealth(ctx context.Context, next operators.Health, from int64, t *operators.Transition) error {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	ctx = bunstore.WithQueryName(ctx, "change_health")
	// The version in the condition is all the isolation that is needed: of two writers one finds no row.
	return bunstore.Fault(h.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		put := tx.NewRaw(`UPDATE operator_health SET bind_state = ?, quality = ?, throttled = ?, version = ?, changed_at = ?, observed_at = ?
			WHERE operator_id = ? AND version = ? AND `+isLive,
			next.Bind.String(), next.Quality.String(), next.Throttled, next.Version, next.ChangedAt, next.ObservedAt,
			next.OperatorID, from, next.OperatorID)
		if from == 0 {
			put = tx.NewRaw(`INSERT INTO operator_health (operator_id, bind_state, quality, throttled, version, changed_at, observed_at)
				SELECT o.operator_id, ?, ?, ?, ?, ?, ? FROM operators AS o WHERE o.operator_id = ? AND o.deleted_at IS NULL
				ON CONFLICT (operator_id) DO NOTHING`,
				next.Bind.String(), next.Quality.String(), next.Throttled, next.Version, next.ChangedAt, next.ObservedAt, next.OperatorID)
		}
		result, err := put.Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return fault.New(fault.Aborted, operators.ReasonStaleHealth, "Another process has changed the health of this operator.")
		}
		if t == nil {
			return nil
		}
		_, err = tx.NewInsert().Model(fromTransition(*t)).Exec(ctx)
		return err
	}))
}

// ObserveHealth refreshes times of observation, and whether operators throttle, in one statement.
func (h *Health) ObserveHealth(ctx context.Context, all []operators.Health) ([]uuid.UUID, error) {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	ctx = bunstore.WithQueryName(ctx, "observe_health")
	// One order for all writers, so that none waits for another that waits for it.
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b operators.Health) int { return bytes.Compare(a.OperatorID[:], b.OperatorID[:]) })
	var refreshed []uuid.UUID
	for part := range slices.Chunk(all, chunk) {
		rows := make([]healthRow, len(part))
		for i, one := range part {
			rows[i] = fromHealth(one)
		}
		var ids []uuid.UUID
		// The rows are there, so nothing is inserted: this is an update of many rows that both databases know.
		err := h.db.NewInsert().Model(&rows).On("CONFLICT (operator_id) DO UPDATE").
			Set("observed_at = EXCLUDED.observed_at").Set("throttled = EXCLUDED.throttled").
			Where("h.version = EXCLUDED.version").
			Where("EXISTS (SELECT 1 FROM operators AS o WHERE o.operator_id = EXCLUDED.operator_id AND o.deleted_at IS NULL)").
			Returning("operator_id").Scan(ctx, &ids)
		if err != nil {
			return nil, bunstore.Fault(err)
		}
		refreshed = append(refreshed, ids...)
	}
	return refreshed, nil
}
