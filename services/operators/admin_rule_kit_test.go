package operators_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

// ruleDesk is a desk with the operators of checks and the use cases of rules.
type ruleDesk struct {
	*desk
	rules    *operators.RuleAdmin
	importer *operators.Importer
}

// onRules runs a test on both stores.
func onRules(t *testing.T, test func(t *testing.T, d *ruleDesk)) {
	t.Helper()
	onBothStores(t, func(t *testing.T, d *desk) {
		all := crew()
		for i := range all {
			name := strings.ToLower(all[i].Name)
			all[i].Host, all[i].Port, all[i].SystemID = name+".example", 2775, name
			all[i].MaxTPS, all[i].BurstMultiplier, all[i].EnforcementMode, all[i].Version = 1, 1, operators.HardReject, 1
			all[i].CreatedAt, all[i].UpdatedAt = deskTime, deskTime
		}
		require.NoError(t, d.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error { return tx.PutOperators(ctx, all) }))
		test(t, &ruleDesk{
			desk: d, rules: operators.NewRuleAdmin(d.store, wakeCounter{d.wakes}, d.clock.Now, money.Money{}),
			importer: operators.NewImporter(d.store, wakeCounter{d.wakes}, d.clock.Now, slog.New(slog.DiscardHandler), money.Money{}),
		})
	})
}

// add creates a rule that is written as in seeded.
func (d *ruleDesk) add(t *testing.T, text string) operators.Rule {
	t.Helper()
	rule, _, err := d.rules.CreateRule(t.Context(), someone, theRule(0, text))
	require.NoError(t, err)
	return rule
}

// drop deletes a rule.
func (d *ruleDesk) drop(t *testing.T, r operators.Request, target operators.Target) error {
	t.Helper()
	_, err := d.rules.DeleteRule(t.Context(), r, target)
	return err
}

// refuse expects that a rule is not taken, and that nothing is stored.
func (d *ruleDesk) refuse(t *testing.T, text string) *fault.Fault {
	t.Helper()
	before := d.state(t)
	_, _, err := d.rules.CreateRule(t.Context(), someone, theRule(0, text))
	require.Error(t, err)
	require.Equal(t, before, d.state(t))
	return fault.From(err)
}

func (d *ruleDesk) rates(t *testing.T, texts ...string) {
	t.Helper()
	var all []operators.Rate
	for _, text := range texts {
		rate := theRate(text)
		rate.ID = uuid.Must(uuid.NewV7())
		all = append(all, rate)
	}
	d.in(t, func(ctx context.Context, tx operators.Tx) error { return tx.StoreRates(ctx, all, nil, nil) })
}

// in runs a transaction.
func (d *ruleDesk) in(t *testing.T, do func(ctx context.Context, tx operators.Tx) error) {
	t.Helper()
	require.NoError(t, d.store.InTx(t.Context(), do))
}

func (d *ruleDesk) rule(t *testing.T, id uuid.UUID) operators.Rule {
	t.Helper()
	rule, fresh, err := d.rules.GetRule(t.Context(), id)
	require.NoError(t, err)
	require.Zero(t, fresh)
	return rule
}

func (d *ruleDesk) versions(t *testing.T) (config, rules int) {
	t.Helper()
	require.NoError(t, d.db.NewRaw("SELECT config_version, rules_version FROM config_state").Scan(t.Context(), &config, &rules))
	return config, rules
}

// list gives the prefixes of a list, page by page.
func (d *ruleDesk) list(t *testing.T, filter operators.RuleFilter) (prefixes []string) {
	t.Helper()
	for {
		page, more, fresh, err := d.rules.ListRules(t.Context(), filter)
		require.NoError(t, err)
		require.Zero(t, fresh)
		require.LessOrEqual(t, len(page), filter.Limit)
		for _, rule := range page {
			text := rule.Prefix.String()
			if rule.MessageTypes != 0 {
				text += " " + rule.MessageTypes.String()
			}
			prefixes = append(prefixes, text)
		}
		if !more {
			return prefixes
		}
		key := page[len(page)-1].Key()
		filter.After = &key
	}
}

// reasons lists what findings are about.
func reasons(findings []operators.Finding) (all []string) {
	for _, f := range findings {
		all = append(all, f.Reason)
	}
	return all
}

func withID(rule operators.Rule, id uuid.UUID) operators.Rule {
	rule.ID = id
	return rule
}
