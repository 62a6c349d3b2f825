package cli_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/migrations"
	"trunkline/services/operators"
	operatorsbus "trunkline/services/operators/bus"
	operatorsdb "trunkline/services/operators/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/e164"
	"trunkline/services/routing"
	routingdb "trunkline/services/routing/database"
	"trunkline/services/routing/routingtest"
)

// counted counts how often an engine read everything.
type counted struct {
	*routingdb.Store
	loads int
}

func (c *counted) Load(ctx context.Context, health *routing.HealthView) (*routing.Table, error) {
	c.loads++
	return c.Store.Load(ctx, health)
}

// TestAnEngineFollowsWhatOperatorManagementWrites puts the writer of one service before the reader of the other: after
// each change an engine that reads changes decides as one that reads everything.
func TestAnEngineFollowsWhatOperatorManagementWrites(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) (url string, files bunstore.Migrations){
		"postgres": func(t *testing.T) (string, bunstore.Migrations) {
			return bunstoretest.Postgres(t, migrations.Postgres), bunstore.Migrations{Files: migrations.Postgres, Dir: "postgres"}
		},
		"sqlite": func(t *testing.T) (string, bunstore.Migrations) {
			return bunstoretest.SQLite(t, migrations.SQLite), bunstore.Migrations{Files: migrations.SQLite, Dir: "sqlite"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			url, files := open(t)
			cfg := bunstore.DefaultConfig()
			cfg.URL = config.NewSecret(url)
			db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			defer func() { require.NoError(t, db.Close()) }()
			migrator, err := bunstore.NewMigrator(db, files, clock.System())
			require.NoError(t, err)
			_, err = migrator.Up(t.Context())
			require.NoError(t, err)
			engine := &counted{Store: routingdb.NewStore(db, clock.System())}
			view := routing.NewHealthView()
			supply := routing.NewSupply(routing.SupplySources{Store: engine, Whole: true}, view, time.Now, slog.New(slog.DiscardHandler), func() {})
			writer := &scribe{taken: map[string]bool{}, rng: rand.New(rand.NewPCG(25, 3)), store: operatorsdb.New(db, bunstore.NewReader(db), operatorsbus.Encode)}
			writer.change(t, false, writer.hire)
			require.NoError(t, supply.Renew(t.Context(), 2))
			loads := 1
			for i := range 40 {
				whole := writer.step(t, i)
				if whole {
					loads++
				}
				require.NoError(t, supply.Renew(t.Context(), 1<<60))
				fresh, err := engine.Store.Load(t.Context(), view)
				require.NoError(t, err)
				routingtest.RequireSame(t, writer.rng, []uuid.UUID{routingtest.UID(1001), routingtest.UID(1002)}, fresh, supply.Table())
				require.Equal(t, loads, engine.loads, "only prices and currencies need everything")
			}
			require.NotZero(t, supply.Table().Rules())
		})
	}
}

// scribe makes random changes as the use cases of operator-management do.
type scribe struct {
	rng       *rand.Rand
	store     *operatorsdb.Store
	operators []operators.Operator
	live      []operators.Rule
	taken     map[string]bool
}

var scribed = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *scribe) change(t *testing.T, rules bool, do func(ctx context.Context, tx operators.Tx) error) {
	t.Helper()
	require.NoError(t, s.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error {
		if err := do(ctx, tx); err != nil {
			return err
		}
		_, err := tx.RaiseConfigVersion(ctx, rules, scribed)
		return err
	}))
}

