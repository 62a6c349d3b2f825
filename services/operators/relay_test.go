package operators_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

// memoryOutbox is an outbox in memory. The real ones have tests of their own; this one lets time pass at no cost.
type memoryOutbox struct {
	mu      sync.Mutex
	rows    []*memoryRow
	err     error
	cleared []time.Time
	old     int    // published events that are old enough to be cleared
	claimed func() // called by a claim that takes something, may be nil
}

type memoryRow struct {
	operators.Outgoing
	name                string
	state, owner        string
	created, due, ended time.Time
	reason              string
}

func (q *memoryOutbox) add(names ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, name := range names {
		e := operators.Outgoing{ID: uuid.New(), Subject: "operator.config.updated", Payload: []byte(name)}
		q.rows = append(q.rows, &memoryRow{Outgoing: e, name: name, state: "PENDING", created: time.Now()})
	}
}

func (q *memoryOutbox) fails(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.err = err
}

// of gives a copy of an event's row.
func (q *memoryOutbox) of(name string) memoryRow {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, row := range q.rows {
		if row.name == name {
			return *row
		}
	}
	return memoryRow{}
}

func (q *memoryOutbox) Claim(ctx context.Context, c operators.OutboxClaim) ([]operators.Outgoing, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var batch []operators.Outgoing
	for _, row := range q.rows {
		if len(batch) < c.Limit && row.state != "PUBLISHED" && !row.due.After(c.Now) && q.err == nil {
			row.owner, row.due = c.Owner, c.Until
			row.Late = row.state == "PENDING_PUBLISH"
			batch = append(batch, row.Outgoing)
		}
	}
	if q.claimed != nil && len(batch) > 0 {
		q.claimed()
	}
	// As with a real one, a caller who goes away now does not know what it has.
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return batch, q.err
}

func (q *memoryOutbox) Settle(ctx context.Context, owner string, published []uuid.UUID, setbacks []operators.Setback, at time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := cmp.Or(ctx.Err(), q.err); err != nil {
		return err
	}
	for _, row := range q.rows {
		if slices.Contains(published, row.ID) {
			row.state, row.owner, row.ended = "PUBLISHED", "", at
		}
		for _, s := range setbacks {
			if s.ID == row.ID && row.owner == owner {
				row.state, row.owner, row.ended = "PENDING_PUBLISH", "", at
				row.Failures, row.due, row.reason = s.Failures, s.Due, s.Reason
			}
		}
	}
	return nil
}

func (q *memoryOutbox) Hasten(_ context.Context, now time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, row := range q.rows {
		if q.err == nil && row.state == "PENDING_PUBLISH" && row.owner == "" {
			row.due = now
		}
	}
	return q.err
}

func (q *memoryOutbox) Clear(_ context.Context, before time.Time, limit int) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.cleared = append(q.cleared, before)
	n := min(q.old, limit)
	q.old -= n
	return n, q.err
}

func (q *memoryOutbox) Status(_ context.Context, now time.Time) (operators.OutboxStatus, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var s operators.OutboxStatus
	for _, row := range q.rows {
		if row.state == "PENDING" {
			s.Pending++
			s.Oldest = max(s.Oldest, now.Sub(row.created))
		}
	}
	return s, q.err
}

// memoryStream records what was published. refuse decides on each try, and may take its time.
type memoryStream struct {
	mu     sync.Mutex
	tries  []streamTry
	refuse func(ctx context.Context, name string) error
}

type streamTry struct {
	name string
	at   time.Time
	err  error
}

var errStreamDown = fault.New(fault.Unavailable, "MESSAGING_UNAVAILABLE", "The messaging service is not available.").
	Wrap(errors.New("dial tcp 10.1.2.3:4222: connection refused"))

