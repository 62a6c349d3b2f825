package database_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/fault"
)

// within runs do in a transaction.
func (k kit) within(t *testing.T, do func(ctx context.Context, tx operators.Tx) error) error {
	t.Helper()
	return k.store.InTx(t.Context(), do)
}

func TestARequestIsRememberedForItsActorAndADay(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		now := k.clock.Now()
		r := operators.Request{Actor: "ann", ID: "r1", Fingerprint: "f1"}
		ask := func(r operators.Request, at time.Time) (reply string, known bool, err error) {
			err = k.within(t, func(ctx context.Context, tx operators.Tx) error {
				reply, known, err = tx.Repeated(ctx, r, at)
				return err
			})
			return reply, known, err
		}
		remember := func(r operators.Request, reply string, at time.Time) {
			require.NoError(t, k.within(t, func(ctx context.Context, tx operators.Tx) error { return tx.Remember(ctx, r, reply, at) }))
		}
		_, known, err := ask(r, now)
		require.NoError(t, err)
		require.False(t, known)
		remember(r, `{"a":1}`, now)
		reply, known, err := ask(r, now.Add(24*time.Hour-time.Microsecond))
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, `{"a":1}`, reply)

		other := r
		other.Fingerprint = "f2"
		_, _, err = ask(other, now)
		requireFault(t, err, fault.InvalidArgument, operators.ReasonRequestReused)
		require.Equal(t, "request_id", fault.From(err).Violations[0].Field)
		other.Actor = "bob"
		_, known, err = ask(other, now)
		require.NoError(t, err)
		require.False(t, known)

		late := r
		late.Fingerprint = "f3"
		_, known, err = ask(late, now.Add(24*time.Hour))
		require.NoError(t, err, "an old request does not count, whatever it was")
		require.False(t, known)
		remember(late, "2", now.Add(24*time.Hour))
		reply, known, err = ask(late, now.Add(25*time.Hour))
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, "2", reply)

		none := operators.Request{Actor: "ann", Fingerprint: "f1"}
		remember(none, "x", now)
		_, known, err = ask(none, now)
		require.NoError(t, err)
		require.False(t, known, "a request without an id is never a repeat")

		remember(other, "3", now.Add(time.Hour))
		purged, err := k.store.PurgeRequests(t.Context(), now.Add(24*time.Hour))
		require.NoError(t, err)
		require.Equal(t, 1, purged)
		_, known, err = ask(late, now.Add(25*time.Hour))
		require.NoError(t, err)
		require.True(t, known)
	})
}

func TestAnEntryIsWrittenWithItsEventsOrNotAtAll(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		at := k.clock.Now()
		event := operators.Event{ID: uuid.Must(uuid.NewV7()), Kind: operators.EventDeleted, ConfigVersion: 5, OccurredAt: at}
		entry := operators.Entry{Action: "x.y", Entity: "x", EntityID: "1", Before: []byte(`{}`), At: at, Events: []operators.Event{event}}
		write := func(e operators.Entry) error {
			return k.within(t, func(ctx context.Context, tx operators.Tx) error { return tx.Record(ctx, someone, e) })
		}
		broken := entry
		broken.Events = []operators.Event{event, {ID: uuid.Must(uuid.NewV7()), Kind: "unknown", ConfigVersion: 5}}
		requireFault(t, write(broken), fault.Internal, fault.ReasonInternal)
		require.Empty(t, k.audit(t))
		require.Empty(t, k.events(t))

		require.NoError(t, write(entry))
		before := `{}`
		require.Equal(t, []record{{
			Actor: "someone", RequestID: "trace-1", Action: "x.y", Entity: "x", EntityID: "1", Before: &before, OccurredAt: at,
		}}, k.audit(t))
		require.Len(t, k.events(t), 1)
		var row struct {
			EventID      uuid.UUID
			State        string
			DueAt        time.Time
			Attempts     int
			ClaimedBy    string
			LastError    string
			PublishedNil bool
		}
		require.NoError(t, k.db.NewRaw(`SELECT event_id, state, due_at, attempts, claimed_by, last_error, published_at IS NULL AS published_nil FROM outbox`).
			Scan(t.Context(), &row))
		require.Equal(t, event.ID, row.EventID)
		require.Equal(t, "PENDING 0  ", strings.Join([]string{row.State, "0", row.ClaimedBy, row.LastError}, " "))
		require.True(t, row.PublishedNil)
		require.Equal(t, at, row.DueAt.UTC(), "it is due at once")

		require.NoError(t, k.store.Audit(t.Context(), someone, operators.Entry{Action: "z", At: at}))
		require.Len(t, k.audit(t), 2)
		requireFault(t, k.store.Audit(t.Context(), someone, entry), fault.Internal, fault.ReasonInternal)
		require.Len(t, k.audit(t), 2)
	})
}

