package database_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/migrations"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
	"trunkline/services/routing"
	"trunkline/services/routing/database"
	"trunkline/services/routing/routingtest"
)

func open(t *testing.T, url string, files bunstore.Migrations) *bun.DB {
	t.Helper()
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(url)
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	m, err := bunstore.NewMigrator(db, files, clock.System())
	require.NoError(t, err)
	_, err = m.Up(t.Context())
	require.NoError(t, err)
	return db
}

const (
	eventually = 10 * time.Second
	tick       = 20 * time.Millisecond
)

// then is when the random worlds are asked.
var then = clock.NewFake(routingtest.Now)

// stores runs a test on both databases.
func stores(t *testing.T, test func(t *testing.T, db *bun.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, open(t, "sqlite:"+filepath.Join(t.TempDir(), "t.db"), bunstore.Migrations{Files: migrations.SQLite, Dir: "sqlite"}))
	})
	t.Run("postgres", func(t *testing.T) {
		test(t, open(t, pgtest.Database(t), bunstore.Migrations{Files: migrations.Postgres, Dir: "postgres"}))
	})
}

// TestEverySourceAgreesWithTheOracle is the conformance suite: random worlds, written to the database, are
// decided through lookups by index and through a full load into memory, and both agree with the linear
// oracle on every number.
func TestEverySourceAgreesWithTheOracle(t *testing.T) {
	stores(t, func(t *testing.T, db *bun.DB) {
		store := database.NewStore(db, then)
		for seed := range uint64(25) {
			rng := rand.New(rand.NewPCG(seed, 2))
			rs, accounts := routingtest.Generate(rng)
			insert(t, db, rs)
			view := rs.View()
			state, err := store.State(t.Context())
			require.NoError(t, err)

			table, err := store.Load(t.Context(), view)
			require.NoError(t, err)
			require.Equal(t, state.Versions, table.Versions())
			sources := map[string]routing.Source{
				"memory":   routingtest.Source(table),
				"database": routing.NewExtracts(store, still{state}, view),
			}
			for range 40 {
				q := routingtest.RandomQuery(rng, accounts)
				want := rs.Oracle(q)
				for name, source := range sources {
					var d routing.Decision
					err := routing.NewSelector(source).Select(t.Context(), &q, &d)
					routingtest.RequireAnswer(t, want, routingtest.Describe(err, &d), d.Strategy == routing.Weighted)
					require.Equal(t, state.Versions, d.Versions, name)
				}
			}
		}
	})
}

// still is a store that nobody changes.
type still struct{ state routing.State }

func (s still) State() (routing.State, bool)     { return s.state, true }
func (still) Renew(context.Context, int64) error { return nil }

func TestFindReadsWhatConcernsTheNumber(t *testing.T) {
	stores(t, func(t *testing.T, db *bun.DB) {
		rs := &routingtest.RuleSet{
			Operators: []routing.Operator{
				{ID: routingtest.UID(1), Status: routing.StatusActive, Types: routing.AllMessageTypes},
				{ID: routingtest.UID(2), Status: routing.StatusSuspended, Types: routing.AllMessageTypes, ReceivesOnly: true},
			},
			Rules: []routing.Rule{
				{ID: routingtest.UID(10), Prefix: "44", Strategy: routing.Cost, Candidates: []routing.Candidate{{Operator: routingtest.UID(1), Priority: 1}, {Operator: routingtest.UID(2), Priority: 2, Weight: 7}}},
				{ID: routingtest.UID(11), Prefix: "447", Account: routingtest.UID(1001), Strategy: routing.Weighted, FallThrough: true},
				{ID: routingtest.UID(12), Prefix: "447", Account: routingtest.UID(1002), Strategy: routing.Weighted},
				{ID: routingtest.UID(13), Prefix: "4479", Inactive: true, Strategy: routing.Failover},
				{ID: routingtest.UID(14), Prefix: "49", Strategy: routing.Failover},
			},
			Rates: []routing.Rate{
				{ID: routingtest.UID(20), Operator: routingtest.UID(1), Prefix: "4", Type: routing.SMS, Price: routingtest.Euro(5)},
				{ID: routingtest.UID(21), Operator: routingtest.UID(1), Prefix: "44", Type: routing.Flash, Price: routingtest.Euro(5)},
				{ID: routingtest.UID(22), Operator: routingtest.UID(1), Prefix: "49", Type: routing.SMS, Price: routingtest.Euro(5)},
			},
		}
		insert(t, db, rs)
		store := database.NewStore(db, then)
		state, err := store.State(t.Context())
		require.NoError(t, err)
		require.Equal(t, 4, state.Longest, "the longest prefix has 4 digits")
		require.NoError(t, store.Check(t.Context()))

		e, result, err := store.Find(t.Context(), routing.Lookup{Account: routingtest.UID(1001), Type: routing.SMS, Digits: "4479"})
		require.NoError(t, err)
		require.Equal(t, routing.CacheMiss, result)
		require.Equal(t, state.Versions, e.Versions)
		var rules []string
		for _, r := range e.Rules {
			rules = append(rules, r.Prefix.String())
		}
		require.Equal(t, []string{"+44", "+447", "+4479"}, rules, "own and global rules of every prefix, inactive ones too")
		require.Len(t, e.Rules[0].Candidates, 2)
		require.True(t, e.Rules[1].FallThrough)
		require.True(t, e.Rules[2].Inactive)
		require.Len(t, e.Operators, 2)
		require.Len(t, e.Rates, 1, "only the rate of the operator, prefix and message type asked for")
		require.Empty(t, e.FX, "one currency needs no FX rates")

		operators, versions, err := store.Operators(t.Context())
		require.NoError(t, err)
		require.Equal(t, state.Versions, versions)
		statuses := map[uuid.UUID]routing.Status{}
		for _, o := range operators {
			statuses[o.ID] = o.Status
		}
		require.Equal(t, map[uuid.UUID]routing.Status{routingtest.UID(1): routing.StatusActive, routingtest.UID(2): routing.StatusSuspended}, statuses)

		e, _, err = store.Find(t.Context(), routing.Lookup{Account: routingtest.UID(1001), Type: routing.SMS})
		require.NoError(t, err)
		require.Empty(t, e.Rules, "a world without prefixes has empty lookups")
	})
}

