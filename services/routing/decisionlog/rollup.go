package decisionlog

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/routing"
)

const (
	// rollAfter is how long after its end an hour is rolled up. What comes later costs more, and counts as well.
	rollAfter = 2 * time.Minute
	// rollLimit bounds one step. Others who store decisions wait for it.
	rollLimit = 10 * time.Second
	// rollPause is the time between two looks when nothing is left, rollRest the least time between two steps.
	rollPause = time.Minute
	rollRest  = 10 * time.Millisecond
	// countPage is how many decisions are read at a time to be summed up.
	countPage = 1000
)

// Rollup makes the longer sums of hours that are over, and sums up decisions from before there were sums, from the newest to the
// oldest. Queries need neither: without them they read more.
type Rollup struct {
	keeper *Keeper
	clock  clock.Clock
	log    *slog.Logger
}

// NewRollup looks after the sums of what a keeper stores.
func NewRollup(k *Keeper, clk clock.Clock, log *slog.Logger) *Rollup { return &Rollup{k, clk, log} }

// Run goes on until ctx ends. Several processes may do it at once: they share the work.
func (r *Rollup) Run(ctx context.Context) {
	for {
		began := time.Now()
		more, err := r.Step(ctx, r.clock.Now())
		if err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "decisions could not be summed up; it is tried again, and until then more of them are read one by one", "error", err)
		}
		pause := rollPause
		if more && err == nil {
			pause = max(rollRest, time.Since(began)) // others have half of the time
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// Step does what is due at a moment: the oldest hour, or the newest minute that is not in the sums. More tells that it did
// something.
func (r *Rollup) Step(ctx context.Context, now time.Time) (more bool, err error) {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "roll_up_decisions"), rollLimit)
	defer cancel()
	err = changing(ctx, r.keeper.db, func(ctx context.Context, tx bun.Tx) error {
		s, err := holdSums(ctx, tx)
		if err != nil {
			return err
		}
		if more, err = s.roll(ctx, tx, now); more || err != nil {
			return err
		}
		more, err = r.keeper.addOlder(ctx, tx, s, now)
		return err
	})
	return more && err == nil, bunstore.Fault(err)
}

// roll makes the longer sums of the oldest hour without them.
func (s *sums) roll(ctx context.Context, tx bun.Tx, now time.Time) (done bool, err error) {
	var oldest *int64
	err = tx.NewRaw("SELECT min(begins) FROM decision_sums WHERE span = ? AND account_id = ? AND begins >= ?", minuteSpan, allAccounts, s.rolled).Scan(ctx, &oldest)
	if err != nil || oldest == nil {
		return false, err
	}
	begins := *oldest - *oldest%hourSpan
	if now.Add(-rollAfter).Unix() < begins+hourSpan {
		return false, nil
	}
	for _, longer := range spansOfAll[1:] {
		if err := extend(ctx, tx, spansOfAll[0], longer, "=", begins); err != nil {
			return false, err
		}
	}
	for _, longer := range spansOfAccount[1:] {
		if err := extend(ctx, tx, spansOfAccount[0], longer, "<>", begins); err != nil {
			return false, err
		}
	}
	_, err = tx.NewRaw("UPDATE decision_sums_state SET rolled = ?", begins+hourSpan).Exec(ctx)
	return err == nil, err
}

// extend adds the sums of an hour to longer ones, of accounts that are or are not allAccounts.
func extend(ctx context.Context, tx bun.Tx, span, longer int64, accounts string, begins int64) error {
	names := sumColumns()
	added := "CAST(sum(" + strings.Join(names, ") AS bigint), CAST(sum(") + ") AS bigint)"
	_, err := tx.NewRaw(adding(names, `SELECT ?1, account_id, begins / ?1 * ?1 AS starts, operator_id, failure, currency, `+added+` FROM decision_sums
		WHERE span = ?0 AND account_id `+accounts+` ?2 AND begins >= ?3 AND begins < ?4
		GROUP BY account_id, starts, operator_id, failure, currency`), span, longer, allAccounts, begins, begins+hourSpan).Exec(ctx)
	return err
}

// addOlder sums up the newest minute before since that holds decisions. Until then processes of the version before may still
// store some.
func (k *Keeper) addOlder(ctx context.Context, tx bun.Tx, s *sums, now time.Time) (done bool, err error) {
	if s.since == 0 || now.Unix() < s.since {
		return false, nil
	}
	newest, err := newestBefore(ctx, tx, s.since)
	if err != nil {
		return false, err
	}
	s.since = 0
	if newest != nil {
		begins := newest.Truncate(minuteSpan * time.Second)
		s.since = begins.Unix()
		if err := k.countRows(ctx, tx, routing.RecordFilter{From: begins, To: begins.Add(minuteSpan * time.Second)}, s, 1); err != nil {
			return false, err
		}
		if err := s.put(ctx, tx); err != nil {
			return false, err
		}
	}
	_, err = tx.NewRaw("UPDATE decision_sums_state SET since = ?", s.since).Exec(ctx)
	return err == nil, err
}

// newestBefore gives the time of the newest decision before a Unix second; nil when there is none.
func newestBefore(ctx context.Context, tx bun.Tx, second int64) (*time.Time, error) {
	var rows []decisionRow
	err := tx.NewSelect().Model(&rows).Column("decided_at").Where("d.decided_at < ?", time.Unix(second, 0).UTC()).
		Order("d.decided_at DESC").Limit(1).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0].DecidedAt, nil
}

// countRows adds the decisions that a filter chooses to sums, with what was reported last of them; sign is -1 to take them
// away.
func (k *Keeper) countRows(ctx context.Context, tx bun.Tx, f routing.RecordFilter, s *sums, sign int64) error {
	var after *decisionRow
	for {
		var rows []decisionRow
		q := k.where(tx.NewSelect().Model(&rows).Column(summedColumns...), f).Order("d.decided_at", "d.decision_id").Limit(countPage)
		if after != nil {
			q = q.Where("d.decided_at >= ?", after.DecidedAt).Where("(d.decided_at, d.decision_id) > (?, ?)", after.DecidedAt, after.DecisionID)
		}
		if err := q.Scan(ctx); err != nil {
			return err
		}
		reports, err := reportsOf(ctx, tx, rows)
		if err != nil {
			return err
		}
		for i := range rows {
			s.count(&rows[i], last(&rows[i], reports[rows[i].DecisionID], nil), sign)
		}
		if len(rows) < countPage {
			return nil
		}
		after = &rows[len(rows)-1]
	}
}
