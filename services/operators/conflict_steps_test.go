package operators

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// Beyond its bound the checker says that it did not look, and claims nothing about what it did not see.
func TestPricesThatAreTooManyAreSaidNotToBeChecked(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var set RuleSet
	rule := Rule{ID: uuid.New(), Prefix: "44", MessageTypes: SMS, Strategy: Cost, OnExhausted: Fail, Active: true}
	for i, code := range []string{"EUR", "USD"} {
		price, err := money.FromNanos(1, code)
		require.NoError(t, err)
		o := Operator{ID: uuid.New(), Name: code, Status: Active, BindType: Transceiver, MessageTypes: SMS}
		set.Operators = append(set.Operators, o)
		rule.Candidates = append(rule.Candidates, Candidate{OperatorID: o.ID, Priority: i + 1})
		for n := range 10 { // only in the last area both have a rate
			set.Rates = append(set.Rates, Rate{
				OperatorID: o.ID, Prefix: e164.Prefix(fmt.Sprintf("44%d%d", n, min(n+i, 9))), MessageType: SMS, Price: price, EffectiveFrom: now.Add(-time.Hour),
			})
		}
	}
	set.Rules, set.Now = []Rule{rule}, now
	reasons := func(steps int) (all []string) {
		for _, f := range checkWithin(&set, nil, steps).Findings {
			all = append(all, f.Reason)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	require.Equal(t, []string{FindingMixedCurrencies, FindingPartialRate}, reasons(maxSteps))
	require.Equal(t, []string{FindingPartialRate, FindingUnchecked}, reasons(20))
	require.Equal(t, []string{FindingUnchecked}, reasons(0))
}
