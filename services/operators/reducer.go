package operators

import (
	"slices"
	"time"
)

const (
	// rateWindow is how long a rate is watched before it counts.
	rateWindow = 60 * time.Second
	// minSubmits is the smallest number of submits in a window that makes a rate.
	minSubmits = 20
	// degradedPercent and unhealthyPercent are the rates of errors above which the quality falls.
	degradedPercent  = 5
	unhealthyPercent = 20
	// connectorSilence is how long a connector may be silent: heartbeats come every 10 s and one may be missed.
	connectorSilence = 25 * time.Second
	// maxConnectors and maxSamples bound what is remembered of one operator. Beyond them the oldest is forgotten.
	maxConnectors = 256
	maxSamples    = 4096
)

// reducer reduces the reports about one operator to its health. It knows no clock: time is that of the reports. What
// holds:
//
//   - A report counts once, however often and in whatever order it comes: its state only until a later one of the same
//     connector is known, its counts only inside the window.
//   - A rate counts when it was watched for a full window without a gap. The window begins anew with every change of
//     quality, so two rates never change it within rateWindow.
//   - Counts cover the time since the connector's report before. Those of its first report, and of the first after a
//     silence, belong to a time that nobody watched and are left out.
type reducer struct {
	connectors map[string]*connector
	// samples are the counts of the last rateWindow, in the order they came.
	samples []sample
	// since is when the window began that has to be full before its rate counts; zero before the first report.
	since time.Time
	// latest is the time of the latest report.
	latest time.Time
	// throttledAt is the time of the latest report of throttled submits.
	throttledAt time.Time
}

type connector struct {
	sequence int64
	bind     BindState
	// at is the time of its latest report.
	at time.Time
	// floor is the sequence up to which counts are done with: they were counted and are forgotten, or do not count.
	floor int64
}

type sample struct {
	connector       string
	sequence        int64
	at              time.Time
	submits, errors int64
}

// recall takes the state of a connector from a report of the past. Its counts do not matter.
func (r *reducer) recall(p SessionReport) { r.hear(p) }

// observe takes a report in. The counts of a late one are history: they say nothing about now, and the window begins
// anew behind it.
func (r *reducer) observe(p SessionReport, late bool) {
	gap := p.ReceivedAt.Sub(r.latest) > connectorSilence
	c, news := r.hear(p)
	if r.since.IsZero() || gap || late && news {
		r.restart()
	}
	if late {
		return
	}
	if p.Throttled > 0 && p.ReceivedAt.After(r.throttledAt) {
		r.throttledAt = p.ReceivedAt
	}
	if p.Sequence > c.floor && r.inWindow(p.ReceivedAt) && !r.counted(p) {
		r.samples = append(r.samples, sample{p.ConnectorID, p.Sequence, p.ReceivedAt, p.Submits, p.Errors})
	}
	extra := len(r.samples) - maxSamples
	r.samples = slices.DeleteFunc(r.samples, func(s sample) bool {
		extra--
		if extra < 0 && r.inWindow(s.at) {
			return false
		}
		if c, known := r.connectors[s.connector]; known {
			c.floor = max(c.floor, s.sequence)
		}
		return true
	})
}

// hear remembers the state that a report tells, unless a later one of the same connector is known.
func (r *reducer) hear(p SessionReport) (c *connector, news bool) {
	c, known := r.connectors[p.ConnectorID]
	if !known {
		c = r.remember(p.ConnectorID)
	}
	// A lower sequence that comes so much later is that of a connector that began anew with its clock set back.
	silent := p.ReceivedAt.Sub(c.at) > connectorSilence
	if news = p.Sequence > c.sequence || silent; news {
		c.sequence, c.bind = p.Sequence, p.Bind
	}
	if silent {
		c.floor = p.Sequence
	}
	c.at = later(c.at, p.ReceivedAt)
	r.latest = later(r.latest, p.ReceivedAt)
	return c, news
}

func (r *reducer) remember(id string) *connector {
	if r.connectors == nil {
		r.connectors = make(map[string]*connector)
	}
	if len(r.connectors) >= maxConnectors {
		longest := ""
		for other, c := range r.connectors {
			if longest == "" || c.at.Before(r.connectors[longest].at) {
				longest = other
			}
		}
		delete(r.connectors, longest)
	}
	c := &connector{}
	r.connectors[id] = c
	return c
}

// restart begins the window anew behind the latest report. When it is full, no count from before is inside.
func (r *reducer) restart() { r.since = r.latest }

func (r *reducer) inWindow(at time.Time) bool { return r.latest.Sub(at) < rateWindow }

func (r *reducer) counted(p SessionReport) bool {
	return slices.ContainsFunc(r.samples, func(s sample) bool {
		return s.sequence == p.Sequence && s.connector == p.ConnectorID
	})
}

// bind is the best state among the connectors that are not silent.
func (r *reducer) bind() BindState {
	best := Unbound
	for _, c := range r.connectors {
		if r.latest.Sub(c.at) > connectorSilence {
			continue
		}
		switch c.bind {
		case Bound:
			return Bound
		case Failback:
			best = Failback
		}
	}
	return best
}

func (r *reducer) throttled() bool {
	return !r.throttledAt.IsZero() && r.inWindow(r.throttledAt)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
