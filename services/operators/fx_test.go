package operators_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

var euro, dollar = money.Currency{'E', 'U', 'R'}, money.Currency{'U', 'S', 'D'}

// adminStore has of what Admin may need only transactions.
type adminStore struct {
	operators.AdminStore
	in *rateStore
}

func (s adminStore) InTx(ctx context.Context, do func(context.Context, operators.Tx) error) error {
	return s.in.InTx(ctx, do)
}

func (s *rateStore) admin() *operators.Admin {
	return operators.NewAdmin(adminStore{in: s}, nil, s, func() time.Time { return noon }, slog.New(slog.DiscardHandler))
}

func TestTheTableOfExchangeRatesIsReplacedAsAWhole(t *testing.T) {
	s := newRateStore()
	first := operators.FX{euro: money.NanosPerUnit, dollar: 920_000_000}
	got, err := s.admin().SetFX(t.Context(), asking, first)
	require.NoError(t, err)
	require.Equal(t, first, got)
	require.Equal(t, first, s.fx)
	require.EqualValues(t, 2, s.version)
	require.Equal(t, 1, s.woken)
	require.Len(t, s.entries, 1)
	e := s.entries[0]
	require.Equal(t, "fx.set fx ", e.Action+" "+e.Entity+" "+e.EntityID)
	require.JSONEq(t, `{}`, string(e.Before))
	require.JSONEq(t, `{"EUR":1000000000,"USD":920000000}`, string(e.After))
	require.Len(t, e.Events, 1)
	require.EqualValues(t, 2, e.Events[0].ConfigVersion)

	_, err = s.admin().SetFX(t.Context(), asking, first)
	require.NoError(t, err)
	require.EqualValues(t, 2, s.version, "the same table is no change")
	require.Len(t, s.entries, 1)

	second := operators.FX{dollar: money.NanosPerUnit}
	_, err = s.admin().SetFX(t.Context(), operators.Request{Actor: "ann", ValidateOnly: true}, second)
	require.NoError(t, err)
	require.Equal(t, first, s.fx, "a rehearsal stores nothing")

	asked := operators.Request{Actor: "ann", ID: "two"}
	_, err = s.admin().SetFX(t.Context(), asked, second)
	require.NoError(t, err)
	require.Equal(t, second, s.fx)
	got, err = s.admin().SetFX(t.Context(), asked, first)
	require.NoError(t, err)
	require.Equal(t, second, got, "a repeat answers what is stored")
	require.EqualValues(t, 3, s.version)
}

func TestATableOfExchangeRatesHasOneBaseAndNoNonsense(t *testing.T) {
	many := operators.FX{}
	for a := range 26 {
		for b := range 10 {
			many[money.Currency{'A' + byte(a), 'A' + byte(b), 'Z'}] = 5
		}
	}
	for _, c := range []struct {
		name, want string
		fx         operators.FX
	}{
		{"nothing", "must hold 1 to 200 currencies", operators.FX{}},
		{"too many", "must hold 1 to 200 currencies", many},
		{"no base", "must have one base currency", operators.FX{dollar: 5}},
		{"two bases", "not EUR and USD", operators.FX{euro: money.NanosPerUnit, dollar: money.NanosPerUnit}},
		{"a worth of 0", "must be above 0, also for USD", operators.FX{euro: money.NanosPerUnit, dollar: 0}},
		{"a worth below 0", "must be above 0", operators.FX{euro: money.NanosPerUnit, dollar: -1}},
		{"a currency that does not exist", "ISO 4217", operators.FX{euro: money.NanosPerUnit, {'X', 'X', 'X'}: 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newRateStore()
			_, err := s.admin().SetFX(t.Context(), asking, c.fx)
			require.Equal(t, operators.ReasonInvalid, fault.From(err).Reason)
			require.Contains(t, fmt.Sprint(fault.From(err).Violations), c.want)
			require.Empty(t, s.fx)
		})
	}
	s := newRateStore()
	s.broken = fmt.Errorf("broken")
	_, err := s.admin().SetFX(t.Context(), asking, operators.FX{euro: money.NanosPerUnit})
	require.ErrorIs(t, err, s.broken)
}