// step makes one change and reports whether rules do not tell of it.
func (s *scribe) step(t *testing.T, n int) (untold bool) {
	t.Helper()
	var some []operators.Rule
	switch kind := s.rng.IntN(10); {
	case n == 0 || kind < 2: // an import
		for i := range 12 {
			some = append(some, s.rule(n*100+i))
		}
	case kind < 4:
		some = append(some, s.rule(n*100))
	case kind < 6:
		some = append(some, s.live[s.rng.IntN(len(s.live))])
		other := s.rule(n * 100)
		some[0].Candidates, some[0].Strategy, some[0].Active = other.Candidates, other.Strategy, s.rng.IntN(3) > 0
	case kind < 8 && len(s.live) > 1:
		at := s.rng.IntN(len(s.live))
		s.change(t, true, func(ctx context.Context, tx operators.Tx) error { return tx.RemoveRule(ctx, s.live[at]) })
		s.live = append(s.live[:at:at], s.live[at+1:]...)
		return false
	case kind == 8:
		s.operators[s.rng.IntN(len(s.operators))].Status = operators.Status(1 + s.rng.IntN(3))
		s.change(t, false, func(ctx context.Context, tx operators.Tx) error { return tx.PutOperators(ctx, s.operators) })
		return false
	default:
		s.change(t, true, func(ctx context.Context, tx operators.Tx) error {
			return tx.StoreRates(ctx, []operators.Rate{{
				ID: uuid.New(), OperatorID: s.operators[0].ID, Prefix: e164.Prefix(fmt.Sprint(10 + n)), MessageType: operators.SMS,
				Price: routingtest.Euro(int64(n)), EffectiveFrom: scribed,
			}}, nil, nil)
		})
		return true
	}
	s.change(t, true, func(ctx context.Context, tx operators.Tx) error { return tx.PutRules(ctx, some, nil) })
	for _, rule := range some {
		found := false
		for i := range s.live {
			if found = s.live[i].ID == rule.ID; found {
				s.live[i] = rule
				break
			}
		}
		if !found {
			s.live = append(s.live, rule)
		}
	}
	return false
}

// hire makes the operators.
func (s *scribe) hire(ctx context.Context, tx operators.Tx) error {
	s.operators = nil
	for i := range 5 {
		s.operators = append(s.operators, operators.Operator{
			ID: routingtest.UID(uint64(1 + i)), Name: fmt.Sprint("Operator ", i), Host: fmt.Sprintf("smsc%d.example.net", i), Port: 2775, SystemID: "trunkline",
			BindType: operators.Transceiver, MaxTPS: 100, BurstMultiplier: 1.5, EnforcementMode: operators.HardReject,
			MessageTypes: operators.SMS, Status: operators.Active, Version: 1, CreatedAt: scribed, UpdatedAt: scribed,
		})
	}
	return tx.PutOperators(ctx, s.operators)
}

// rule makes a rule for numbers that routingtest.RandomQuery asks about. Where there is one already, it is for an account
// of its own, by n.
func (s *scribe) rule(n int) operators.Rule {
	prefix := fmt.Sprintf("%d%d%d", 1+s.rng.IntN(2), s.rng.IntN(3), s.rng.IntN(3))
	r := operators.Rule{
		ID: uuid.New(), Prefix: e164.Prefix(prefix[:1+s.rng.IntN(len(prefix))]), Strategy: operators.Strategy(1 + s.rng.IntN(4)),
		OnExhausted: operators.OnExhausted(1 + s.rng.IntN(2)), Active: true, Version: 1, CreatedAt: scribed, UpdatedAt: scribed,
	}
	r.Account = []uuid.UUID{uuid.Nil, routingtest.UID(1001), routingtest.UID(1002)}[s.rng.IntN(3)]
	if key := r.Account.String() + string(r.Prefix); s.taken[key] {
		r.Account = routingtest.UID(uint64(10_000 + n))
	} else {
		s.taken[key] = true
	}
	for i, at := range s.rng.Perm(len(s.operators))[:1+s.rng.IntN(3)] {
		c := operators.Candidate{OperatorID: s.operators[at].ID, Priority: 1 + i, Weight: 100}
		if s.rng.IntN(2) == 0 {
			c.Price = routingtest.Euro(int64(s.rng.IntN(5)))
		}
		r.Candidates = append(r.Candidates, c)
	}
	return r
}
