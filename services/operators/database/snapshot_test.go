package database_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

// gathered is what the parts of a snapshot hold together.
type gathered struct {
	operators.Snapshot
	parts int
}

// gather takes in parts, which have to be of one state and no longer than they may be.
func (g *gathered) gather(t *testing.T, version int64) func(operators.Snapshot) error {
	t.Helper()
	return func(part operators.Snapshot) error {
		require.Equal(t, version, part.ConfigVersion)
		require.LessOrEqual(t, max(len(part.Operators), len(part.Rules), len(part.Rates)), operators.SnapshotRows)
		g.parts++
		g.Operators = append(g.Operators, part.Operators...)
		g.Rules = append(g.Rules, part.Rules...)
		g.Rates = append(g.Rates, part.Rates...)
		if part.FX != nil {
			require.Nil(t, g.FX)
			g.FX = part.FX
		}
		return nil
	}
}

func TestASnapshotIsWhatListsShow(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		const priced = ",+44,GB,SMS,WEIGHTED,,Gamma,1,5,0.01,EUR\n,+44,GB,SMS,WEIGHTED,,Beta,1,0,,\n,+44,GB,SMS,WEIGHTED,,Alpha,2,,0,USD\n"
		result := k.rules(t, ruleHeader+priced+account+",+441,,,PRIORITY,FALL_THROUGH,Beta,1,,,\n,+45,DK,,PRIORITY,,Beta,2,,,\n,+45,DK,,PRIORITY,,Alpha,1,,,\n"+
			",+46,SE,,FAILOVER,,Alpha,1,,,\n,+47,NO,,FAILOVER,,Alpha,1,,,\n")
		require.Empty(t, result.BadLines)
		k.deck(t, "44,0.01,EUR,SMS,234,01,,\n45,0.02,EUR,SMS,,,,\n46,0.03,EUR,SMS,,,,2026-11-22T00:00:00Z\n")
		require.NoError(t, k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error {
			return tx.ReplaceFX(ctx, operators.FX{money.Currency{'E', 'U', 'R'}: money.NanosPerUnit})
		}))
		admin := operators.NewRuleAdmin(k.store, k.told, k.clock.Now, money.Money{})
		for _, rule := range k.allRules(t) {
			if rule.Prefix == "45" || rule.Prefix == "47" { // one between others and, maybe, the last
				_, err := admin.DeleteRule(t.Context(), someone, operators.Target{ID: rule.ID})
				require.NoError(t, err)
			}
		}
		rules := k.allRules(t)
		slices.SortFunc(rules, func(a, b operators.Rule) int { return bytes.Compare(a.ID[:], b.ID[:]) })
		rates := k.allRates(t)
		slices.SortFunc(rates, func(a, b operators.Rate) int { return bytes.Compare(a.ID[:], b.ID[:]) })
		version, _ := k.versions(t)

		var whole gathered
		require.NoError(t, k.store.Snapshot(t.Context(), false, k.clock.Now(), whole.gather(t, version)))
		require.Equal(t, rules, whole.Rules)
		require.Equal(t, rates, whole.Rates)
		require.Equal(t, k.allOperators(t), whole.Operators)
		require.Equal(t, operators.FX{money.Currency{'E', 'U', 'R'}: money.NanosPerUnit}, whole.FX)
		require.Equal(t, 4, whole.parts)

		for _, page := range []int{1, 2, 3} {
			var small gathered
			require.NoError(t, k.store.SnapshotBy(t.Context(), page, k.clock.Now(), small.gather(t, version)))
			small.parts = whole.parts
			require.Equal(t, whole, small, "%d rows at once", page)
		}

		var only gathered
		require.NoError(t, k.store.Snapshot(t.Context(), true, k.clock.Now(), only.gather(t, version)))
		require.Equal(t, gathered{Snapshot: operators.Snapshot{Operators: whole.Operators}, parts: 1}, only)

		var later gathered
		require.NoError(t, k.store.Snapshot(t.Context(), false, k.clock.Now().AddDate(0, 0, 2), later.gather(t, version)))
		require.Len(t, later.Rates, 2, "what ended is left out")
	})
}

func TestAPageIsGivenInParts(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.deck(t, manyRates(2*operators.SnapshotRows+1, 1))
		version, _ := k.versions(t)
		var got gathered
		require.NoError(t, k.store.Snapshot(t.Context(), false, k.clock.Now(), got.gather(t, version)))
		require.Equal(t, 1+3+1, got.parts, "operators, rates, currencies")
		ids := got.Rates
		require.True(t, slices.IsSortedFunc(ids, func(a, b operators.Rate) int { return cmp.Or(bytes.Compare(a.ID[:], b.ID[:]), 1) }), "each once")
		require.Len(t, ids, 2*operators.SnapshotRows+1)
	})
}

func TestASnapshotEndsWithWhoTakesIt(t *testing.T) {
	errFull := errors.New("full")
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.rules(t, ruleHeader+",+44,GB,,PRIORITY,,Alpha,1,,,\n")
		k.deck(t, "44,0.01,EUR,SMS,,,,\n")
		for wanted := 1; wanted <= 4; wanted++ {
			parts := 0
			err := k.store.Snapshot(t.Context(), false, k.clock.Now(), func(operators.Snapshot) error {
				if parts++; parts == wanted {
					return errFull
				}
				return nil
			})
			require.ErrorIs(t, err, errFull)
			require.Equal(t, wanted, parts)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err := k.store.Snapshot(ctx, false, k.clock.Now(), func(operators.Snapshot) error { cancel(); return nil })
		require.ErrorIs(t, err, context.Canceled)
	})
}

// TestASnapshotOfRowsThatCannotBeReadIsNone: a newer version may have written them.
func TestASnapshotOfRowsThatCannotBeReadIsNone(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.rules(t, ruleHeader+",+44,GB,,PRIORITY,,Alpha,1,,0.01,EUR\n")
		k.deck(t, "44,0.01,EUR,SMS,,,,\n")
		read := func() error {
			return k.store.Snapshot(t.Context(), false, time.Time{}, func(operators.Snapshot) error { return nil })
		}
		require.NoError(t, read())
		for _, c := range []struct{ name, spoil, mend string }{
			{"a currency of a rate", "UPDATE rates SET currency = 'ZZZ'", "UPDATE rates SET currency = 'EUR'"},
			{"a currency of a candidate", "UPDATE rule_candidates SET currency = 'ZZZ'", "UPDATE rule_candidates SET currency = 'EUR'"},
			{"a message type of a rule", "UPDATE routing_rules SET message_types = 'FAX'", "UPDATE routing_rules SET message_types = ''"},
			{"a currency that has a worth", "INSERT INTO fx_rates VALUES ('ZZZ', 1)", "DELETE FROM fx_rates"},
		} {
			t.Run(c.name, func(t *testing.T) {
				_, err := k.db.ExecContext(t.Context(), c.spoil)
				require.NoError(t, err)
				requireFault(t, read(), fault.Internal, fault.ReasonInternal)
				_, err = k.db.ExecContext(t.Context(), c.mend)
				require.NoError(t, err)
				require.NoError(t, read())
			})
		}
	})
}
