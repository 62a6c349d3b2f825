package operators_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

// bench is an ingest over what is here kept in memory. The work on real stores is tested in package sessions.
type bench struct {
	t      *testing.T
	ingest *operators.Ingest
	now    time.Time
	id     uuid.UUID

	// The store: health by live operator, and what was asked of it.
	live        map[uuid.UUID]operators.Health
	transitions []operators.Transition
	observed    [][]operators.Health
	storeFails  error
	// lost makes a change take place and its answer get lost.
	lost bool
	// intruder runs before a change, once.
	intruder func()

	// The board.
	word       operators.Word
	said       []operators.Health
	boardFails error
	neighbour  func() // runs before a word is replaced, once

	cached []operators.Health
	told   []operators.Transition
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, now: ingestStart, id: uuid.New()}
	b.live = map[uuid.UUID]operators.Health{b.id: {OperatorID: b.id}}
	b.takeOver()
	return b
}

var ingestStart = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// takeOver gives the bench a new process.
func (b *bench) takeOver() {
	b.ingest = operators.NewIngest(b, b, b, b, func() time.Time { return b.now }, slog.New(slog.DiscardHandler))
	require.NoError(b.t, b.ingest.Load(b.t.Context()))
}

func (b *bench) LiveHealth(_ context.Context, ids ...uuid.UUID) (all []operators.Health, err error) {
	if len(ids) == 0 {
		for id := range b.live {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		if h, ok := b.live[id]; ok {
			all = append(all, h)
		}
	}
	return all, b.storeFails
}

func (b *bench) ChangeHealth(_ context.Context, next operators.Health, from int64, t *operators.Transition) error {
	if intrude := b.intruder; intrude != nil {
		b.intruder = nil
		intrude()
	}
	if b.storeFails != nil {
		return b.storeFails
	}
	if h, ok := b.live[next.OperatorID]; !ok || h.Version != from {
		return fault.New(fault.Aborted, operators.ReasonStaleHealth, "stale")
	}
	b.live[next.OperatorID] = next
	if t != nil {
		b.transitions = append(b.transitions, *t)
	}
	if b.lost {
		b.lost = false
		return errDown
	}
	return nil
}

func (b *bench) ObserveHealth(_ context.Context, all []operators.Health) (same []uuid.UUID, err error) {
	if b.storeFails != nil {
		return nil, b.storeFails
	}
	b.observed = append(b.observed, all)
	for _, h := range all {
		if stored, ok := b.live[h.OperatorID]; ok && stored.Version == h.Version {
			stored.ObservedAt, stored.Throttled = h.ObservedAt, h.Throttled
			b.live[h.OperatorID] = stored
			same = append(same, h.OperatorID)
		}
	}
	return same, nil
}

func (b *bench) Standing(context.Context, uuid.UUID) (operators.Word, error) {
	return b.word, b.boardFails
}

func (b *bench) Replace(_ context.Context, h operators.Health, standing operators.Word) error {
	if interfere := b.neighbour; interfere != nil {
		b.neighbour = nil
		interfere()
	}
	if standing.Place != b.word.Place {
		return fault.New(fault.Aborted, operators.ReasonNewWord, "new word")
	}
	b.said = append(b.said, h)
	b.word = operators.Word{Place: b.word.Place + 1, Bind: h.Bind, Quality: h.Quality, Version: h.Version, At: b.now}
	return nil
}

// byHand puts a neighbour's word on the board.
func (b *bench) byHand(w operators.Word) {
	w.Place, w.At = b.word.Place+1, b.now
	b.word = w
}

func (b *bench) KeepHealth(_ context.Context, h operators.Health) { b.cached = append(b.cached, h) }

func (b *bench) HealthChanged(t operators.Transition) { b.told = append(b.told, t) }

var errDown = fault.New(fault.Unavailable, "DOWN", "down")

// at moves time to a second of the test.
func (b *bench) at(second float64) *bench {
	b.now = ingestStart.Add(time.Duration(second * float64(time.Second)))
	return b
}

// try reports from connector a; the sequence is the time.
func (b *bench) try(bind operators.BindState, change ...func(*operators.SessionReport)) error {
	p := operators.SessionReport{
		OperatorID: b.id, ConnectorID: "a", Sequence: b.now.Sub(ingestStart).Milliseconds() + 1, Bind: bind, ReceivedAt: b.now,
	}
	for _, c := range change {
		c(&p)
	}
	_, err := b.ingest.Report(b.t.Context(), p)
	return err
}

func (b *bench) hears(bind operators.BindState, change ...func(*operators.SessionReport)) {
	b.t.Helper()
	require.NoError(b.t, b.try(bind, change...))
}

// received sets when the stream took a report in.
func received(second float64) func(*operators.SessionReport) {
	return func(p *operators.SessionReport) {
		p.ReceivedAt = ingestStart.Add(time.Duration(second * float64(time.Second)))
		p.Sequence = p.ReceivedAt.Sub(ingestStart).Milliseconds() + 1
	}
}

// lastSaid is what engines were told last.
func (b *bench) lastSaid() (bind operators.BindState, quality operators.Quality, version int64) {
	b.t.Helper()
	require.NotEmpty(b.t, b.said)
	h := b.said[len(b.said)-1]
	return h.Bind, h.Quality, h.Version
}

func (b *bench) saidLast(bind operators.BindState, quality operators.Quality, version int64) {
	b.t.Helper()
	gotBind, gotQuality, gotVersion := b.lastSaid()
	require.Equal(b.t, []any{bind, quality, version}, []any{gotBind, gotQuality, gotVersion})
}
