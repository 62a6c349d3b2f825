package database_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC)

// healthKit is the health of a store with three operators.
func healthKit(t *testing.T, k kit) (*database.Health, []uuid.UUID) {
	t.Helper()
	k.operators(t, three)
	var ids []uuid.UUID
	for _, o := range k.allOperators(t) {
		ids = append(ids, o.ID)
	}
	return database.NewHealth(k.db, bunstore.NewReader(k.db)), ids
}

// change is the step from one version of a health to the next.
func change(id uuid.UUID, version int64, bind operators.BindState, quality operators.Quality, at time.Time) (operators.Health, *operators.Transition) {
	next := operators.Health{OperatorID: id, Bind: bind, Quality: quality, Version: version, ChangedAt: at, ObservedAt: at}
	return next, &operators.Transition{
		ID: uuid.Must(uuid.NewV7()), OperatorID: id, OccurredAt: at, FromBind: operators.Bound, ToBind: bind,
		FromQuality: operators.Healthy, ToQuality: quality, Cause: "a test", Submits: 40, Errors: 3, Version: version,
	}
}

func put(t *testing.T, h *database.Health, id uuid.UUID, version int64, at time.Time) operators.Transition {
	t.Helper()
	next, transition := change(id, version, operators.Bound, operators.Degraded, at)
	require.NoError(t, h.ChangeHealth(t.Context(), next, version-1, transition))
	return *transition
}

func remove(t *testing.T, k kit, id uuid.UUID) {
	t.Helper()
	_, err := k.db.NewRaw("UPDATE operators SET deleted_at = ? WHERE operator_id = ?", noon, id).Exec(t.Context())
	require.NoError(t, err)
}

func TestAHealthIsReadAsItWasStored(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		h, ids := healthKit(t, k)
		never, fresh, err := h.Health(t.Context(), ids[0])
		require.NoError(t, err)
		require.Equal(t, operators.Freshness{}, fresh)
		require.Equal(t, operators.Health{OperatorID: ids[0]}, never, "nothing was ever reported")

		next, transition := change(ids[0], 1, operators.Failback, operators.Degraded, noon)
		next.Throttled = true
		require.NoError(t, h.ChangeHealth(t.Context(), next, 0, transition))
		got, _, err := h.Health(t.Context(), ids[0])
		require.NoError(t, err)
		require.Equal(t, next, got)
		page, more, _, err := h.ListTransitions(t.Context(), operators.TransitionFilter{Limit: 10})
		require.NoError(t, err)
		require.False(t, more)
		require.Equal(t, []operators.Transition{*transition}, page)

		second, transition := change(ids[0], 2, operators.Unbound, operators.Unhealthy, noon.Add(time.Second))
		require.NoError(t, h.ChangeHealth(t.Context(), second, 1, transition))
		got, _, err = h.Health(t.Context(), ids[0])
		require.NoError(t, err)
		require.Equal(t, second, got)

		third := second
		third.Version = 9
		require.NoError(t, h.ChangeHealth(t.Context(), third, 2, nil))
		page, _, _, err = h.ListTransitions(t.Context(), operators.TransitionFilter{Limit: 10})
		require.NoError(t, err)
		require.Len(t, page, 2)

		live, err := h.LiveHealth(t.Context())
		require.NoError(t, err)
		require.ElementsMatch(t, []operators.Health{third, {OperatorID: ids[1]}, {OperatorID: ids[2]}}, live)
		reported, _, err := h.HealthOf(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, []operators.Health{third}, reported)
		reported, _, err = h.HealthOf(t.Context(), []uuid.UUID{ids[1], uuid.New()})
		require.NoError(t, err)
		require.Empty(t, reported)
	})
}

func TestAWriterThatIsBehindChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		h, ids := healthKit(t, k)
		stale := func(id uuid.UUID, from, version int64) {
			t.Helper()
			next, transition := change(id, version, operators.Unbound, operators.Unhealthy, noon)
			requireFault(t, h.ChangeHealth(t.Context(), next, from, transition), fault.Aborted, operators.ReasonStaleHealth)
		}
		stale(ids[0], 1, 2)
		put(t, h, ids[0], 1, noon)
		put(t, h, ids[0], 2, noon)
		stale(ids[0], 0, 1)
		stale(ids[0], 1, 2)
		stale(ids[0], 3, 4)
		stale(uuid.New(), 0, 1)
		remove(t, k, ids[0])
		stale(ids[0], 2, 3)
		remove(t, k, ids[1])
		stale(ids[1], 0, 1)

		page, _, _, err := h.ListTransitions(t.Context(), operators.TransitionFilter{Limit: 10})
		require.NoError(t, err)
		require.Len(t, page, 2, "what is refused leaves no transition")
	})
}

func TestOfTwoWritersOneWins(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		h, ids := healthKit(t, k)
		for from := range int64(5) {
			results := make(chan error)
			for range 4 {
				go func() {
					next, transition := change(ids[0], from+1, operators.Bound, operators.Healthy, noon)
					results <- h.ChangeHealth(t.Context(), next, from, transition)
				}()
			}
			won := 0
			for range 4 {
				if err := <-results; err == nil {
					won++
				} else {
					requireFault(t, err, fault.Aborted, operators.ReasonStaleHealth)
				}
			}
			require.Equal(t, 1, won)
		}
		page, _, _, err := h.ListTransitions(t.Context(), operators.TransitionFilter{Limit: 10})
		require.NoError(t, err)
		require.Len(t, page, 5)
	})
}

