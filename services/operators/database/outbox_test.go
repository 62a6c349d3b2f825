package database_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
)

// outboxAt is when the tests of the outbox take place.
var outboxAt = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const outboxLease = 10 * time.Second

// commitEvent puts an event into the outbox as a change does.
func commitEvent(t *testing.T, db *bun.DB, at time.Time) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	_, err := db.NewRaw(`INSERT INTO outbox (event_id, subject, payload, traceparent, created_at, due_at)
		VALUES (?, 'operator.config.updated', ?, '00-trace', ?, ?)`, id, "{"+id.String()+"}", at, at).Exec(t.Context())
	require.NoError(t, err)
	return id
}

// eventRow is what the outbox holds of an event.
type eventRow struct {
	State, ClaimedBy, LastError string
	Attempts                    int
	DueAt                       time.Time
}

func readEvent(t *testing.T, db *bun.DB, id uuid.UUID) eventRow {
	t.Helper()
	var r eventRow
	require.NoError(t, db.NewRaw("SELECT state, claimed_by, last_error, attempts, due_at FROM outbox WHERE event_id = ?", id).
		Scan(t.Context(), &r.State, &r.ClaimedBy, &r.LastError, &r.Attempts, &r.DueAt))
	r.DueAt = r.DueAt.UTC()
	return r
}

func claimEvents(t *testing.T, o *database.Outbox, owner string, now time.Time, limit int) []uuid.UUID {
	t.Helper()
	events, err := o.Claim(t.Context(), operators.OutboxClaim{Owner: owner, Now: now, Until: now.Add(outboxLease), Limit: limit})
	require.NoError(t, err)
	ids := make([]uuid.UUID, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return ids
}

func TestEventsAreClaimedOldestFirstAndOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		o := database.NewOutbox(k.db)
		third := commitEvent(t, k.db, outboxAt.Add(3*time.Second))
		first := commitEvent(t, k.db, outboxAt.Add(time.Second))
		second := commitEvent(t, k.db, outboxAt.Add(1500*time.Millisecond))
		now := outboxAt.Add(time.Minute)

		events, err := o.Claim(t.Context(), operators.OutboxClaim{Owner: "a", Now: now, Until: now.Add(outboxLease), Limit: 2})
		require.NoError(t, err)
		require.Equal(t, []operators.Outgoing{
			{ID: first, Subject: "operator.config.updated", Payload: []byte("{" + first.String() + "}"), Traceparent: "00-trace"},
			{ID: second, Subject: "operator.config.updated", Payload: []byte("{" + second.String() + "}"), Traceparent: "00-trace"},
		}, events)
		require.Equal(t, eventRow{State: "PENDING", ClaimedBy: "a", DueAt: now.Add(outboxLease)}, readEvent(t, k.db, first))
		require.Equal(t, []uuid.UUID{third}, claimEvents(t, o, "b", now, 10))
		require.Empty(t, claimEvents(t, o, "a", now, 10), "not even by the one who has them")
	})
}

func TestTheClaimOfADeadRelayEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		o := database.NewOutbox(k.db)
		id := commitEvent(t, k.db, outboxAt)
		claimEvents(t, o, "dead", outboxAt, 1)
		require.Empty(t, claimEvents(t, o, "heir", outboxAt.Add(outboxLease-time.Millisecond), 1))
		require.Equal(t, []uuid.UUID{id}, claimEvents(t, o, "heir", outboxAt.Add(outboxLease), 1))
		require.Equal(t, "heir", readEvent(t, k.db, id).ClaimedBy)
	})
}

func TestANewEventIsDueWhateverTheClockOfItsWriterSaid(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		o := database.NewOutbox(k.db)
		id := commitEvent(t, k.db, outboxAt.Add(5*time.Second))
		require.Equal(t, []uuid.UUID{id}, claimEvents(t, o, "a", outboxAt, 1))
	})
}

func TestAClockSetBackDelaysAnEventByTwoMinutesAtMost(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		o := database.NewOutbox(k.db)
		claimed, waiting := commitEvent(t, k.db, outboxAt), commitEvent(t, k.db, outboxAt.Add(time.Second))
		claimEvents(t, o, "a", outboxAt, 2)
		require.NoError(t, o.Settle(t.Context(), "a", nil, []operators.Setback{{ID: waiting, Failures: 9, Due: outboxAt.Add(time.Minute)}}, outboxAt))
		back := outboxAt.Add(-time.Hour)
		require.Equal(t, []uuid.UUID{claimed, waiting}, claimEvents(t, o, "b", back, 10))
		require.Empty(t, claimEvents(t, o, "b", back, 10))
	})
}

