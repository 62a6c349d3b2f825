package releases

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/release"
)

// sayAgain is the pause after a word that could not be said.
const sayAgain = time.Second

// words tells on the bus what this engine serves: every change, and the last word every SweepEvery.
type words struct {
	bus     Bus
	subject string
	clock   clock.Clock
	log     *slog.Logger
	last    atomic.Pointer[eventsv1.ReleaseEvent]
	wake    chan struct{}
}

func newWords(bus Bus, s Settings, clk clock.Clock, log *slog.Logger) *words {
	return &words{bus: bus, subject: release.EngineSubject(s.Engine.String()), clock: clk, log: log, wake: make(chan struct{}, 1)}
}

// say replaces the word. It never waits.
func (w *words) say(e *eventsv1.ReleaseEvent) {
	if old := w.last.Load(); old != nil && proto.Equal(old, e) {
		return
	}
	w.last.Store(e)
	w.repeat()
}

// repeat says the word once more.
func (w *words) repeat() {
	select {
	case w.wake <- struct{}{}:
	default: // it is about to be said
	}
}

func (w *words) run(ctx context.Context) {
	for {
		pause := time.NewTimer(w.tell(ctx))
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-pause.C:
		}
		pause.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// tell says the word, and gives the pause until it is said again.
func (w *words) tell(ctx context.Context) time.Duration {
	last := w.last.Load()
	if last == nil {
		return SweepEvery
	}
	e := proto.CloneOf(last)
	e.OccurredAt = timestamppb.New(w.clock.Now())
	data, err := protojson.Marshal(e)
	if err == nil {
		err = w.bus.Publish(ctx, w.subject, data, "")
	}
	if err != nil {
		w.log.DebugContext(ctx, "what this engine serves could not be told", "error", err)
		return sayAgain
	}
	return SweepEvery
}