func TestAnAuditDoesNotWaitForAChangeUnderWay(t *testing.T) {
	k := newKit(t, bunstoretest.Postgres(t, migrations.Postgres), migrations.Postgres, "postgres")
	require.NoError(t, k.within(t, func(context.Context, operators.Tx) error {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		// On another connection, while this transaction holds the lock of the changes.
		if err := k.store.Audit(ctx, someone, operators.Entry{Action: "credentials.read", At: k.clock.Now()}); err != nil {
			return err
		}
		_, _, err := k.store.LiveOperators(ctx)
		return err
	}))
	require.Len(t, k.audit(t), 1)
}

func TestAnErrorInsideATransactionStoresNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		broken := errors.New("broken")
		err := k.within(t, func(ctx context.Context, tx operators.Tx) error {
			if _, err := tx.RaiseConfigVersion(ctx, true, k.clock.Now()); err != nil {
				return err
			}
			if err := tx.Record(ctx, someone, operators.Entry{Action: "x", At: k.clock.Now()}); err != nil {
				return err
			}
			return broken
		})
		require.ErrorIs(t, err, broken)
		config, rules := k.versions(t)
		require.EqualValues(t, []int64{1, 1}, []int64{config, rules})
		require.Empty(t, k.audit(t))
	})
}

// begun counts the transactions that began.
type begun struct{ n atomic.Int64 }

func (b *begun) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	if strings.HasPrefix(e.Query, "BEGIN") {
		b.n.Add(1)
	}
	return ctx
}

func (*begun) AfterQuery(context.Context, *bun.QueryEvent) {}

// A transaction that waited for another sees what that one committed, so it need not begin again.
func TestTransactionsWaitForEachOtherAndBeginOnce(t *testing.T) {
	k := newKit(t, bunstoretest.Postgres(t, migrations.Postgres), migrations.Postgres, "postgres")
	count := new(begun)
	store := database.New(k.db.WithQueryHook(count), bunstore.NewReader(k.db), bus.Encode)
	const waiting = 4
	errs := make(chan error, waiting)
	raise := func(ctx context.Context, tx operators.Tx) error {
		_, err := tx.RaiseConfigVersion(ctx, false, k.clock.Now())
		return err
	}
	require.NoError(t, store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error {
		for range waiting {
			go func() { errs <- store.InTx(context.Background(), raise) }()
		}
		require.Eventually(t, func() bool {
			var n int
			err := k.db.NewRaw("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(ctx, &n)
			return err == nil && n == waiting
		}, 15*time.Second, 10*time.Millisecond, "the others wait for this one")
		return raise(ctx, tx)
	}))
	for range waiting {
		require.NoError(t, <-errs)
	}
	config, _ := k.versions(t)
	require.EqualValues(t, 2+waiting, config)
	require.EqualValues(t, 1+waiting, count.n.Load())
}

func TestAChangeThatWaitsInVainSaysWhatItWaitedFor(t *testing.T) {
	k := newKit(t, bunstoretest.Postgres(t, migrations.Postgres)+"&statement_timeout=3000", migrations.Postgres, "postgres")
	require.NoError(t, k.within(t, func(context.Context, operators.Tx) error {
		err := k.store.InTx(t.Context(), func(context.Context, operators.Tx) error { return nil })
		requireFault(t, err, fault.Unavailable, operators.ReasonBusy)
		require.Contains(t, err.Error(), "Another change, such as a long import")
		require.NotZero(t, fault.From(err).RetryAfter)
		return nil
	}))
}

func TestADuplicateOfADeletedOperatorIsNone(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		o := k.allOperators(t)[0]
		o.DeletedAt = k.clock.Now()
		require.NoError(t, k.within(t, func(ctx context.Context, tx operators.Tx) error { return tx.PutOperators(ctx, []operators.Operator{o}) }))
		got, fresh, err := k.store.Operator(t.Context(), o.ID)
		require.NoError(t, err)
		require.Zero(t, fresh)
		require.Equal(t, o, got)
		o.ID, o.DeletedAt = uuid.Must(uuid.NewV7()), time.Time{}
		require.NoError(t, k.within(t, func(ctx context.Context, tx operators.Tx) error { return tx.PutOperators(ctx, []operators.Operator{o}) }))
		_, _, err = k.store.Operator(t.Context(), uuid.New())
		requireFault(t, err, fault.NotFound, operators.ReasonNoSuchOperator)
	})
}
