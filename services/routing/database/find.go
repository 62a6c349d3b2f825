package database

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
	"trunkline/services/routing"
)

// ReasonUnavailable is the reason when the store cannot be read.
const ReasonUnavailable = "DATABASE_UNAVAILABLE"

const (
	// findTimeout bounds one lookup; a caller waits at most this long for a store that hangs.
	findTimeout = 2 * time.Second
	retryAfter  = time.Second
	// findTries is how often a lookup starts again because a change was committed between its queries.
	findTries = 5
)

// One statement reads versions, rules, candidates and operators, so they belong together.
const findQuery = `SELECT s.config_version, s.rules_version, ` + ruleColumns + `, ` + operatorColumns + `
FROM config_state AS s
LEFT JOIN routing_rules AS r ON r.prefix IN (?) AND (r.account_id = ? OR r.account_id IS NULL) AND r.deleted_at IS NULL
LEFT JOIN rule_candidates AS c ON c.rule_id = r.rule_id
LEFT JOIN operators AS o ON o.operator_id = c.operator_id AND o.deleted_at IS NULL
ORDER BY r.rule_id, c.priority, c.operator_id`

const findRatesQuery = `SELECT s.config_version, ` + rateColumns + `
FROM config_state AS s
LEFT JOIN rates AS t ON t.prefix IN (?) AND t.operator_id IN (?) AND t.message_type = ?`

var errChanged = fault.New(fault.Unavailable, ReasonUnavailable,
	"the routing rules change too fast to be read").WithRetry(retryAfter)

// Find reads what can concern the numbers that start with l.Digits: a number asks for its at most 15
// prefixes by index. The result is always a miss of the cache.
func (s *Store) Find(ctx context.Context, l routing.Lookup) (*routing.Extract, routing.CacheResult, error) {
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	for range findTries {
		e, err := s.find(ctx, l)
		if err != nil {
			return nil, 0, hung(caller, err)
		}
		if e != nil {
			return e, routing.CacheMiss, nil
		}
	}
	return nil, 0, errChanged
}

// find gives nil when a change came in between.
func (s *Store) find(ctx context.Context, l routing.Lookup) (*routing.Extract, error) {
	prefixes := make([]string, len(l.Digits))
	for i := range prefixes {
		prefixes[i] = "+" + l.Digits[:i+1]
	}
	if len(prefixes) == 0 {
		prefixes = append(prefixes, "") // no list may be empty in SQL
	}
	e := &routing.Extract{}
	operators := map[uuid.UUID]bool{}
	currencies := map[string]bool{}
	err := rows(bunstore.WithQueryName(ctx, "rules_by_prefix"), s.db, findQuery, func(r *sql.Rows) error {
		var rule ruleRow
		var o operatorRow
		fields := append([]any{&e.Versions.Config, &e.Versions.Rules}, rule.fields()...)
		if err := r.Scan(append(fields, o.fields()...)...); err != nil {
			return err
		}
		e.Rules = addRule(e.Rules, &rule)
		if o.id.Valid && !operators[o.id.UUID] {
			operators[o.id.UUID] = true
			e.Operators = append(e.Operators, o.operator())
		}
		if rule.currency.Valid {
			currencies[rule.currency.String] = true
		}
		return nil
	}, bun.List(prefixes), l.Account)
	if err != nil || len(operators) == 0 {
		return e, err
	}
	ids := make([]uuid.UUID, 0, len(operators))
	for i := range e.Operators {
		ids = append(ids, e.Operators[i].ID)
	}
	same := true
	err = rows(bunstore.WithQueryName(ctx, "rates_by_prefix"), s.db, findRatesQuery, func(r *sql.Rows) error {
		var version int64
		var rate rateRow
		if err := r.Scan(append([]any{&version}, rate.fields()...)...); err != nil {
			return err
		}
		same = same && version == e.Versions.Config
		if rate.id.Valid {
			e.Rates = append(e.Rates, rate.rate())
			currencies[rate.currency.String] = true
		}
		return nil
	}, bun.List(prefixes), bun.List(ids), l.Type.String())
	if err != nil || !same {
		return nil, err
	}
	if len(currencies) > 1 {
		if e.FX, err = fxRates(bunstore.WithQueryName(ctx, "fx_rates"), s.db); err != nil {
			return nil, err
		}
		if after, err := state(ctx, s.db); err != nil || after.Versions != e.Versions {
			return nil, err
		}
	}
	return e, nil
}

// addRule adds a row to the rules, which are read ordered by id: a further candidate of the last rule,
// or a new rule.
func addRule(rules []routing.Rule, row *ruleRow) []routing.Rule {
	if !row.id.Valid {
		return rules
	}
	if n := len(rules); n == 0 || rules[n-1].ID != row.id.UUID {
		rules = append(rules, row.rule())
	}
	if row.operator.Valid {
		last := &rules[len(rules)-1]
		last.Candidates = append(last.Candidates, row.candidate())
	}
	return rules
}
