package operators_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/e164"
)

// Longer rules and rates are read up to a bound; what was not read must not make a rule wrong.
func TestARuleAboveVeryManyLongerOnesIsCheckedAgainstSomeOfThem(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		var rules []operators.Rule
		for i := range 2_100 {
			rule := theRule(i, "SMS Alpha")
			rule.Prefix = e164.Prefix("44" + string([]byte{byte('0' + i/1000), byte('0' + i/100%10), byte('0' + i/10%10), byte('0' + i%10)}))
			rule.Version, rule.CreatedAt, rule.UpdatedAt = 1, deskTime, deskTime
			rules = append(rules, rule)
		}
		d.in(t, func(ctx context.Context, tx operators.Tx) error { return tx.PutRules(ctx, rules, nil) })
		d.add(t, "+4 SMS Alpha")
		d.in(t, func(ctx context.Context, tx operators.Tx) error {
			around, more, err := tx.RulesAround(ctx, []uuid.UUID{uuid.Nil}, "44", 100)
			require.True(t, more)
			require.Equal(t, "4", string(around[0].Prefix), "longer ones are cut, not shorter ones")
			require.Len(t, around, 100)
			return err
		})
		d.rates(t, "Beta +440000 SMS 0.01EUR")
		_, warnings, err := d.rules.CreateRule(t.Context(), someone, theRule(0, "+44 SMS COST Alpha@0.01EUR Beta"))
		require.NoError(t, err, "the rate may count for a number that no longer rule takes")
		require.Equal(t, []string{operators.FindingShadowed, operators.FindingShadowed}, reasons(warnings))
	})
}

func TestARuleAboveVeryManyRatesIsNotSaidToHaveNone(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		var rates []string
		for i := range 2_100 {
			rates = append(rates, fmt.Sprintf("Beta +440%04d SMS 0.01EUR", i))
		}
		d.rates(t, append(rates, "Beta +447 SMS 0.01EUR")...)
		d.add(t, "+440 SMS COST Alpha@0.01EUR")
		_, warnings, err := d.rules.CreateRule(t.Context(), someone, theRule(0, "+44 SMS COST Beta"))
		require.NoError(t, err, "the rate that counts was not read")
		require.Equal(t, []string{operators.FindingShadowed}, reasons(warnings))
		result := d.check(t, "")
		require.Equal(t, []string{operators.FindingPartialRate, operators.FindingShadowed}, reasons(result.Findings), "all are read")

		var cheap []string
		for digit := range 10 {
			cheap = append(cheap, fmt.Sprintf("Beta +44%d FLASH 0.01EUR", digit))
		}
		// Nor to cost what only rates that were not read tell: longer ones make every number cheap here.
		d.rates(t, append(cheap, "Beta +44 FLASH 0.2EUR")...)
		capped := operators.NewRuleAdmin(d.store, wakeCounter{d.wakes}, d.clock.Now, thePrice("0.1EUR"))
		_, warnings, err = capped.CreateRule(t.Context(), someone, theRule(0, "+44 FLASH Beta"))
		require.NoError(t, err)
		require.Empty(t, warnings)
	})
}

func TestOnlyRulesThatCanDecideTheNumbersAreRead(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		d.put(t, "+4 Alpha", "+4 of=A Alpha", "+4 of=B Alpha", "+44 SMS Alpha", "+44 of=A Alpha", "+44 of=B Alpha", "+447 Alpha", "+447 of=A Alpha",
			"+447 of=B Alpha", "+3 Alpha", "+43 Alpha", "+45 Alpha", "+449999999999999 Alpha", "+5 of=A Alpha")
		d.in(t, func(ctx context.Context, tx operators.Tx) error {
			for _, c := range []struct {
				accounts []uuid.UUID
				want     []int
			}{
				{[]uuid.UUID{uuid.Nil}, []int{0, 3, 6, 12}},
				{[]uuid.UUID{accounts["A"]}, []int{0, 1, 3, 4, 6, 7, 12}},
				{nil, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 12}},
			} {
				rules, more, err := tx.RulesAround(ctx, c.accounts, "44", len(c.want))
				require.NoError(t, err)
				require.False(t, more)
				var got []int
				for _, rule := range rules {
					got = append(got, indexOf(rule.ID))
					require.NotEmpty(t, rule.Candidates)
				}
				require.ElementsMatch(t, c.want, got)
				rules, more, err = tx.RulesAround(ctx, c.accounts, "44", len(c.want)-1)
				require.NoError(t, err)
				require.True(t, more)
				require.Len(t, rules, len(c.want)-1)
			}
			return nil
		})
	})
}

func TestOnlyRatesThatCanPriceTheRuleAreRead(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		d.rates(t,
			"Alpha +4 SMS 0.01EUR", "Alpha +44 SMS 0.02EUR", "Alpha +447 SMS 0.03EUR", "Alpha +4479 SMS 0.04EUR", "Alpha +449999999999999 SMS 0.05EUR",
			"Alpha +3 SMS 0.06EUR", "Alpha +43 SMS 0.06EUR", "Alpha +45 SMS 0.06EUR", "Alpha +440 SMS 0.06EUR to=-1h", "Beta +44 SMS 0.06EUR")
		d.in(t, func(ctx context.Context, tx operators.Tx) error {
			rates, more, err := tx.RatesAround(ctx, id(1), "44", deskTime, 5)
			require.NoError(t, err)
			require.False(t, more)
			var prefixes []string
			for _, rate := range rates {
				prefixes = append(prefixes, rate.Prefix.String())
			}
			require.Equal(t, []string{"+4", "+44", "+447", "+4479", "+449999999999999"}, prefixes)
			rates, more, err = tx.RatesAround(ctx, id(1), "44", deskTime, 4)
			require.True(t, more)
			require.Len(t, rates, 4)
			return err
		})
	})
}
