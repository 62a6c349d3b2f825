package decisionlog

import (
	"time"

	"github.com/google/uuid"

	"trunkline/services/routing"
)

// stretch is a part of a time that is read at once.
type stretch struct {
	// span is that of the sums; 0 means the decisions themselves.
	span     int64
	from, to time.Time
}

// cover divides the time of a query into stretches: sums as long as possible, shorter ones beside them, and decisions at the edges,
// in intervals that no sums divide, and before since. What sums do not tell apart is read from decisions. From rolled on there are
// only the shortest sums.
func cover(q routing.SummaryQuery, since, rolled int64) []stretch {
	spans := spansOfAll
	if q.Account != uuid.Nil {
		spans = spansOfAccount
	}
	if q.Start != "" || q.Number != "" || q.ID != uuid.Nil {
		spans = nil
	}
	for len(spans) > 0 && int64(q.Step/time.Second)%spans[len(spans)-1] != 0 {
		spans = spans[:len(spans)-1]
	}
	d := divider{since: since, rolled: rolled}
	d.divide(q.From, q.To, spans)
	return d.stretches
}

type divider struct {
	since, rolled int64
	stretches     []stretch
}

// divide adds the stretches from one moment to another, the longest sums in the middle.
func (d *divider) divide(from, to time.Time, spans []int64) {
	if !from.Before(to) {
		return
	}
	if len(spans) == 0 {
		d.stretches = append(d.stretches, stretch{from: from, to: to})
		return
	}
	span, shorter := spans[len(spans)-1], spans[:len(spans)-1]
	end := to.Unix()
	if len(shorter) > 0 {
		end = min(end, d.rolled)
	}
	first := upTo(max(from.Add(time.Second-1).Unix(), d.since), span)
	end -= end % span
	if first >= end {
		d.divide(from, to, shorter)
		return
	}
	begins, ends := time.Unix(first, 0).UTC(), time.Unix(end, 0).UTC()
	d.divide(from, begins, shorter)
	d.stretches = append(d.stretches, stretch{span, begins, ends})
	d.divide(ends, to, shorter)
}

// upTo is the least multiple of span that is not below a second.
func upTo(second, span int64) int64 { return (second + span - 1) / span * span }