func (s *memoryStream) Publish(ctx context.Context, e operators.Outgoing) error {
	at := time.Now()
	s.mu.Lock()
	refuse := s.refuse
	s.mu.Unlock()
	var err error
	if refuse != nil {
		err = refuse(ctx, string(e.Payload))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries = append(s.tries, streamTry{string(e.Payload), at, err})
	return err
}

func (s *memoryStream) answers(refuse func(ctx context.Context, name string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = refuse
}

// after gives how long after start each try of an event was made.
func (s *memoryStream) after(start time.Time, name string) []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []time.Duration
	for _, try := range s.tries {
		if try.name == name {
			all = append(all, try.at.Sub(start))
		}
	}
	return all
}

// stored gives the events that were acknowledged, in their order.
func (s *memoryStream) stored() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, try := range s.tries {
		if try.err == nil {
			names = append(names, try.name)
		}
	}
	return names
}

// relaying runs a relay in a bubble where time costs nothing. The relay has found its outbox empty, and waits.
func relaying(t *testing.T, check func(t *testing.T, r *operators.Relay, q *memoryOutbox, s *memoryStream, log *bytes.Buffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		q, s, log := &memoryOutbox{}, &memoryStream{}, &bytes.Buffer{}
		r := operators.NewRelay(q, s, time.Now, slog.New(slog.NewTextHandler(log, nil)))
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.Run(ctx)
		}()
		defer func() {
			cancel()
			<-done
		}()
		synctest.Wait()
		check(t, r, q, s, log)
	})
}

// relayFor lets time go by.
func relayFor(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func numbered(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = prefix + strings.Repeat("i", i)
	}
	return all
}

func TestAWakePublishesAtOnceAndInOrder(t *testing.T) {
	relaying(t, func(t *testing.T, r *operators.Relay, q *memoryOutbox, s *memoryStream, _ *bytes.Buffer) {
		start := time.Now()
		all := numbered("e", 250) // more than two batches
		q.add(all...)
		require.Empty(t, s.stored())
		r.Wake()
		r.Wake()
		r.Wake() // never blocks
		synctest.Wait()
		require.Equal(t, all, s.stored())
		require.Zero(t, time.Since(start))
		require.Equal(t, "PUBLISHED", q.of("e").state)
	})
}

func TestEventsOfOthersAreFoundWithinASecond(t *testing.T) {
	relaying(t, func(t *testing.T, _ *operators.Relay, q *memoryOutbox, s *memoryStream, _ *bytes.Buffer) {
		q.add("theirs")
		relayFor(time.Second)
		require.Equal(t, []string{"theirs"}, s.stored())
	})
}

func TestThreeQuickTriesThenPausesThatDoubleToAMinute(t *testing.T) {
	relaying(t, func(t *testing.T, r *operators.Relay, q *memoryOutbox, s *memoryStream, log *bytes.Buffer) {
		start := time.Now()
		s.answers(func(context.Context, string) error { return errStreamDown })
		q.add("e")
		r.Wake()
		relayFor(500 * time.Millisecond)
		require.Equal(t, []time.Duration{0, 100 * time.Millisecond, 500 * time.Millisecond}, s.after(start, "e"))
		row := q.of("e")
		require.Equal(t, "PENDING_PUBLISH", row.state)
		require.Equal(t, 3, row.Failures)
		require.Equal(t, "MESSAGING_UNAVAILABLE: The messaging service is not available.", row.reason, "it names no address")
		require.Contains(t, log.String(), `reason="MESSAGING_UNAVAILABLE: The messaging service is not available."`)

		pauses := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second,
			32 * time.Second, time.Minute, time.Minute, time.Minute}
		for i, longest := range pauses {
			row := q.of("e")
			require.Equal(t, i+3, row.Failures)
			pause := row.due.Sub(row.ended)
			require.GreaterOrEqual(t, pause, longest/2)
			require.LessOrEqual(t, pause, longest)
			for q.of("e").Failures == row.Failures { // one try only, at the first look after it is due
				relayFor(time.Second)
				require.Less(t, time.Since(row.due), 3*time.Second)
			}
		}
		s.answers(nil)
		relayFor(62 * time.Second)
		require.Equal(t, []string{"e"}, s.stored(), "nobody had to help")
	})
}

func TestHastenTriesAtOnceWhatWaits(t *testing.T) {
	relaying(t, func(t *testing.T, r *operators.Relay, q *memoryOutbox, s *memoryStream, _ *bytes.Buffer) {
		s.answers(func(context.Context, string) error { return errStreamDown })
		q.add(numbered("e", 5)...)
		relayFor(5 * time.Minute)
		s.answers(nil)
		relayFor(time.Millisecond)
		before := time.Now()
		r.Hasten()
		synctest.Wait()
		require.Len(t, s.stored(), 5)
		require.Zero(t, time.Since(before))
	})
}