func TestAnEmptyStoreIsAnswered(t *testing.T) {
	stores(t, func(t *testing.T, db *bun.DB) {
		store := database.NewStore(db, then)
		state, err := store.State(t.Context())
		require.NoError(t, err)
		require.Zero(t, state.Longest)
		table, err := store.Load(t.Context(), routing.NewHealthView())
		require.NoError(t, err)
		require.Zero(t, table.Rules())
		operators, versions, err := store.Operators(t.Context())
		require.NoError(t, err)
		require.Empty(t, operators)
		require.Equal(t, state.Versions, versions)
	})
}

func TestAStoreOutOfReachIsUnavailable(t *testing.T) {
	server := pgtest.Start(t)
	db := open(t, server.URL(), bunstore.Migrations{Files: migrations.Postgres, Dir: "postgres"})
	store := database.NewStore(db, then)
	require.NoError(t, store.Check(t.Context()))
	server.Pause(t)
	_, err := store.State(t.Context()) // on a connection that is open: there is no answer, and no error either
	require.True(t, fault.Is(err, database.ReasonUnavailable), "the engine looks elsewhere after seconds")
	_, _, err = store.Operators(t.Context())
	require.True(t, fault.Is(err, database.ReasonUnavailable))
	_, err = store.Changes(t.Context(), routing.Mark{Config: 1}, 1)
	require.True(t, fault.Is(err, database.ReasonUnavailable))
	_, _, err = store.Find(t.Context(), routing.Lookup{Digits: "44"})
	require.Equal(t, fault.Unavailable, fault.From(err).Kind, "a store that hangs is out of reach")
	require.Equal(t, database.ReasonUnavailable, fault.From(err).Reason)
	server.Resume(t)
	server.Kill(t)
	view := routing.NewHealthView()
	for name, call := range map[string]func(context.Context) error{
		"state": func(ctx context.Context) error { _, err := store.State(ctx); return err },
		"find": func(ctx context.Context) error {
			_, _, err := store.Find(ctx, routing.Lookup{Digits: "44"})
			return err
		},
		"load":      func(ctx context.Context) error { _, err := store.Load(ctx, view); return err },
		"operators": func(ctx context.Context) error { _, _, err := store.Operators(ctx); return err },
		"changes":   func(ctx context.Context) error { _, err := store.Changes(ctx, routing.Mark{Config: 1}, 1); return err },
	} {
		f := fault.From(call(t.Context()))
		require.Equal(t, fault.Unavailable, f.Kind, name)
		require.Equal(t, database.ReasonUnavailable, f.Reason, name)
		require.NotZero(t, f.RetryAfter, name)
	}
	server.Restart(t)
	require.Eventually(t, func() bool { return store.Check(t.Context()) == nil }, eventually, tick, "it heals by itself")
}

func TestAMissingSchemaIsUnavailableNotInternal(t *testing.T) {
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret("sqlite:" + filepath.Join(t.TempDir(), "empty.db"))
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	require.Equal(t, fault.Unavailable, fault.From(database.NewStore(db, then).Check(t.Context())).Kind)
}
