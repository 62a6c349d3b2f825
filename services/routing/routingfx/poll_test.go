package routingfx

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx/fxtest"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/rediscache"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

var errNoStore = errors.New("no store")

// oneOperator is a store with one operator and no rules.
type oneOperator struct{}

func (oneOperator) State(context.Context) (routing.State, error) {
	return routing.State{Versions: routing.Versions{Config: 1, Rules: 1}}, nil
}

func (oneOperator) Operators(context.Context) ([]routing.Operator, routing.Versions, error) {
	return []routing.Operator{{ID: routingtest.UID(1), Status: routing.StatusActive}}, routing.Versions{Config: 1, Rules: 1}, nil
}

func (oneOperator) Load(context.Context, *routing.HealthView) (*routing.Table, error) {
	return nil, errNoStore
}

func (oneOperator) Changes(context.Context, routing.Mark, int) (*routing.Changes, error) {
	return nil, errNoStore
}

// TestAnEngineKnowsWhoIsOutBeforeItAnswers: when the start is over, what the shared cache remembers is known.
func TestAnEngineKnowsWhoIsOutBeforeItAnswers(t *testing.T) {
	memory, err := rediscache.NewMemory(10, clock.System())
	require.NoError(t, err)
	remembered, _ := newHealthCache(memory, clock.System())
	require.NoError(t, remembered.Save(t.Context(), routing.HealthEvent{Operator: routingtest.UID(1), Bind: routing.Unbound, ObservedAt: time.Now()}))
	view := routing.NewHealthView()
	log := slog.New(slog.DiscardHandler)
	supply := routing.NewSupply(routing.SupplySources{Store: oneOperator{}}, view, time.Now, log, func() {})
	require.NoError(t, supply.Renew(t.Context(), 1))
	lc := fxtest.NewLifecycle(t)
	startHealthPoll(pollIn{
		Lifecycle: lc, Config: DefaultConfig(), Supply: newInForce(supply, released{}), View: view, Poke: newPoke(), Clock: clock.System(), Log: log,
		Cache: remembered,
	})
	lc.RequireStart()
	require.Equal(t, routing.Unbound, view.Get(routingtest.UID(1)).Bind)
	lc.RequireStop()
}
