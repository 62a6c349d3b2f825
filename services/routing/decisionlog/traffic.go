package decisionlog

import (
	"context"
	"time"

	"trunkline/services/platform/bunstore"
	"trunkline/services/routing"
)

// Traffic counts the decisions from one whole second to another, in pieces of step, which fits into that time: one point for
// each piece, also for those without decisions. ctx bounds it, but for lookLimit at most.
func (k *Keeper) Traffic(ctx context.Context, from, to time.Time, step time.Duration) ([]routing.TrafficPoint, error) {
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "traffic"), lookLimit)
	defer cancel()
	points := make([]routing.TrafficPoint, to.Sub(from)/step)
	for i := range points {
		points[i] = routing.TrafficPoint{Start: from.Add(time.Duration(i) * step).UTC(), Span: step}
	}
	err := k.tallyTraffic(ctx, from, to, step, func(begins int64, t *tally) {
		p := &points[(begins-from.Unix())*int64(time.Second)/int64(step)]
		p.Count, p.Failed, p.P95 = t.count, t.failed, t.latencies.Within(95)
	})
	if err != nil {
		return nil, bunstore.Fault(err)
	}
	return points, nil
}

func (k *Keeper) tallyTraffic(ctx context.Context, from, to time.Time, step time.Duration, give func(begins int64, t *tally)) (err error) {
	logged := k.where(k.db.NewSelect().Model((*decisionRow)(nil)), routing.RecordFilter{From: from, To: to}).
		ColumnExpr(intervalColumn(k.db, from.Unix(), int64(step/time.Second)) + " AS begins").ColumnExpr("d.failure, d.latency_micros")
	rows, err := k.db.NewSelect().TableExpr("(?) AS s", logged).ColumnExpr("begins").ColumnExpr(tallyColumns()).GroupExpr("begins").Rows(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // each closes them too and tells of errors
	return each(rows, func() error {
		var begins int64
		var t tally
		if err := rows.Scan(append([]any{&begins}, t.places()...)...); err != nil {
			return err
		}
		t.read()
		give(begins, &t)
		return nil
	})
}