func TestWhatBecameOfABatchIsWrittenDown(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		o := database.NewOutbox(k.db)
		good, bad, free := commitEvent(t, k.db, outboxAt), commitEvent(t, k.db, outboxAt), commitEvent(t, k.db, outboxAt.Add(time.Second))
		claimEvents(t, o, "a", outboxAt, 2)
		due := outboxAt.Add(4 * time.Second)
		require.NoError(t, o.Settle(t.Context(), "a", []uuid.UUID{good},
			[]operators.Setback{{ID: bad, Failures: 3, Due: due, Reason: "REASON: text"}}, outboxAt.Add(time.Second)))
		require.Equal(t, eventRow{State: "PUBLISHED", DueAt: outboxAt.Add(outboxLease)}, readEvent(t, k.db, good))
		require.Equal(t, eventRow{State: "PENDING_PUBLISH", Attempts: 3, LastError: "REASON: text", DueAt: due}, readEvent(t, k.db, bad))

		require.Equal(t, []uuid.UUID{free}, claimEvents(t, o, "a", due.Add(-time.Millisecond), 10), "the other one waits")
		events, err := o.Claim(t.Context(), operators.OutboxClaim{Owner: "b", Now: due, Until: due.Add(outboxLease), Limit: 10})
		require.NoError(t, err)
		require.Len(t, events, 1)
		require.Equal(t, bad, events[0].ID)
		require.Equal(t, 3, events[0].Failures)
		require.True(t, events[0].Late)
	})
}

func TestOneWhoLostItsClaimCanSayPublishedButNotFailed(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		o := database.NewOutbox(k.db)
		published, failed := commitEvent(t, k.db, outboxAt), commitEvent(t, k.db, outboxAt)
		claimEvents(t, o, "slow", outboxAt, 2)
		later := outboxAt.Add(outboxLease)
		claimEvents(t, o, "heir", later, 2)
		setback := []operators.Setback{{ID: failed, Failures: 3, Due: later, Reason: "slow"}}
		require.NoError(t, o.Settle(t.Context(), "slow", []uuid.UUID{published}, setback, later))
		require.Equal(t, "PUBLISHED", readEvent(t, k.db, published).State)
		require.Equal(t, eventRow{State: "PENDING", ClaimedBy: "heir", DueAt: later.Add(outboxLease)}, readEvent(t, k.db, failed))

		// The heir finds out that it was published before it tried itself.
		require.NoError(t, o.Settle(t.Context(), "heir", []uuid.UUID{failed}, []operators.Setback{{ID: published, Failures: 1, Due: later}}, later))
		require.Equal(t, "PUBLISHED", readEvent(t, k.db, published).State)
		require.Equal(t, "PUBLISHED", readEvent(t, k.db, failed).State)
		require.Empty(t, claimEvents(t, o, "heir", later.Add(time.Hour), 10))
	})
}

func TestHastenEndsThePausesAndNoClaims(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		o := database.NewOutbox(k.db)
		waiting, claimed := commitEvent(t, k.db, outboxAt), commitEvent(t, k.db, outboxAt.Add(time.Second))
		claimEvents(t, o, "a", outboxAt, 2)
		pause := []operators.Setback{
			{ID: waiting, Failures: 9, Due: outboxAt.Add(time.Minute)},
			{ID: claimed, Failures: 3, Due: outboxAt.Add(time.Second)},
		}
		require.NoError(t, o.Settle(t.Context(), "a", nil, pause, outboxAt))
		now := outboxAt.Add(2 * time.Second)
		require.Equal(t, []uuid.UUID{claimed}, claimEvents(t, o, "a", now, 2))
		require.NoError(t, o.Hasten(t.Context(), now))
		require.Equal(t, []uuid.UUID{waiting}, claimEvents(t, o, "b", now, 2))
	})
}

