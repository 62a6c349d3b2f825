package routing_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

func TestOperatorsAreExchangedWithoutTheRules(t *testing.T) {
	view := routing.NewHealthView()
	rs := world(rule("44", routing.Priority, cand(opA, 1, 1, euro(1)), cand(opB, 2, 1, euro(1)), cand(opC, 3, 1, euro(1))))
	store := &exchange{rs: rs, versions: routing.Versions{Config: 1, Rules: 1}}
	s := routing.NewSupply(routing.SupplySources{Store: store, Whole: true}, view, time.Now, slog.New(slog.DiscardHandler), func() {})
	selector := routing.NewSelector(s.Source(nil))
	winners := func() (ids []uuid.UUID) {
		store.versions.Config++
		require.NoError(t, s.Renew(t.Context(), store.versions.Config))
		require.NoError(t, s.Renew(t.Context(), store.versions.Config), "once is enough")
		var d routing.Decision
		q := ask()
		if err := selector.Select(t.Context(), &q, &d); err != nil {
			require.Equal(t, routing.ErrNoUsableOperator, err)
		}
		for _, c := range d.Choices {
			ids = append(ids, c.ID)
		}
		require.Equal(t, store.versions, d.Versions)
		return ids
	}
	require.Equal(t, []uuid.UUID{opA, opB, opC}, winners())
	newcomer := routingtest.UID(77)
	rs.Operators = append(rs.Operators[1:], routing.Operator{ID: newcomer, Status: routing.StatusActive, Types: routing.AllMessageTypes})
	require.Equal(t, []uuid.UUID{opB, opC}, winners(), "the first one is deleted")
	require.ElementsMatch(t, []uuid.UUID{opB, opC, newcomer}, s.UsableOperators())
	rs.Operators[0].ReceivesOnly = true
	require.Equal(t, []uuid.UUID{opC}, winners())
	view.Apply(routing.HealthEvent{Operator: opC, Bind: routing.Unbound, ObservedAt: routingtest.Now})
	require.Empty(t, winners(), "health stays connected")
	rs.Operators = world().Operators
	require.Equal(t, []uuid.UUID{opA, opB}, winners())
	require.Equal(t, 1, store.loads)
}

func TestAChangeOfRulesBetweenTwoReadsIsNotMissed(t *testing.T) {
	store := &exchange{rs: world(rule("44", routing.Priority, cand(opA, 1, 1, euro(1)))), versions: routing.Versions{Config: 2, Rules: 1}}
	s := routing.NewSupply(routing.SupplySources{Store: store, Whole: true}, routing.NewHealthView(), time.Now, slog.New(slog.DiscardHandler), func() {})
	require.NoError(t, s.Renew(t.Context(), 2))
	store.versions.Config = 3
	store.between = func() { store.versions = routing.Versions{Config: 4, Rules: 2} }
	require.NoError(t, s.Renew(t.Context(), 3))
	require.Equal(t, store.versions, s.Table().Versions())
	require.Equal(t, 2, store.loads)
}

func TestAFailureHalfWayLeavesWhatIsInForce(t *testing.T) {
	bothModes(t, func(t *testing.T, whole bool) {
		store := &exchange{rs: world(rule("44", routing.Priority, cand(opA, 1, 1, euro(1)))), versions: routing.Versions{Config: 2, Rules: 1}}
		s := routing.NewSupply(routing.SupplySources{Store: store, Whole: whole}, routing.NewHealthView(), time.Now, slog.New(slog.DiscardHandler), func() {})
		require.NoError(t, s.Renew(t.Context(), 2))
		store.versions.Config, store.err = 3, errDown
		require.ErrorIs(t, s.Renew(t.Context(), 3), errDown)
		state, _ := s.State()
		require.EqualValues(t, 2, state.Versions.Config)
	})
}

func TestACallDoesNotWaitLongerThanItsTimeForTheSupply(t *testing.T) {
	store := &exchange{rs: world(), versions: routing.Versions{Config: 2, Rules: 1}}
	s := routing.NewSupply(routing.SupplySources{Store: store, Whole: true}, routing.NewHealthView(), time.Now, slog.New(slog.DiscardHandler), func() {})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	store.between = func() { require.ErrorIs(t, s.Renew(ended, 2), context.Canceled, "a load is under way") }
	require.NoError(t, s.Renew(t.Context(), 2))
}

// exchange is a store whose operators change and whose rules do not.
type exchange struct {
	rs       *routingtest.RuleSet
	versions routing.Versions
	loads    int
	err      error  // of Operators and Changes
	loadErr  error  // of Load
	partly   bool   // Changes tells what it can when rates changed
	between  func() // happens once after State
}

func (e *exchange) State(context.Context) (routing.State, error) {
	state := routing.State{Versions: e.versions}
	if e.between != nil {
		e.between()
		e.between = nil
	}
	return state, nil
}

func (e *exchange) Operators(context.Context) ([]routing.Operator, routing.Versions, error) {
	return append([]routing.Operator{}, e.rs.Operators...), e.versions, e.err
}

func (e *exchange) Changes(_ context.Context, since routing.Mark, _ int) (*routing.Changes, error) {
	untold := e.versions.Rules != since.Untold
	if e.err != nil || untold && !e.partly {
		return nil, e.err
	}
	return &routing.Changes{Untold: untold, Versions: e.versions, Operators: append([]routing.Operator{}, e.rs.Operators...)}, nil
}

func (e *exchange) Load(_ context.Context, health *routing.HealthView) (*routing.Table, error) {
	if e.loadErr != nil {
		return nil, e.loadErr
	}
	e.loads++
	e.rs.Untold = e.versions.Rules
	return e.rs.TableWith(health, e.versions), nil
}
