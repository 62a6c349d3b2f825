package database_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/services/platform/clock"
	"trunkline/services/routing"
	"trunkline/services/routing/database"
	"trunkline/services/routing/routingtest"
)

func TestRatesThatEndedAreNotLoaded(t *testing.T) {
	stores(t, func(t *testing.T, db *bun.DB) {
		const second = time.Second
		now := routingtest.Now
		rates := func(prefix string, from, to time.Time) routing.Rate {
			return routing.Rate{
				ID: routingtest.UID(20 + uint64(len(prefix))), Operator: routingtest.UID(1), Prefix: "44", Type: routing.SMS,
				Price: routingtest.Euro(int64(len(prefix))), Window: routing.Window{From: from, To: to},
			}
		}
		insert(t, db, &routingtest.RuleSet{
			Operators: []routing.Operator{{ID: routingtest.UID(1), Status: routing.StatusActive, Types: routing.AllMessageTypes}},
			Rules:     []routing.Rule{{ID: routingtest.UID(10), Prefix: "44", Strategy: routing.Cost, Candidates: []routing.Candidate{{Operator: routingtest.UID(1), Priority: 1}}}},
			Rates: []routing.Rate{
				rates("1", now.Add(-4*second), now.Add(-2*second)),
				rates("22", now.Add(-2*second), now),
				rates("333", now, now.Add(second)),
				rates("4444", now.Add(second), time.Time{}),
			},
		})
		table, err := database.NewStore(db, clock.NewFake(now)).Load(t.Context(), routing.NewHealthView())
		require.NoError(t, err)
		for at, want := range map[time.Duration]int64{-3 * second: 0, -second: 0, 0: 3, second: 4, 24 * time.Hour: 4} {
			var d routing.Decision
			q := routing.Query{To: "+447911123456", Account: routingtest.UID(1001), Type: routing.SMS, At: now.Add(at)}
			err := table.Decide(&q, &d, nil)
			if want == 0 {
				require.True(t, err != nil || d.Choices[0].Price.IsZero(), "%s", at)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, routingtest.Euro(want), d.Choices[0].Price, "%s", at)
		}
	})
}

// held is a store of which reading everything takes until it is let go.
type held struct {
	*database.Store
	loading, hold chan struct{}
}

func (h *held) Load(ctx context.Context, health *routing.HealthView) (*routing.Table, error) {
	table, err := h.Store.Load(ctx, health)
	h.loading <- struct{}{}
	<-h.hold
	return table, err
}

// TestASuspensionDoesNotWaitForADeck: the deck was imported first, and all its rates are read.
func TestASuspensionDoesNotWaitForADeck(t *testing.T) {
	stores(t, func(t *testing.T, db *bun.DB) {
		rs := &routingtest.RuleSet{
			Operators: []routing.Operator{{ID: routingtest.UID(1), Status: routing.StatusActive, Types: routing.AllMessageTypes}, {ID: routingtest.UID(2), Status: routing.StatusActive, Types: routing.AllMessageTypes}},
			Rules:     []routing.Rule{{ID: routingtest.UID(10), Prefix: "44", Strategy: routing.Priority, Candidates: []routing.Candidate{{Operator: routingtest.UID(1), Priority: 1}}}},
			Rates:     []routing.Rate{{ID: routingtest.UID(20), Operator: routingtest.UID(2), Prefix: "44", Type: routing.SMS, Price: routingtest.Euro(5)}},
		}
		insert(t, db, rs)
		w := &writer{t: t, db: db, rs: rs, next: 20_000}
		store := &held{Store: database.NewStore(db, then), loading: make(chan struct{}, 1), hold: make(chan struct{}, 1)}
		s := follower(store, routing.NewHealthView())
		store.hold <- struct{}{}
		require.NoError(t, s.Renew(t.Context(), 1))
		<-store.loading
		first := s.Table().Versions()

		w.change(false, func(tx bun.Tx, _ int64) { exec(t, tx, "UPDATE rates SET price_nanos = 7") })
		done := make(chan error, 1)
		go func() { done <- s.Renew(t.Context(), 1<<60) }()
		<-store.loading // what is read by now does not know of the suspension
		require.Len(t, s.UsableOperators(), 2)
		exec(t, db, "UPDATE operators SET status = 'SUSPENDED' WHERE operator_id = ?", routingtest.UID(1))
		exec(t, db, "UPDATE config_state SET config_version = config_version + 1")
		s.Changed(first.Config + 2)
		decide := func() (routing.Decision, error) {
			var d routing.Decision
			q := routing.Query{To: "+447911123456", Account: routingtest.UID(1001), Type: routing.SMS, At: routingtest.Now}
			return d, s.Table().Decide(&q, &d, nil)
		}
		require.Eventually(t, func() bool { _, err := decide(); return err != nil }, eventually, tick)
		require.Equal(t, first, s.Table().Versions(), "the deck is not in force yet")

		w.update(0, routing.Rule{Candidates: []routing.Candidate{{Operator: routingtest.UID(2), Priority: 1}}})
		s.Changed(first.Config + 3)
		require.Eventually(t, func() bool { _, err := decide(); return err == nil }, eventually, tick)
		store.hold <- struct{}{}
		require.NoError(t, <-done)
		require.Equal(t, routing.Versions{Config: first.Config + 3, Rules: first.Rules + 2}, s.Table().Versions())
		d, err := decide()
		require.NoError(t, err)
		require.Equal(t, routingtest.UID(2), d.Choices[0].ID)
		require.EqualValues(t, 7, d.Choices[0].Price.Nanos)
	})
}
