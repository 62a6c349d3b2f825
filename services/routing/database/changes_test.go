package database_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/services/routing"
	"trunkline/services/routing/database"
	"trunkline/services/routing/routingtest"
)

// writer changes rules as operator-management does: each row carries the version it comes into force with.
type writer struct {
	t    *testing.T
	db   *bun.DB
	rs   *routingtest.RuleSet
	next uint64
}

// change runs a change of rules alone, or of something that rows do not tell of.
func (w *writer) change(told bool, do func(tx bun.Tx, version int64)) {
	w.t.Helper()
	require.NoError(w.t, w.db.RunInTx(w.t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		var version int64
		if err := tx.QueryRowContext(ctx, "SELECT config_version + 1 FROM config_state").Scan(&version); err != nil {
			return err
		}
		do(tx, version)
		changes := 0
		if told {
			changes = 1
		}
		exec(w.t, tx, "UPDATE config_state SET config_version = config_version + 1, rules_version = rules_version + 1, rule_changes = rule_changes + ?", changes)
		return nil
	}))
}

// named makes the operators that a rule names and the world does not have, as deleted ones.
func (w *writer) named(tx bun.Tx) func(uuid.UUID) {
	return func(id uuid.UUID) {
		var n int
		require.NoError(w.t, tx.NewRaw("SELECT count(*) FROM operators WHERE operator_id = ?", id).Scan(w.t.Context(), &n))
		if n == 0 {
			w.next++
			insertOperator(w.t, tx, int(w.next), routing.Operator{ID: id, Types: routing.AllMessageTypes, Status: routing.StatusActive}, &routingtest.Now)
		}
	}
}

// create adds the rules whose account, prefix and message types are free.
func (w *writer) create(rules []routing.Rule) {
	w.change(true, func(tx bun.Tx, version int64) {
		for _, r := range rules {
			w.next++
			r.ID = routingtest.UID(w.next)
			rules := w.rs.Rules
			w.rs.Rules = append(append([]routing.Rule{}, rules...), r)
			if allowed(w.rs); len(w.rs.Rules) == len(rules) {
				continue
			}
			insertRule(w.t, tx, r, w.named(tx))
			exec(w.t, tx, "UPDATE routing_rules SET changed_in = ? WHERE rule_id = ?", version, r.ID)
		}
	})
}

// update gives a rule the candidates, the strategy and the state of another.
func (w *writer) update(at int, from routing.Rule) {
	r := &w.rs.Rules[at]
	r.Candidates, r.Inactive = from.Candidates, from.Inactive
	w.change(true, func(tx bun.Tx, version int64) {
		exec(w.t, tx, "DELETE FROM rule_candidates WHERE rule_id = ?", r.ID)
		exec(w.t, tx, "UPDATE routing_rules SET active = ?, changed_in = ? WHERE rule_id = ?", !r.Inactive, version, r.ID)
		insertCandidates(w.t, tx, *r, w.named(tx))
	})
}

func (w *writer) remove(at int) {
	w.change(true, func(tx bun.Tx, version int64) {
		exec(w.t, tx, "UPDATE routing_rules SET deleted_at = ?, changed_in = ? WHERE rule_id = ?", routingtest.Now, version, w.rs.Rules[at].ID)
	})
	w.rs.Rules = append(append([]routing.Rule{}, w.rs.Rules[:at]...), w.rs.Rules[at+1:]...)
}

// counting tells full loads from changes.
type counting struct {
	*database.Store
	loads, changes int
}

func (c *counting) Load(ctx context.Context, health *routing.HealthView) (*routing.Table, error) {
	c.loads++
	return c.Store.Load(ctx, health)
}

func (c *counting) Changes(ctx context.Context, since routing.Mark, limit int) (*routing.Changes, error) {
	changes, err := c.Store.Changes(ctx, since, limit)
	if changes != nil && !changes.Untold && !changes.TooMany {
		c.changes++
	}
	return changes, err
}

func follower(store routing.Store, view *routing.HealthView) *routing.Supply {
	return routing.NewSupply(routing.SupplySources{Store: store, Whole: true}, view, time.Now, slog.New(slog.DiscardHandler), func() {})
}

