package database_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/money"
)

// marks reads what engines follow by.
func (k kit) marks(t *testing.T) (config, untold int64, changedIn map[string]int64) {
	t.Helper()
	require.NoError(t, k.db.NewRaw("SELECT config_version, rules_version - rule_changes FROM config_state").Scan(t.Context(), &config, &untold))
	var rows []struct {
		Prefix    string
		ChangedIn int64
	}
	require.NoError(t, k.db.NewRaw("SELECT prefix, changed_in FROM routing_rules").Scan(t.Context(), &rows))
	changedIn = map[string]int64{}
	for _, row := range rows {
		changedIn[row.Prefix] = row.ChangedIn
	}
	return config, untold, changedIn
}

// TestARuleTellsTheVersionItCameIntoForceWith: engines read nothing else of a change.
func TestARuleTellsTheVersionItCameIntoForceWith(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		admin := operators.NewRuleAdmin(k.store, k.told, k.clock.Now, money.Money{})
		k.operators(t, three)
		v, before, _ := k.marks(t)
		k.rules(t, ruleHeader+",+44,GB,,PRIORITY,,Alpha,1,,,\n,+45,DK,,PRIORITY,,Alpha,1,,,\n")
		config, untold, changed := k.marks(t)
		require.Equal(t, []int64{v + 1, before}, []int64{config, untold})
		require.Equal(t, map[string]int64{"+44": config, "+45": config}, changed, "an import")

		rule := k.allRules(t)[0]
		rule.Active = false
		_, _, err := admin.UpdateRule(t.Context(), someone, rule, "", []string{"active"})
		require.NoError(t, err)
		_, err = admin.DeleteRule(t.Context(), someone, operators.Target{ID: k.allRules(t)[1].ID})
		require.NoError(t, err)
		rule = k.allRules(t)[0]
		rule.Prefix = "46"
		_, _, err = admin.CreateRule(t.Context(), someone, rule)
		require.NoError(t, err)
		k.rules(t, ruleHeader+",+44,GB,,PRIORITY,,Beta,1,,,\n,+47,NO,,PRIORITY,,Alpha,1,,,\n")
		config, untold, changed = k.marks(t)
		require.Equal(t, v+5, config)
		require.Equal(t, map[string]int64{"+44": config, "+45": v + 3, "+46": v + 4, "+47": config}, changed, "deleted ones tell it too")
		require.Equal(t, before, untold, "rows tell of everything")
	})
}

func TestWhatNoRuleTellsOfIsCounted(t *testing.T) {
	euro, err := money.ParseCurrency("EUR")
	require.NoError(t, err)
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.rules(t, ruleHeader+",+44,GB,,PRIORITY,,Alpha,1,,,\n")
		rule, operator := k.allRules(t)[0], k.allOperators(t)[0].ID
		price, err := money.FromNanos(1, "EUR")
		require.NoError(t, err)
		rate := operators.Rate{
			ID: uuid.New(), OperatorID: operator, Prefix: "44", MessageType: operators.SMS, Price: price, EffectiveFrom: k.clock.Now(),
		}
		putRule := func(ctx context.Context, tx operators.Tx) error { return tx.PutRules(ctx, []operators.Rule{rule}, nil) }
		putRate := func(ctx context.Context, tx operators.Tx) error {
			return tx.StoreRates(ctx, []operators.Rate{rate}, nil, nil)
		}
		putFX := func(ctx context.Context, tx operators.Tx) error {
			return tx.ReplaceFX(ctx, operators.FX{euro: 1_000_000_000})
		}
		for name, tt := range map[string]struct {
			do     []func(context.Context, operators.Tx) error
			rules  bool
			untold int64
		}{
			"rules":                       {[]func(context.Context, operators.Tx) error{putRule}, true, 0},
			"operators":                   {nil, false, 0},
			"rates":                       {[]func(context.Context, operators.Tx) error{putRate}, true, 1},
			"currencies":                  {[]func(context.Context, operators.Tx) error{putFX}, true, 1},
			"rates with rules":            {[]func(context.Context, operators.Tx) error{putRate, putRule}, true, 1},
			"currencies with rules":       {[]func(context.Context, operators.Tx) error{putRule, putFX}, true, 1},
			"something not of this store": {nil, true, 1},
		} {
			_, before, _ := k.marks(t)
			require.NoError(t, k.within(t, func(ctx context.Context, tx operators.Tx) error {
				for _, do := range tt.do {
					if err := do(ctx, tx); err != nil {
						return err
					}
				}
				_, err := tx.RaiseConfigVersion(ctx, tt.rules, time.Now())
				return err
			}), name)
			_, after, _ := k.marks(t)
			require.Equal(t, tt.untold, after-before, name)
		}
	})
}
