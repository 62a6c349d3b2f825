package decisionlog

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/bunstore"
	"trunkline/services/routing"
)

// reportsBefore is how long before a decision a report may seem to be made and still count: as far as clocks are apart. By it a
// search passes over most partitions.
const reportsBefore = time.Hour

// summedColumns are what sums need of a decision.
var summedColumns = []string{"decision_id", "decided_at", "account_id", "operator_id", "price_nanos", "currency", "failure", "latency_micros"}

// Store keeps a batch and adds it to the sums. A batch that is stored already changes nothing.
func (k *Keeper) Store(ctx context.Context, batch *routingv1.DecisionBatch) error {
	decisions, err := convert(batch.GetDecisions(), newDecisionRow)
	if err != nil {
		return err
	}
	outcomes, err := convert(batch.GetOutcomes(), newOutcomeRow)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "store_decisions"), storeLimit)
	defer cancel()
	return bunstore.Fault(changing(ctx, k.db, func(ctx context.Context, tx bun.Tx) error {
		made, err := insert(ctx, tx, &decisions, summedColumns...)
		if err != nil {
			return err
		}
		told, err := insert(ctx, tx, &outcomes, "report_id", "decision_id", "reported_at")
		if err != nil || len(made)+len(told) == 0 {
			return err
		}
		s, err := holdSums(ctx, tx)
		if err != nil {
			return err
		}
		if err := s.stored(ctx, tx, made, told); err != nil {
			return err
		}
		return s.put(ctx, tx)
	}))
}

// insert adds rows and gives the columns of those that were not there.
func insert[Row any](ctx context.Context, tx bun.Tx, rows *[]Row, columns ...string) (added []Row, err error) {
	if len(*rows) == 0 {
		return nil, nil
	}
	q := tx.NewInsert().Model(rows).On("CONFLICT DO NOTHING")
	for _, c := range columns {
		q = q.Returning("?", bun.Ident(c))
	}
	_, err = q.Exec(ctx, &added)
	return added, err
}

// stored counts new decisions, and the change that new reports make to them and to those of before.
func (s *sums) stored(ctx context.Context, tx bun.Tx, made []decisionRow, told []outcomeRow) error {
	isNew := make(map[uuid.UUID]bool, len(told))
	for i := range told {
		isNew[told[i].ReportID] = true
	}
	before, err := decisionsOf(ctx, tx, made, told)
	if err != nil {
		return err
	}
	reports, err := reportsOf(ctx, tx, made, before)
	if err != nil {
		return err
	}
	for i := range made {
		s.count(&made[i], last(&made[i], reports[made[i].DecisionID], nil), 1)
	}
	for i := range before {
		d := &before[i]
		var change amounts
		change.tell(last(d, reports[d.DecisionID], isNew), -1)
		change.tell(last(d, reports[d.DecisionID], nil), 1)
		if change != (amounts{}) {
			s.add(d, &change)
		}
	}
	return nil
}

// decisionsOf reads the decisions that reports are about, but for those that are made just now.
func decisionsOf(ctx context.Context, tx bun.Tx, made []decisionRow, told []outcomeRow) (before []decisionRow, err error) {
	isMade := make(map[uuid.UUID]bool, len(made))
	for i := range made {
		isMade[made[i].DecisionID] = true
	}
	var ids []uuid.UUID
	var latest time.Time
	for i := range told {
		if id := told[i].DecisionID; !isMade[id] {
			ids = append(ids, id)
			latest = later(latest, told[i].ReportedAt)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	err = tx.NewSelect().Model(&before).Column(summedColumns...).Where("d.decision_id IN (?)", bun.List(ids)).
		Where("d.decided_at < ?", latest.Add(reportsBefore+time.Second)).Scan(ctx)
	return before, err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// reportsOf reads what was reported of decisions, the last one first.
func reportsOf(ctx context.Context, tx bun.Tx, decisions ...[]decisionRow) (map[uuid.UUID][]outcomeRow, error) {
	all := slices.Concat(decisions...)
	if len(all) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(all))
	earliest := all[0].DecidedAt
	for i := range all {
		ids[i] = all[i].DecisionID
		if all[i].DecidedAt.Before(earliest) {
			earliest = all[i].DecidedAt
		}
	}
	var rows []outcomeRow
	err := tx.NewSelect().Model(&rows).Column("report_id", "reported_at", "decision_id", "account_id", "outcome").Where("o.decision_id IN (?)", bun.List(ids)).
		Where("o.reported_at >= ?", earliest.Add(-reportsBefore-time.Second)).Order("o.reported_at DESC", "o.report_id DESC").Scan(ctx)
	of := make(map[uuid.UUID][]outcomeRow, len(rows))
	for i := range rows {
		of[rows[i].DecisionID] = append(of[rows[i].DecisionID], rows[i])
	}
	return of, err
}

// last gives what counts among reports of a decision, of which those in without are left out; 0 when there is nothing.
func last(d *decisionRow, reports []outcomeRow, without map[uuid.UUID]bool) routing.Outcome {
	for i := range reports {
		r := &reports[i]
		mine := r.AccountID == nil || *r.AccountID == d.AccountID
		if mine && !without[r.ReportID] && r.ReportedAt.Unix() >= d.DecidedAt.Unix()-int64(reportsBefore/time.Second) {
			return routing.Outcome(routingv1.Outcome_value["OUTCOME_"+r.Outcome])
		}
	}
	return 0
}
