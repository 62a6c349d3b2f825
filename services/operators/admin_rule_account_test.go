package operators_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// bound is the context of a caller who is bound to an account.
func bound(t *testing.T, account uuid.UUID) context.Context {
	t.Helper()
	return caller.With(t.Context(), caller.Caller{Name: "key:1", Role: caller.Operator, Account: account})
}

func TestACallerBoundToAnAccountKeepsToItsRules(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		ours, theirs := uuid.New(), uuid.New()
		create := func(ctx context.Context, account uuid.UUID, prefix string) (operators.Rule, error) {
			rule := theRule(0, prefix+" PRIORITY Alpha")
			rule.Account = account
			stored, _, err := d.rules.CreateRule(ctx, someone, rule)
			return stored, err
		}
		global, err := create(t.Context(), uuid.Nil, "+44")
		require.NoError(t, err)
		foreign, err := create(t.Context(), theirs, "+447")
		require.NoError(t, err)
		us := bound(t, ours)
		own, err := create(us, uuid.Nil, "+4477")
		require.NoError(t, err)
		require.Equal(t, ours, own.Account, "a rule without account is the caller's")
		_, err = create(us, theirs, "+4478")
		require.True(t, fault.Is(err, operators.ReasonAccountMismatch))

		for name, c := range map[string]struct {
			rule   operators.Rule
			read   string
			change string
		}{
			"its own":     {own, "", ""},
			"a global":    {global, "", operators.ReasonGlobalRule},
			"a foreign":   {foreign, operators.ReasonNoSuchRule, operators.ReasonNoSuchRule},
			"one of none": {operators.Rule{ID: uuid.New()}, operators.ReasonNoSuchRule, operators.ReasonNoSuchRule},
		} {
			t.Run(name, func(t *testing.T) {
				_, _, err := d.rules.GetRule(us, c.rule.ID)
				requireReason(t, c.read, err)
				next := c.rule
				next.Description = "ours"
				before := d.state(t)
				_, _, err = d.rules.UpdateRule(us, someone, next, "", []string{"description"})
				requireReason(t, c.change, err)
				_, err = d.rules.DeleteRule(us, operators.Request{Actor: "someone", ValidateOnly: true}, operators.Target{ID: c.rule.ID})
				requireReason(t, c.change, err)
				if c.change != "" {
					require.Equal(t, before, d.state(t))
				}
			})
		}
		prefixes := func(ctx context.Context, filter operators.RuleFilter) (out []string) {
			filter.Limit = 10
			page, _, _, err := d.rules.ListRules(ctx, filter)
			require.NoError(t, err)
			for _, r := range page {
				out = append(out, r.Prefix.String())
			}
			return out
		}
		require.Equal(t, []string{"+44", "+4477"}, prefixes(us, operators.RuleFilter{}))
		require.Equal(t, []string{"+4477"}, prefixes(us, operators.RuleFilter{Account: ours}))
		require.Equal(t, []string{"+44", "+447", "+4477"}, prefixes(t.Context(), operators.RuleFilter{}))
		_, _, _, err = d.rules.ListRules(us, operators.RuleFilter{Account: theirs, Limit: 10})
		require.True(t, fault.Is(err, operators.ReasonAccountMismatch))
	})
}

func requireReason(t *testing.T, reason string, err error) {
	t.Helper()
	if reason == "" {
		require.NoError(t, err)
		return
	}
	require.True(t, fault.Is(err, reason), "%v", err)
}
