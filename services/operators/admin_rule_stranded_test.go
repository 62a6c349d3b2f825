package operators_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/e164"
)

// Rule 0 is the one that is deleted.
func TestADeletionWarnsOfRulesThatFellThroughToIt(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules []string
		want  []string
	}{
		{"one that fell through to it", []string{"+44 Alpha", "+447 fall Alpha"}, []string{"1 +4470"}},
		{"one that has another shorter one", []string{"+44 Alpha", "+447 fall Alpha", "+4 Alpha"}, nil},
		{"one that has another shorter one for some messages", []string{"+44 Alpha", "+447 fall Alpha", "+4 SMS|WAP Alpha"}, []string{"1 +4470"}},
		{"one that has another between", []string{"+44 Alpha", "+4477 fall Alpha", "+447 Alpha"}, nil},
		{"one that fails", []string{"+44 Alpha", "+447 Alpha"}, nil},
		{"one of other messages", []string{"+44 SMS Alpha", "+447 FLASH fall Alpha"}, nil},
		{"one that had nothing before", []string{"+44 SMS Alpha", "+447 fall Alpha"}, []string{"1 +4470"}},
		{"one that loses nothing", []string{"+44 SMS off Alpha", "+447 fall Alpha"}, nil},
		{"a shorter one that it hid", []string{"+447 Alpha", "+44 fall Alpha"}, nil},
		{"itself", []string{"+44 fall Alpha"}, nil},
		{"an account's, of a global one", []string{"+44 Alpha", "+447 of=A fall Alpha", "+447 of=B fall Alpha"}, []string{"1 +4470", "2 +4470"}},
		{"an account's, of its own", []string{"+44 of=A Alpha", "+447 of=A fall Alpha", "+447 of=B fall Alpha"}, []string{"1 +4470"}},
		{"none, when the global one of the same prefix is left", []string{"+44 of=A Alpha", "+447 of=A fall Alpha", "+44 Alpha"}, nil},
		{"one without a price", []string{"+44 Alpha", "+447 COST fall Alpha"}, []string{"1 +4470"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onRules(t, func(t *testing.T, d *ruleDesk) {
				d.put(t, c.rules...)
				target := operators.Target{ID: theRule(0, "").ID}
				before := d.state(t)
				for _, request := range []operators.Request{dryRequest(), someone} {
					warnings, err := d.rules.DeleteRule(t.Context(), request, target)
					require.NoError(t, err)
					var got []string
					for _, w := range warnings {
						require.Equal(t, operators.FindingNothingShorter, w.Reason)
						got = append(got, fmt.Sprint(indexOf(w.Rules[0]), " ", w.Witness.Raw()[:5]))
					}
					require.Equal(t, c.want, got)
					if request.ValidateOnly {
						require.Equal(t, before, d.state(t))
					}
				}
			})
		})
	}
}

func TestADeletionSaysWhenItLookedAtSomeRulesOnly(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		rules := []operators.Rule{theRule(0, "+44 Alpha")}
		for i := range 2_100 {
			rule := theRule(i+1, "fall Alpha")
			rule.Prefix = e164.Prefix(fmt.Sprintf("44%04d", i))
			rules = append(rules, rule)
		}
		for i := range rules {
			rules[i].Version, rules[i].CreatedAt, rules[i].UpdatedAt = 1, deskTime, deskTime
		}
		d.in(t, func(ctx context.Context, tx operators.Tx) error { return tx.PutRules(ctx, rules, nil) })
		warnings, err := d.rules.DeleteRule(t.Context(), dryRequest(), operators.Target{ID: rules[0].ID})
		require.NoError(t, err)
		require.Len(t, warnings, operators.MaxFindings+1)
		require.Contains(t, warnings[operators.MaxFindings].Message, "The global rule for +44 has too many rules around it")
	})
}

func TestACallerBoundToAnAccountIsWarnedOfItsOwnRulesOnly(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		d.put(t, "+44 of=A Alpha", "+447 of=A fall Alpha", "+447 of=B fall Alpha", "+4477 fall Alpha")
		warnings, err := d.rules.DeleteRule(bound(t, accounts["A"]), someone, operators.Target{ID: theRule(0, "").ID})
		require.NoError(t, err)
		require.Equal(t, []string{operators.FindingNothingShorter}, reasons(warnings))
		require.Equal(t, 1, indexOf(warnings[0].Rules[0]))
	})
}
