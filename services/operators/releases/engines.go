package releases

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"buf.build/go/protovalidate"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/release"
)

const (
	// maxEngines bounds how many engines are remembered.
	maxEngines = 10_000
	// forgetEvery is how often a word makes the board look for silent engines.
	forgetEvery = time.Second
)

// Engines is what engines say about releases, as the stream RELEASES holds it. It is safe for concurrent use.
type Engines struct {
	conn  *jetstream.Conn
	clock clock.Clock
	log   *slog.Logger

	mu    sync.Mutex
	heard map[uuid.UUID]*heard
	// once are the engines heard only once, the one heard longest ago in front. They make room when the board is full:
	// an engine speaks every 30 s, and a made-up one most often only once.
	once *list.List
	// forgot is when silent engines were last looked for; full is set once a word was dropped.
	forgot time.Time
	full   bool
}

// heard is the last word of an engine, and its place in once until it speaks again.
type heard struct {
	word  operators.EngineWord
	place *list.Element
}

// NewEngines returns a board that hears nothing before Listen.
func NewEngines(conn *jetstream.Conn, clk clock.Clock, log *slog.Logger) *Engines {
	return &Engines{conn: conn, clock: clk, log: log, heard: map[uuid.UUID]*heard{}, once: list.New()}
}

// Listen hears until ctx ends.
func (e *Engines) Listen(ctx context.Context) {
	words, err := e.conn.Follow(ctx, jetstream.FollowSpec{Stream: release.Stream, Policy: jetstream.LastPerSubject}, func(ctx context.Context, m jetstream.Message) {
		word, err := readWord(m)
		if err != nil {
			e.log.DebugContext(ctx, "an engine's word on releases cannot be read", "subject", m.Subject, "error", err)
			return
		}
		e.hear(word)
	})
	if err != nil {
		e.log.ErrorContext(ctx, "what engines say about releases is not heard", "error", err)
		return
	}
	defer words.Stop()
	<-ctx.Done()
}

func (e *Engines) hear(word operators.EngineWord) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.clock.Now()
	if now.Sub(e.forgot) >= forgetEvery {
		e.forget(now)
	}
	if known, ok := e.heard[word.EngineID]; ok {
		if known.place != nil && word.At.After(known.word.At) { // and not the same word again
			e.once.Remove(known.place)
			known.place = nil
		}
		known.word = word
		return
	}
	if len(e.heard) >= maxEngines && !e.makeRoom() {
		return
	}
	e.heard[word.EngineID] = &heard{word, e.once.PushBack(word.EngineID)}
}

// makeRoom drops an engine that was heard only once; false when there is none.
func (e *Engines) makeRoom() bool {
	if !e.full {
		e.full = true
		e.log.Warn("more engines speak of releases than are remembered: words are dropped; let only engines publish, each on its own subject",
			"most", maxEngines, "subjects", release.EngineSubject("*"))
	}
	first := e.once.Front()
	if first == nil {
		return false
	}
	e.drop(first.Value.(uuid.UUID))
	return true
}

func (e *Engines) drop(id uuid.UUID) {
	if place := e.heard[id].place; place != nil {
		e.once.Remove(place)
	}
	delete(e.heard, id)
}

// forget leaves out the engines that have been silent for too long.
func (e *Engines) forget(now time.Time) {
	e.forgot = now
	oldest := now.Add(-operators.EngineLife)
	for id, h := range e.heard {
		if h.word.At.Before(oldest) {
			e.drop(id)
		}
	}
}

// Heard gives the last word of each engine within operators.EngineLife: those that refuse a release first, then by host
// and id.
func (e *Engines) Heard() []operators.EngineWord {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forget(e.clock.Now())
	all := make([]operators.EngineWord, 0, len(e.heard))
	for _, h := range e.heard {
		all = append(all, h.word)
	}
	slices.SortFunc(all, func(a, b operators.EngineWord) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Host, b.Host), slices.Compare(a.EngineID[:], b.EngineID[:]))
	})
	return all
}

func rank(word operators.EngineWord) int {
	if word.State == operators.EngineRefused {
		return 0
	}
	return 1
}

// Count counts engines by what they do.
func (e *Engines) Count(state operators.EngineState) (n int) {
	for _, word := range e.Heard() {
		if word.State == state {
			n++
		}
	}
	return n
}

// unmarshal takes fields that it does not know: a newer engine may send them.
var unmarshal = protojson.UnmarshalOptions{DiscardUnknown: true}

// readWord reads a ReleaseEvent. Its time is that of the stream. The enums have the same numbers; a test holds them to it.
func readWord(m jetstream.Message) (operators.EngineWord, error) {
	var event eventsv1.ReleaseEvent
	if err := unmarshal.Unmarshal(m.Data, &event); err != nil {
		return operators.EngineWord{}, err
	}
	if err := protovalidate.Validate(&event); err != nil {
		return operators.EngineWord{}, err
	}
	if m.Subject != release.EngineSubject(event.GetEngineId()) {
		return operators.EngineWord{}, errForeign
	}
	return operators.EngineWord{
		EngineID: idOf(event.GetEngineId()), Host: event.GetHost(), State: operators.EngineState(event.GetState()),
		ReleaseID: idOf(event.GetReleaseId()), Activation: event.GetActivation(), Reason: event.GetReason(),
		ServingID: idOf(event.GetServingReleaseId()), ServingActivation: event.GetServingActivation(),
		ServingSince: timeOf(event.GetServingSince()), At: m.Time.UTC(),
	}, nil
}

var errForeign = errors.New("the event is about another engine than its subject")

// idOf reads an id that the schema has checked; "" gives the nil UUID.
func idOf(text string) uuid.UUID {
	id, _ := uuid.Parse(text)
	return id
}

func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
