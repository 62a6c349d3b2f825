package operators

import "fmt"

// The causes of transitions that no rate decided.
const (
	causeFirstReport = "first report"
	causeFirstBind   = "first bind"
	causeBindLost    = "bind lost"
	causeRebind      = "bind restored"
	causeBackup      = "a backup session carries"
	causePrimary     = "the primary session carries"
)

// judge gives the health that follows from the reports, and how it differs from what it was. Without a transition
// neither the bind state nor the quality has changed.
//
//	UNKNOWN   -> HEALTHY    first bind
//	HEALTHY   -> DEGRADED   more than 5 % errors
//	HEALTHY   -> UNHEALTHY  bind lost
//	DEGRADED  -> HEALTHY    at most 5 % errors
//	DEGRADED  -> UNHEALTHY  more than 20 % errors, or bind lost
//	UNHEALTHY -> HEALTHY    bind restored
//
// Rates are those of a full window with at least minSubmits submits. A bind that is lost or restored counts at once.
func (r *reducer) judge(h Health) (Health, *Transition) {
	next := h
	next.Bind, next.Throttled = r.bind(), r.throttled()
	t := Transition{OperatorID: h.OperatorID, FromBind: h.Bind, ToBind: next.Bind, FromQuality: h.Quality}
	before, after := h.Bind.carries(), next.Bind.carries()
	switch {
	case after && h.Quality == QualityUnknown:
		next.Quality, t.Cause = Healthy, causeFirstBind
	case after && !before:
		next.Quality, t.Cause = Healthy, causeRebind
	case before && !after:
		next.Quality, t.Cause = Unhealthy, causeBindLost
	case after:
		r.judgeRate(&next, &t)
	}
	if t.Cause == "" {
		t.Cause = causeOfBind(h.Bind, next.Bind)
	}
	if next.Bind == h.Bind && next.Quality == h.Quality {
		return next, nil
	}
	next.Version++
	next.ChangedAt, next.ObservedAt = r.latest, later(h.ObservedAt, r.latest)
	t.ID, t.OccurredAt, t.ToQuality, t.Version = newID(), r.latest, next.Quality, next.Version
	return next, &t
}

func (r *reducer) judgeRate(next *Health, t *Transition) {
	if r.latest.Sub(r.since) < rateWindow {
		return
	}
	var submits, errors int64
	for _, s := range r.samples {
		submits, errors = submits+s.submits, errors+s.errors
	}
	if submits < minSubmits {
		return
	}
	above := func(percent int64) bool { return errors*100 > submits*percent }
	switch {
	case next.Quality == Healthy && above(degradedPercent):
		next.Quality = Degraded
	case next.Quality == Degraded && above(unhealthyPercent):
		next.Quality = Unhealthy
	case next.Quality == Degraded && !above(degradedPercent):
		next.Quality = Healthy
	default:
		return
	}
	t.Submits, t.Errors = submits, errors
	t.Cause = fmt.Sprintf("error rate %.1f %% over %.0f s", float64(errors)*100/float64(submits), rateWindow.Seconds())
}

func causeOfBind(from, to BindState) string {
	switch {
	case from == BindUnknown:
		return causeFirstReport
	case to == Failback:
		return causeBackup
	}
	return causePrimary
}
