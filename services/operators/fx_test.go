package operators_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

var euro, dollar = money.Currency{'E', 'U', 'R'}, money.Currency{'U', 'S', 'D'}

// fxStore has of what RuleAdmin may need only transactions, and no rules.
type fxStore struct {
	operators.RuleReader
	*rateStore
}

func (s fxStore) Snapshot(context.Context, bool, time.Time, func(operators.Snapshot) error) error {
	return nil
}

func (s *rateStore) admin() *operators.RuleAdmin {
	return operators.NewRuleAdmin(fxStore{rateStore: s}, s, func() time.Time { return noon }, money.Money{})
}

func TestTheTableOfExchangeRatesIsReplacedAsAWhole(t *testing.T) {
	s := newRateStore()
	first := operators.FX{euro: money.NanosPerUnit, dollar: 920_000_000}
	got, _, err := s.admin().SetFX(t.Context(), asking, first)
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

	_, _, err = s.admin().SetFX(t.Context(), asking, first)
	require.NoError(t, err)
	require.EqualValues(t, 2, s.version, "the same table is no change")
	require.Len(t, s.entries, 1)

	second := operators.FX{dollar: money.NanosPerUnit}
	_, _, err = s.admin().SetFX(t.Context(), operators.Request{Actor: "ann", ValidateOnly: true}, second)
	require.NoError(t, err)
	require.Equal(t, first, s.fx, "a rehearsal stores nothing")

	asked := operators.Request{Actor: "ann", ID: "two"}
	_, _, err = s.admin().SetFX(t.Context(), asked, second)
	require.NoError(t, err)
	require.Equal(t, second, s.fx)
	got, _, err = s.admin().SetFX(t.Context(), asked, first)
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
			_, _, err := s.admin().SetFX(t.Context(), asking, c.fx)
			require.Equal(t, operators.ReasonInvalid, fault.From(err).Reason)
			require.Contains(t, fmt.Sprint(fault.From(err).Violations), c.want)
			require.Empty(t, s.fx)
		})
	}
	s := newRateStore()
	s.broken = fmt.Errorf("broken")
	_, _, err := s.admin().SetFX(t.Context(), asking, operators.FX{euro: money.NanosPerUnit})
	require.ErrorIs(t, err, s.broken)
}

func TestACurrencyThatGoesIsWarnedOfWhereRulesCompareIt(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		set := func(r operators.Request, currencies ...money.Currency) []string {
			fx := operators.FX{euro: money.NanosPerUnit}
			for _, one := range currencies {
				fx[one] = 900_000_000
			}
			got, report, err := d.rules.SetFX(t.Context(), r, fx)
			require.NoError(t, err)
			require.Equal(t, fx, got)
			require.Zero(t, report.Errors)
			require.Len(t, report.Findings, report.Warnings)
			all := told(report.Findings)
			for i, f := range report.Findings {
				require.Equal(t, operators.SeverityWarning, f.Severity)
				all[i] += fmt.Sprint(" ", indexOf(f.Rules[0]))
			}
			return all
		}
		pound := money.Currency{'G', 'B', 'P'}
		require.Empty(t, set(someone, dollar, pound))
		d.rates(t, "Alpha +34 SMS 0.01EUR", "Beta +34 SMS 0.01EUR", "Beta +345 SMS 0.01USD", "Alpha +35 SMS 0.01GBP")
		d.put(t, "+33 SMS COST Alpha@0.01EUR Beta@0.01USD", "+34 SMS COST of=A Alpha Beta", "+35 SMS COST Alpha Beta@0.01EUR",
			"+36 SMS Alpha@0.01EUR Beta@0.01USD", "+37 SMS COST off Alpha@0.01EUR Beta@0.01USD", "+38 SMS COST Alpha@0.01USD Beta@0.01USD",
			"+39 SMS COST Gamma Beta@0.01USD")
		before := d.state(t)
		want := []string{"0 MIXED_CURRENCIES +330 0", "0 MIXED_CURRENCIES +345 1"}
		require.Equal(t, want, set(dryRequest(), pound))
		require.Equal(t, before, d.state(t))
		require.Equal(t, want, set(askedAs("fx"), pound))
		require.Empty(t, set(askedAs("fx"), pound), "a repeat tells nothing again")
		require.Empty(t, set(someone, pound), "nothing changes")
		yen := money.Currency{'J', 'P', 'Y'}
		require.Empty(t, set(someone, pound, yen), "nothing is lost")
	})
}

// brokenSnapshots changes, but cannot be read.
type brokenSnapshots struct{ operators.RuleStore }

func (brokenSnapshots) Snapshot(context.Context, bool, time.Time, func(operators.Snapshot) error) error {
	return errors.New("broken")
}

func TestATableThatCannotBeCheckedIsStoredAllTheSame(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		rules := operators.NewRuleAdmin(brokenSnapshots{d.store}, wakeCounter{d.wakes}, d.clock.Now, money.Money{})
		_, _, err := rules.SetFX(t.Context(), someone, operators.FX{euro: money.NanosPerUnit, dollar: 5})
		require.NoError(t, err)
		got, report, err := rules.SetFX(t.Context(), someone, operators.FX{euro: money.NanosPerUnit})
		require.NoError(t, err)
		require.Equal(t, operators.FX{euro: money.NanosPerUnit}, got)
		require.Equal(t, []string{operators.FindingUnchecked}, reasons(report.Findings))
		require.Equal(t, 1, report.Warnings)
	})
}