// TestChangesOneByOneAreAsGoodAsReadingEverything applies random changes of rules to random worlds.
func TestChangesOneByOneAreAsGoodAsReadingEverything(t *testing.T) {
	stores(t, func(t *testing.T, db *bun.DB) {
		for seed := range uint64(6) {
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 25))
			rs, accounts := routingtest.Generate(rng)
			insert(t, db, rs)
			w := &writer{t: t, db: db, rs: rs, next: 20_000}
			view, store := rs.View(), &counting{Store: database.NewStore(db, then)}
			s := follower(store, view)
			require.NoError(t, s.Renew(t.Context(), 1))
			loads := 1
			for range 20 {
				other, _ := routingtest.Generate(rng)
				allowed(other)
				some := len(rs.Rules) > 0 && len(other.Rules) > 0
				switch kind := rng.IntN(8); {
				case kind < 2:
					w.create(other.Rules[:min(1, len(other.Rules))])
				case kind < 3:
					w.create(other.Rules)
				case kind < 5 && some:
					w.update(rng.IntN(len(rs.Rules)), other.Rules[0])
				case kind < 7 && some:
					w.remove(rng.IntN(len(rs.Rules)))
				case kind == 7:
					w.change(false, func(tx bun.Tx, _ int64) { exec(t, tx, "UPDATE rates SET price_nanos = price_nanos + 5000000") })
					loads++
				}
				require.NoError(t, s.Renew(t.Context(), 1<<60))
				want, err := store.Store.Load(t.Context(), view)
				require.NoError(t, err)
				routingtest.RequireSame(t, rng, accounts, want, s.Table())
			}
			require.Equal(t, loads, store.loads, "only prices need everything")
			require.Greater(t, store.changes, 8)
		}
	})
}

func TestChangesTellWhatTheyAre(t *testing.T) {
	stores(t, func(t *testing.T, db *bun.DB) {
		candidates := []routing.Candidate{{Operator: routingtest.UID(1), Priority: 1, Weight: 1}, {Operator: routingtest.UID(2), Priority: 2, Weight: 2}}
		rs := &routingtest.RuleSet{
			Operators: []routing.Operator{{ID: routingtest.UID(1), Status: routing.StatusActive, Types: routing.AllMessageTypes}},
			Rules: []routing.Rule{
				{ID: routingtest.UID(10), Prefix: "44", Strategy: routing.Cost, Candidates: candidates},
				{ID: routingtest.UID(11), Prefix: "45", Strategy: routing.Cost, Candidates: candidates},
				{ID: routingtest.UID(12), Prefix: "46", Strategy: routing.Cost},
			},
		}
		insert(t, db, rs)
		store := database.NewStore(db, then)
		state, err := store.State(t.Context())
		require.NoError(t, err)
		mark := routing.Mark{Config: state.Versions.Config, Untold: state.Versions.Rules}
		changes := func(since routing.Mark, limit int) *routing.Changes {
			t.Helper()
			c, err := store.Changes(t.Context(), since, limit)
			require.NoError(t, err)
			return c
		}
		nothing := changes(mark, 0)
		require.Equal(t, state.Versions, nothing.Versions)
		require.Len(t, nothing.Operators, 1, "deleted operators are left out")
		require.Empty(t, nothing.Rules)
		require.Empty(t, nothing.Gone)

		w := &writer{t: t, db: db, rs: rs, next: 20_000}
		w.update(0, routing.Rule{Candidates: candidates, Inactive: true})
		w.remove(1)
		w.update(0, routing.Rule{Candidates: candidates[1:]})
		c := changes(mark, 2)
		require.Equal(t, routing.Versions{Config: mark.Config + 3, Rules: state.Versions.Rules + 3}, c.Versions)
		require.Equal(t, []uuid.UUID{routingtest.UID(11)}, c.Gone, "once, although it has two candidates")
		require.Len(t, c.Rules, 1)
		require.Equal(t, rs.Rules[0], c.Rules[0], "as it is now")
		many := changes(mark, 1)
		require.True(t, many.TooMany, "that is more than is asked for")
		require.Empty(t, many.Rules)
		require.Empty(t, many.Gone)
		require.Len(t, many.Operators, 1, "operators are told of all the same")
		require.False(t, many.Untold)
		require.Len(t, changes(routing.Mark{Config: mark.Config + 2, Untold: mark.Untold}, 1).Rules, 1)
		require.Nil(t, changes(routing.Mark{Config: mark.Config + 4, Untold: mark.Untold}, 1), "the store does not hold that version")

		// By hand, in a script that knows nothing of marks.
		exec(t, db, "UPDATE routing_rules SET active = NOT active")
		exec(t, db, "UPDATE config_state SET config_version = config_version + 1, rules_version = rules_version + 1")
		require.True(t, changes(mark, 1000).Untold, "a change that no row tells of")
		w.update(0, routing.Rule{Candidates: candidates})
		require.True(t, changes(mark, 1000).Untold, "nor do those after it help")
		require.Len(t, changes(mark, 1000).Rules, 1, "but they are told of")
		require.False(t, changes(routing.Mark{Config: mark.Config + 4, Untold: mark.Untold + 1}, 1000).Untold)
	})
}