func TestPublishedEventsAreClearedInBatchesOldestFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		o := database.NewOutbox(k.db)
		for i := range 5 {
			at := outboxAt.Add(time.Duration(i) * time.Minute)
			commitEvent(t, k.db, at)
			require.NoError(t, o.Settle(t.Context(), "a", claimEvents(t, o, "a", at, 1), nil, at))
		}
		waiting := commitEvent(t, k.db, outboxAt.Add(-time.Hour))
		var counts []int
		for range 3 {
			deleted, err := o.Clear(t.Context(), outboxAt.Add(3*time.Minute), 2)
			require.NoError(t, err)
			counts = append(counts, deleted)
		}
		require.Equal(t, []int{2, 1, 0}, counts)
		status, err := o.Status(t.Context(), outboxAt)
		require.NoError(t, err)
		require.Equal(t, operators.OutboxStatus{Pending: 1, Published: 2, Oldest: time.Hour}, status)
		require.Equal(t, "PENDING", readEvent(t, k.db, waiting).State)
	})
}

func TestStatusTellsWhatWaitsForHowLongAndWhy(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		o := database.NewOutbox(k.db)
		check := func(now time.Time, want operators.OutboxStatus) {
			t.Helper()
			status, err := o.Status(t.Context(), now)
			require.NoError(t, err)
			require.Equal(t, want, status)
		}
		check(outboxAt, operators.OutboxStatus{})
		one, two, three := commitEvent(t, k.db, outboxAt), commitEvent(t, k.db, outboxAt.Add(time.Second)), commitEvent(t, k.db, outboxAt.Add(2*time.Second))
		check(outboxAt.Add(time.Minute), operators.OutboxStatus{Pending: 3, Oldest: time.Minute})
		check(outboxAt.Add(-time.Minute), operators.OutboxStatus{Pending: 3}) // no negative age
		claimEvents(t, o, "a", outboxAt, 3)
		require.NoError(t, o.Settle(t.Context(), "a", []uuid.UUID{one}, []operators.Setback{
			{ID: two, Failures: 3, Due: outboxAt.Add(3 * time.Second), Reason: "FORMER: text"},
			{ID: three, Failures: 3, Due: outboxAt.Add(4 * time.Second), Reason: "LATTER: text"},
		}, outboxAt))
		check(outboxAt.Add(time.Minute), operators.OutboxStatus{PendingPublish: 2, Published: 1, Oldest: 59 * time.Second, LastError: "LATTER: text"})
		claimEvents(t, o, "a", outboxAt.Add(time.Minute), 3)
		require.NoError(t, o.Settle(t.Context(), "a", []uuid.UUID{two, three}, nil, outboxAt))
		check(outboxAt.Add(time.Minute), operators.OutboxStatus{Published: 3})
	})
}

// Another relay is in the middle of its claim: it holds the locks of its rows and has not committed.
func TestRelaysDoNotWaitForEachOther(t *testing.T) {
	k := newKit(t, bunstoretest.Postgres(t, migrations.Postgres), migrations.Postgres, "postgres")
	o := database.NewOutbox(k.db)
	held, free := commitEvent(t, k.db, outboxAt), commitEvent(t, k.db, outboxAt.Add(time.Second))
	other, err := k.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = other.NewRaw("SELECT 1 FROM outbox WHERE event_id = ? FOR UPDATE", held).Exec(t.Context())
	require.NoError(t, err)
	limited, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	events, err := o.Claim(limited, operators.OutboxClaim{Owner: "a", Now: outboxAt, Until: outboxAt.Add(outboxLease), Limit: 10})
	require.NoError(t, err)
	require.Len(t, events, 1)
	require.Equal(t, free, events[0].ID)
	require.NoError(t, other.Rollback())
	require.Equal(t, []uuid.UUID{held}, claimEvents(t, o, "a", outboxAt, 10))
}

func TestADeadServerIsUnavailableForTheOutboxToo(t *testing.T) {
	server := pgtest.Start(t)
	k := newKit(t, server.URL(), migrations.Postgres, "postgres")
	o := database.NewOutbox(k.db)
	id := commitEvent(t, k.db, outboxAt)
	server.Kill(t)
	ctx := t.Context()
	_, err := o.Claim(ctx, operators.OutboxClaim{Owner: "a", Now: outboxAt, Until: outboxAt, Limit: 1})
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	requireFault(t, o.Settle(ctx, "a", []uuid.UUID{id}, nil, outboxAt), fault.Unavailable, bunstore.ReasonUnavailable)
	requireFault(t, o.Hasten(ctx, outboxAt), fault.Unavailable, bunstore.ReasonUnavailable)
	_, err = o.Clear(ctx, outboxAt, 1)
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	_, err = o.Status(ctx, outboxAt)
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
}
