package replay

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
)

const (
	// usualLimit and maxLimit are how many decisions of the log are replayed.
	usualLimit = 100_000
	maxLimit   = 1_000_000
	// stride is how many messages are decided between two looks at the context and words about progress.
	stride = 4096
	// maxDraws is how often a line that stands for many messages is decided under WEIGHTED.
	maxDraws = 100
)

// Log is the log of decisions.
type Log interface {
	// Samples gives the decisions that the filter chooses, newest first, some at a time. The slice is used again.
	Samples(ctx context.Context, f routing.SampleFilter, give func([]routing.Sample) error) error
}

// Replayer replays traffic through releases. Each replay holds the tables of both in memory: callers bound how many run.
type Replayer struct {
	log   Log
	load  Load
	clock clock.Clock
}

// New gives a replayer of the log.
func New(log Log, load Load, clk clock.Clock) *Replayer { return &Replayer{log, load, clk} }

// Replay decides the sample of the request by both releases. progress is told now and then how many messages are decided of
// about how many, first of all before the releases are read. Faults: those of the releases and of the log; INVALID_ARGUMENT
// for an operator that neither release has; FAILED_PRECONDITION ReasonSum.
func (r *Replayer) Replay(
	ctx context.Context, req *releasesv1.ReplayReleaseRequest, base, draft release.Source, progress func(done, total int64),
) (*releasesv1.ReplayReport, error) {
	at := r.clock.Now()
	if req.GetDecideTime() != nil {
		at = req.GetDecideTime().AsTime()
	}
	s := newSample(req, r.log, progress)
	progress(0, s.total)

	d, err := r.load.duel(ctx, base, draft, req.GetDownOperatorIds(), at.UTC().Truncate(time.Microsecond))
	if err != nil {
		return nil, err
	}
	if err := s.each(ctx, d.decide); err != nil {
		return nil, err
	}
	report := d.report()
	report.BadLines, report.BadLineCount = s.file.bad, s.file.badCount
	report.BaseReleaseId = base.ID().String()
	return report, nil
}

// duel decides each message twice.
type duel struct {
	*tally
	before, after *side
	first, second answer
	operators     map[uuid.UUID]string
	at            time.Time
}

// answer is what one side decides.
type answer struct {
	decision routing.Decision
	err      error
}

// winner is who carries; nil without a route.
func (a *answer) winner() *routing.Choice {
	if a.err != nil {
		return nil
	}
	return &a.decision.Choices[0]
}

// operator is the id of the winner; uuid.Nil without a route.
func (a *answer) operator() uuid.UUID {
	if w := a.winner(); w != nil {
		return w.ID
	}
	return uuid.Nil
}

func (l Load) duel(ctx context.Context, base, draft release.Source, down []string, at time.Time) (*duel, error) {
	health := routing.NewHealthView()
	before, err := l.open(ctx, base, health)
	if err != nil {
		return nil, err
	}
	after := before
	if base.ID() != draft.ID() {
		if after, err = l.open(ctx, draft, health); err != nil {
			return nil, err
		}
	}
	d := &duel{tally: newTally(), before: before, after: after, operators: names(before, after), at: at}
	isDown := make(map[uuid.UUID]bool, len(down))
	for i, text := range down {
		id, err := parseUUID(text)
		if _, known := d.operators[id]; err != nil || !known {
			return nil, fault.Invalid(routing.ReasonValidation, fault.Violation{
				Field: "downOperatorIds[" + strconv.Itoa(i) + "]", Description: "must be the UUID of an operator of one of the releases",
			})
		}
		isDown[id] = true
	}
	speak(health, d.operators, isDown, at)
	return d, nil
}

// decide decides a message, and counts it. Where the draw of a weight decides, one that stands for many is drawn for
// several times, each for its share of them.
func (d *duel) decide(m *message) error {
	q := routing.Query{To: m.to, Account: m.account, Type: m.kind, At: d.at}
	d.ask(&q, m.id)
	draws := int64(1)
	if m.count > 1 && (d.first.isDrawn() || d.second.isDrawn()) {
		draws = min(m.count, maxDraws)
	}
	for n := range draws {
		if n > 0 {
			d.ask(&q, again(m.id, n))
		}
		share := m.count / draws
		if n < m.count%draws {
			share++
		}
		if err := d.add(m, share, &d.first, &d.second); err != nil {
			return err
		}
	}
	return nil
}

func (d *duel) ask(q *routing.Query, id uuid.UUID) {
	d.first.decision.ID, d.second.decision.ID = id, id
	d.first.err = d.before.table.Decide(q, &d.first.decision, nil)
	d.second.err = d.after.table.Decide(q, &d.second.decision, nil)
}

func (a *answer) isDrawn() bool { return a.err == nil && a.decision.Strategy == routing.Weighted }

func (d *duel) report() *releasesv1.ReplayReport {
	report := d.tally.report(d.operators, worth(d.before, d.after))
	report.DecideTime = timestamppb.New(d.at)
	return report
}