func TestAnEventThatCannotBePublishedKeepsNoOtherWaiting(t *testing.T) {
	relaying(t, func(t *testing.T, r *operators.Relay, q *memoryOutbox, s *memoryStream, _ *bytes.Buffer) {
		tooLarge := fault.New(fault.InvalidArgument, "EVENT_TOO_LARGE", "The event is too large.")
		s.answers(func(_ context.Context, name string) error {
			if strings.HasPrefix(name, "bad") {
				return tooLarge
			}
			return nil
		})
		start := time.Now()
		bad, good := numbered("bad", 150), numbered("good", 20)
		q.add(bad...)
		q.add(good...)
		r.Wake()
		relayFor(2 * time.Second)
		require.Len(t, s.stored(), len(good))
		// Later ones are not kept by the quick tries of former ones either.
		relayFor(10 * time.Minute)
		late := time.Now()
		q.add("late")
		r.Wake()
		synctest.Wait()
		require.Contains(t, s.stored(), "late")
		require.Zero(t, time.Since(late))
		require.Equal(t, "EVENT_TOO_LARGE: The event is too large.", q.of("bad").reason)
		require.Less(t, len(s.after(start, "bad")), 30)
	})
}

// The stream hangs: each try takes as long as it may.
func TestAStreamThatHangsHoldsABatchForLessThanItsClaim(t *testing.T) {
	relaying(t, func(t *testing.T, r *operators.Relay, q *memoryOutbox, s *memoryStream, _ *bytes.Buffer) {
		s.answers(func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		})
		q.add(numbered("e", 100)...)
		start := time.Now()
		r.Wake()
		synctest.Wait()
		claimed := q.of("e").due
		relayFor(4600 * time.Millisecond)
		for _, name := range []string{"e", "e" + strings.Repeat("i", 99)} {
			row := q.of(name)
			require.Equal(t, "PENDING_PUBLISH", row.state)
			require.Equal(t, 3, row.Failures)
			require.Less(t, row.ended, claimed)
			require.Equal(t, "DEADLINE_EXCEEDED: The request ran out of time.", row.reason)
		}
		require.Len(t, s.after(start, "e"), 3)
	})
}

func TestASlowStreamGetsARestOfABatchAtOnce(t *testing.T) {
	relaying(t, func(t *testing.T, r *operators.Relay, q *memoryOutbox, s *memoryStream, _ *bytes.Buffer) {
		s.answers(func(context.Context, string) error {
			<-time.After(300 * time.Millisecond)
			return nil
		})
		q.add(numbered("e", 100)...)
		r.Wake()
		relayFor(time.Second) // two in order, the rest at once
		require.Len(t, s.stored(), 100)
		require.Equal(t, "PUBLISHED", q.of("e"+strings.Repeat("i", 99)).state)
	})
}

func TestAStopFinishesTheBatchInHand(t *testing.T) {
	for _, c := range []struct {
		name, state string
		err         error
	}{
		{"and marks what was published", "PUBLISHED", nil},
		{"and leaves what was not to another", "PENDING_PUBLISH", errStreamDown},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				q, s := &memoryOutbox{}, &memoryStream{}
				s.answers(func(ctx context.Context, _ string) error {
					cancel()
					<-time.After(200 * time.Millisecond)
					return cmp.Or(ctx.Err(), c.err)
				})
				q.add("one", "two")
				operators.NewRelay(q, s, time.Now, slog.New(slog.DiscardHandler)).Run(ctx)
				require.Equal(t, c.state, q.of("one").state)
				require.Equal(t, c.state, q.of("two").state)
				require.Len(t, s.after(time.Now(), "two"), 1, "no further tries")
			})
		})
	}
}

func TestAStopDuringAClaimLeavesNothingClaimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		q := &memoryOutbox{claimed: cancel}
		q.add("e")
		operators.NewRelay(q, &memoryStream{}, time.Now, slog.New(slog.DiscardHandler)).Run(ctx)
		require.Equal(t, "PUBLISHED", q.of("e").state)
	})
}