func TestObservationsAreRefreshedWhereTheVersionIsTheSame(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		h, ids := healthKit(t, k)
		for _, id := range ids {
			put(t, h, id, 1, noon)
		}
		put(t, h, ids[1], 2, noon)
		remove(t, k, ids[2])
		var all []operators.Health
		for _, id := range ids {
			all = append(all, operators.Health{OperatorID: id, Bind: operators.Unbound, Quality: operators.Unhealthy, Throttled: true, Version: 1, ChangedAt: noon, ObservedAt: noon.Add(time.Minute)})
		}
		refreshed, err := h.ObserveHealth(t.Context(), all)
		require.NoError(t, err)
		require.Equal(t, []uuid.UUID{ids[0]}, refreshed)
		live, err := h.LiveHealth(t.Context(), ids[:2]...)
		require.NoError(t, err)
		require.ElementsMatch(t, []operators.Health{
			{OperatorID: ids[0], Bind: operators.Bound, Quality: operators.Degraded, Throttled: true, Version: 1, ChangedAt: noon, ObservedAt: noon.Add(time.Minute)},
			{OperatorID: ids[1], Bind: operators.Bound, Quality: operators.Degraded, Version: 2, ChangedAt: noon, ObservedAt: noon},
		}, live, "bind state and quality are not theirs to change")
		refreshed, err = h.ObserveHealth(t.Context(), nil)
		require.NoError(t, err)
		require.Empty(t, refreshed)
	})
}

func TestTheHealthOfNoOperatorIsNotFound(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		h, ids := healthKit(t, k)
		put(t, h, ids[0], 1, noon)
		remove(t, k, ids[0])
		for _, id := range []uuid.UUID{ids[0], uuid.New()} {
			_, _, err := h.Health(t.Context(), id)
			requireFault(t, err, fault.NotFound, operators.ReasonNoSuchOperator)
		}
		page, _, _, err := h.ListTransitions(t.Context(), operators.TransitionFilter{OperatorID: ids[0], Limit: 1})
		require.NoError(t, err)
		require.Len(t, page, 1, "the log stays")
	})
}

func TestTransitionsArePagedNewestFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		h, ids := healthKit(t, k)
		var want []string
		for i := range 25 {
			// Several at one moment, over a border of months.
			at := time.Date(2026, 11, 30, 23, 59, 58, 0, time.UTC).Add(time.Duration(i/4) * time.Second)
			if id := ids[i%2]; true {
				transition := put(t, h, id, int64(i/2)+1, at)
				want = append(want, fmt.Sprint(transition.ID))
			}
		}
		read := func(filter operators.TransitionFilter) (got []string) {
			for {
				page, more, _, err := h.ListTransitions(t.Context(), filter)
				require.NoError(t, err)
				require.LessOrEqual(t, len(page), filter.Limit)
				for _, one := range page {
					got = append(got, fmt.Sprint(one.ID))
				}
				if !more {
					return got
				}
				last := page[len(page)-1]
				filter.AfterTime, filter.AfterID = last.OccurredAt, last.ID
			}
		}
		newestFirst := make([]string, 0, len(want))
		for i := len(want) - 1; i >= 0; i-- {
			newestFirst = append(newestFirst, want[i])
		}
		for _, limit := range []int{1, 4, 7, 25, 1000} {
			require.Equal(t, newestFirst, read(operators.TransitionFilter{Limit: limit}), "pages of %d", limit)
		}
		require.Len(t, read(operators.TransitionFilter{Limit: 3, OperatorID: ids[0]}), 13)
		from := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		require.Equal(t, newestFirst[:17], read(operators.TransitionFilter{Limit: 5, From: from}))
		require.Equal(t, newestFirst[17:], read(operators.TransitionFilter{Limit: 5, To: from}))
		require.Equal(t, newestFirst[13:17], read(operators.TransitionFilter{Limit: 5, From: from, To: from.Add(time.Second)}))

		_, _, _, err := h.ListTransitions(t.Context(), operators.TransitionFilter{})
		require.Equal(t, fault.InvalidArgument, fault.From(err).Kind)
	})
}

func TestRowsThatThisVersionCannotReadAreAnError(t *testing.T) {
	k := newKit(t, bunstoretest.Postgres(t, migrations.Postgres), migrations.Postgres, "postgres")
	h, ids := healthKit(t, k)
	put(t, h, ids[0], 1, noon)
	_, err := k.db.NewRaw("ALTER TABLE operator_health DROP CONSTRAINT operator_health_quality_check").Exec(t.Context())
	require.NoError(t, err)
	for _, statement := range []string{"UPDATE operator_health SET quality = 'SLEEPY'", "UPDATE health_transitions SET to_bind = 'SLEEPY'"} {
		_, err := k.db.NewRaw(statement).Exec(t.Context())
		require.NoError(t, err)
	}
	_, _, err = h.Health(t.Context(), ids[0])
	require.Equal(t, fault.Internal, fault.From(err).Kind)
	_, _, _, err = h.ListTransitions(t.Context(), operators.TransitionFilter{Limit: 1})
	require.Equal(t, fault.Internal, fault.From(err).Kind)
}

func TestHealthIsUnavailableWithoutItsServer(t *testing.T) {
	server := pgtest.Start(t)
	k := newKit(t, server.URL(), migrations.Postgres, "postgres")
	h, ids := healthKit(t, k)
	server.Kill(t)
	next, transition := change(ids[0], 1, operators.Bound, operators.Healthy, noon)
	_, err1 := h.LiveHealth(t.Context())
	err2 := h.ChangeHealth(t.Context(), next, 0, transition)
	_, err3 := h.ObserveHealth(t.Context(), []operators.Health{next})
	_, _, err4 := h.Health(t.Context(), ids[0])
	_, _, err5 := h.HealthOf(t.Context(), ids)
	_, _, _, err6 := h.ListTransitions(t.Context(), operators.TransitionFilter{Limit: 1})
	for _, err := range []error{err1, err2, err3, err4, err5, err6} {
		requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	}
}
