package database_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/services/platform/money"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

// insert writes a rule set as operator-management would, and raises the versions. What the schema forbids
// is left out of the set first, so that the oracle sees the same.
func insert(t *testing.T, db *bun.DB, rs *routingtest.RuleSet) {
	t.Helper()
	allowed(rs)
	ctx := t.Context()
	err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for _, table := range []string{"fx_rates", "rates", "rule_candidates", "routing_rules", "operators"} {
			exec(t, tx, "DELETE FROM "+table)
		}
		live := map[uuid.UUID]bool{}
		for i, o := range rs.Operators {
			live[o.ID] = true
			insertOperator(t, tx, i, o, nil)
		}
		named := func(id uuid.UUID) {
			if !live[id] {
				live[id] = true
				insertOperator(t, tx, len(live)+100, routing.Operator{ID: id, Types: routing.AllMessageTypes, Status: routing.StatusActive}, &routingtest.Now)
			}
		}
		for _, r := range rs.Rules {
			insertRule(t, tx, r, named)
		}
		for _, r := range rs.Rates {
			named(r.Operator)
			from := r.Window.From
			if from.IsZero() {
				from = time.Unix(0, 0)
			}
			exec(t, tx, "INSERT INTO rates (rate_id, operator_id, prefix, message_type, price_nanos, currency, effective_from, effective_to) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
				r.ID, r.Operator, r.Prefix.String(), r.Type.String(), r.Price.Nanos, r.Price.Currency.String(), from, optional(r.Window.To))
		}
		for c, n := range rs.FX {
			exec(t, tx, "INSERT INTO fx_rates (currency, rate_nanos) VALUES (?, ?)", c.String(), n)
		}
		exec(t, tx, "UPDATE config_state SET config_version = config_version + 1, rules_version = rules_version + 1")
		return nil
	})
	require.NoError(t, err)
}

func insertOperator(t *testing.T, tx bun.IDB, n int, o routing.Operator, deleted *time.Time) {
	bind, status := "TRANSCEIVER", map[routing.Status]string{routing.StatusActive: "ACTIVE", routing.StatusInactive: "INACTIVE", routing.StatusSuspended: "SUSPENDED"}[o.Status]
	if o.ReceivesOnly {
		bind = "RECEIVER"
	}
	exec(t, tx, "INSERT INTO operators (operator_id, name, host, port, system_id, bind_type, max_tps, message_types, status, created_at, updated_at, deleted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		o.ID, fmt.Sprintf("Operator %d", n), fmt.Sprintf("smsc%d.example.net", n), 2775, "trunkline", bind, 100, o.Types.String(), status, routingtest.Now, routingtest.Now, deleted)
}

func insertRule(t *testing.T, tx bun.IDB, r routing.Rule, named func(uuid.UUID)) {
	var account *uuid.UUID
	if r.Account != uuid.Nil {
		account = &r.Account
	}
	exhausted := "FAIL"
	if r.FallThrough {
		exhausted = "FALL_THROUGH"
	}
	strategy := []string{"", "COST", "PRIORITY", "FAILOVER", "WEIGHTED"}[r.Strategy]
	exec(t, tx, "INSERT INTO routing_rules (rule_id, account_id, prefix, message_types, strategy, on_exhausted, active, valid_from, valid_to, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		r.ID, account, r.Prefix.String(), r.Types.String(), strategy, exhausted, !r.Inactive, optional(r.Window.From), optional(r.Window.To), routingtest.Now, routingtest.Now)
	insertCandidates(t, tx, r, named)
}

func insertCandidates(t *testing.T, tx bun.IDB, r routing.Rule, named func(uuid.UUID)) {
	for _, c := range r.Candidates {
		named(c.Operator)
		var nanos *int64
		var currency *string
		if !c.Price.IsZero() {
			code := c.Price.Currency.String()
			nanos, currency = &c.Price.Nanos, &code
		}
		exec(t, tx, "INSERT INTO rule_candidates (rule_id, operator_id, priority, weight, price_nanos, currency) VALUES (?, ?, ?, ?, ?, ?)",
			r.ID, c.Operator, c.Priority, c.Weight, nanos, currency)
	}
}

// allowed drops rules and rates that the schema refuses.
func allowed(rs *routingtest.RuleSet) {
	type live struct {
		account uuid.UUID
		prefix  string
		types   routing.MessageTypes
	}
	seen := map[live]bool{}
	var rules []routing.Rule
	for _, r := range rs.Rules {
		key := live{r.Account, string(r.Prefix), r.Types}
		if !seen[key] && possible(r.Window) {
			seen[key] = true
			rules = append(rules, r)
		}
	}
	rs.Rules = rules
	var rates []routing.Rate
	for _, r := range rs.Rates {
		if possible(r.Window) {
			rates = append(rates, r)
		}
	}
	rs.Rates = rates
	for c, n := range rs.FX {
		if n < 1 || c == (money.Currency{}) {
			delete(rs.FX, c)
		}
	}
}

func possible(w routing.Window) bool {
	return w.From.IsZero() || w.To.IsZero() || w.From.Before(w.To)
}

func optional(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

func exec(t *testing.T, db bun.IDB, query string, args ...any) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), query, args...)
	require.NoError(t, err)
}