func TestAnOutboxThatIsDownIsAskedEverySecondAndLoggedOnce(t *testing.T) {
	relaying(t, func(t *testing.T, r *operators.Relay, q *memoryOutbox, s *memoryStream, log *bytes.Buffer) {
		s.answers(func(context.Context, string) error { return errStreamDown })
		q.add("e")
		relayFor(10 * time.Minute) // the next try is up to a minute away
		s.answers(nil)
		q.fails(fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "The database cannot be reached."))
		r.Hasten()
		relayFor(10 * time.Second)
		q.mu.Lock()
		q.rows[0].due = time.Now().Add(time.Minute)
		q.mu.Unlock()
		require.Empty(t, s.stored())
		require.Equal(t, 1, strings.Count(log.String(), "the outbox does not answer"))
		q.fails(nil)
		relayFor(time.Second)
		require.Equal(t, []string{"e"}, s.stored(), "what Hasten asked for is not forgotten")
		require.Equal(t, 1, strings.Count(log.String(), "the outbox answers again"))
	})
}

// The outbox is lost after the event reached the stream.
func TestAnEventThatWasNotMarkedIsPublishedAgain(t *testing.T) {
	relaying(t, func(t *testing.T, r *operators.Relay, q *memoryOutbox, s *memoryStream, _ *bytes.Buffer) {
		s.answers(func(context.Context, string) error {
			q.fails(errors.New("gone"))
			return nil
		})
		q.add("e")
		r.Wake()
		synctest.Wait()
		require.Equal(t, "PENDING", q.of("e").state)
		s.answers(nil)
		q.fails(nil)
		relayFor(13 * time.Second)
		require.Equal(t, []string{"e", "e"}, s.stored())
		require.Equal(t, "PUBLISHED", q.of("e").state)
	})
}

func TestTheBacklogIsCountedAndAgesBetweenCounts(t *testing.T) {
	relaying(t, func(t *testing.T, r *operators.Relay, q *memoryOutbox, s *memoryStream, _ *bytes.Buffer) {
		events, oldest := r.Backlog()
		require.Zero(t, events)
		require.Zero(t, oldest)
		s.answers(func(ctx context.Context, _ string) error {
			<-time.After(time.Second)
			return errStreamDown
		})
		start := time.Now()
		q.mu.Lock()
		q.rows = append(q.rows, &memoryRow{state: "PENDING", created: start, due: start.Add(time.Hour)})
		q.mu.Unlock()
		relayFor(5 * time.Second)
		events, oldest = r.Backlog()
		require.EqualValues(t, 1, events)
		require.Equal(t, 5*time.Second, oldest)
		relayFor(3 * time.Second)
		_, oldest = r.Backlog()
		require.Equal(t, 8*time.Second, oldest)
		status, err := r.Status(t.Context())
		require.NoError(t, err)
		require.Equal(t, operators.OutboxStatus{Pending: 1, Oldest: 8 * time.Second}, status)
		q.fails(errStreamDown)
		relayFor(time.Minute)
		_, oldest = r.Backlog()
		require.Equal(t, 68*time.Second, oldest, "it ages while nothing can be counted")
		_, err = r.Status(t.Context())
		require.ErrorIs(t, err, errStreamDown)
	})
}

func TestPublishedEventsAreClearedAwayAfterADay(t *testing.T) {
	relaying(t, func(t *testing.T, _ *operators.Relay, q *memoryOutbox, _ *memoryStream, _ *bytes.Buffer) {
		q.mu.Lock()
		q.old, q.cleared = 50_000, nil
		q.mu.Unlock()
		relayFor(6 * time.Second)
		q.mu.Lock()
		require.Len(t, q.cleared, 20, "one clearance is bounded")
		require.Equal(t, 24*time.Hour, time.Since(q.cleared[0]).Truncate(time.Hour))
		require.Equal(t, 30_000, q.old)
		q.mu.Unlock()
		relayFor(11 * time.Second)
		q.mu.Lock()
		require.Zero(t, q.old)
		q.mu.Unlock()
	})
}
