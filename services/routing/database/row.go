package database

import (
	"database/sql"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

// The columns of a rule, its candidates and their operators. A rule without candidates has NULL behind.
const (
	ruleColumns = `r.rule_id, r.account_id, r.prefix, r.message_types, r.strategy, r.on_exhausted, r.active,
	r.valid_from, r.valid_to, c.operator_id, c.priority, c.weight, c.price_nanos, c.currency`
	operatorColumns = `o.operator_id, o.name, o.host, o.port, o.system_id, o.bind_type, o.max_tps, o.message_types, o.status`
	rateColumns     = `t.rate_id, t.operator_id, t.prefix, t.message_type, t.price_nanos, t.currency, t.effective_from, t.effective_to`
)

// ruleRow is one rule with one of its candidates. Everything may be NULL, because the state row is
// joined with rules that may not exist.
type ruleRow struct {
	id          uuid.NullUUID
	account     uuid.NullUUID
	prefix      sql.NullString
	types       sql.NullString
	strategy    sql.NullString
	onExhausted sql.NullString
	active      sql.NullBool
	from, to    bun.NullTime
	operator    uuid.NullUUID
	priority    sql.NullInt32
	weight      sql.NullInt32
	nanos       sql.NullInt64
	currency    sql.NullString
}

func (r *ruleRow) fields() []any {
	return []any{
		&r.id, &r.account, &r.prefix, &r.types, &r.strategy, &r.onExhausted, &r.active, &r.from, &r.to,
		&r.operator, &r.priority, &r.weight, &r.nanos, &r.currency,
	}
}

func (r *ruleRow) rule() routing.Rule {
	return routing.Rule{
		ID:          r.id.UUID,
		Account:     r.account.UUID,
		Prefix:      prefix(r.prefix.String),
		Types:       routing.ParseMessageTypes(r.types.String),
		Strategy:    routing.ParseStrategy(r.strategy.String),
		FallThrough: r.onExhausted.String == "FALL_THROUGH",
		Inactive:    !r.active.Bool,
		Window:      routing.Window{From: r.from.Time, To: r.to.Time},
	}
}

func (r *ruleRow) candidate() routing.Candidate {
	return routing.Candidate{
		Operator: r.operator.UUID,
		Priority: r.priority.Int32,
		Weight:   r.weight.Int32,
		Price:    price(r.nanos, r.currency),
	}
}

type operatorRow struct {
	id       uuid.NullUUID
	name     sql.NullString
	host     sql.NullString
	port     sql.NullInt32
	systemID sql.NullString
	bindType sql.NullString
	maxTPS   sql.NullInt32
	types    sql.NullString
	status   sql.NullString
}

func (o *operatorRow) fields() []any {
	return []any{&o.id, &o.name, &o.host, &o.port, &o.systemID, &o.bindType, &o.maxTPS, &o.types, &o.status}
}

func (o *operatorRow) operator() routing.Operator {
	return routing.Operator{
		ID:           o.id.UUID,
		Name:         o.name.String,
		Host:         o.host.String,
		Port:         o.port.Int32,
		SystemID:     o.systemID.String,
		TPSLimit:     o.maxTPS.Int32,
		Types:        routing.ParseMessageTypes(o.types.String),
		Status:       routing.ParseStatus(o.status.String),
		ReceivesOnly: o.bindType.String == "RECEIVER",
	}
}

type rateRow struct {
	id       uuid.NullUUID
	operator uuid.NullUUID
	prefix   sql.NullString
	kind     sql.NullString
	nanos    sql.NullInt64
	currency sql.NullString
	from, to bun.NullTime
}

func (t *rateRow) fields() []any {
	return []any{&t.id, &t.operator, &t.prefix, &t.kind, &t.nanos, &t.currency, &t.from, &t.to}
}

func (t *rateRow) rate() routing.Rate {
	rate := routing.Rate{
		ID:       t.id.UUID,
		Operator: t.operator.UUID,
		Prefix:   prefix(t.prefix.String),
		Price:    price(t.nanos, t.currency),
		Window:   routing.Window{From: t.from.Time, To: t.to.Time},
	}
	types := routing.ParseMessageTypes(t.kind.String)
	for kind := routing.SMS; kind <= routing.WAP; kind++ {
		if types.Has(kind) {
			rate.Type = kind
		}
	}
	return rate
}

// prefix drops what is no prefix; the store's own checks let none in.
func prefix(text string) e164.Prefix {
	p, err := e164.ParsePrefix(text)
	if err != nil {
		return ""
	}
	return p
}

// price gives no price for NULL and for what is no price.
func price(nanos sql.NullInt64, currency sql.NullString) money.Money {
	if !nanos.Valid {
		return money.Money{}
	}
	m, err := money.FromNanos(nanos.Int64, currency.String)
	if err != nil {
		return money.Money{}
	}
	return m
}
