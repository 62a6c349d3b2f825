package rpc

import (
	"strings"

	"github.com/google/uuid"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

// answer is a response with its parts in one piece, and other one alternate with its price: an answer is made for
// every call and for each item of a batch, and one allocation costs less than many.
type (
	answer struct {
		response routingv1.SelectOperatorResponse
		meta     routingv1.DecisionMeta
		price    routingv1.Money
	}
	other struct {
		alternate routingv1.Alternate
		price     routingv1.Money
	}
)

// Room for the texts of an answer: its prefix and decision id, and for each operator its id and currency.
const (
	roomOfAnswer = uuidLength + e164.MaxPrefixDigits + 1
	roomOfChoice = uuidLength + len(money.Currency{})
)

// response copies a decision that has a winner.
func response(d *routing.Decision) *routingv1.SelectOperatorResponse {
	winner, others := &d.Choices[0], d.Choices[1:]
	var a answer
	var t texts
	t.Grow(roomOfAnswer + roomOfChoice*len(d.Choices))
	res := &a.response
	res.OperatorId = t.uuid(winner.ID)
	res.Host, res.Port, res.SystemId, res.TpsLimit = winner.Host, winner.Port, winner.SystemID, winner.TPSLimit
	res.Strategy, res.OperatorName, res.MatchedPrefix = strategies[d.Strategy], winner.Name, t.prefix(d.Prefix)
	res.UnitPrice, res.Meta = t.price(&a.price, winner.Price), fillMeta(&a.meta, d, t.uuid(d.ID))
	if len(others) == 0 {
		return res
	}
	whole := make([]other, len(others))
	res.Alternates = make([]*routingv1.Alternate, len(others))
	for i := range others {
		c, o := &others[i], &whole[i].alternate
		o.OperatorId, o.OperatorName, o.UnitPrice = t.uuid(c.ID), c.Name, t.price(&whole[i].price, c.Price)
		o.Host, o.Port, o.SystemId, o.TpsLimit = c.Host, c.Port, c.SystemID, c.TPSLimit
		res.Alternates[i] = o
	}
	return res
}

func meta(d *routing.Decision) *routingv1.DecisionMeta {
	return fillMeta(&routingv1.DecisionMeta{}, d, d.ID.String())
}

func fillMeta(m *routingv1.DecisionMeta, d *routing.Decision, id string) *routingv1.DecisionMeta {
	m.DecisionId, m.ReleaseId, m.ConfigVersion, m.RulesVersion = id, d.Versions.Release, d.Versions.Config, d.Versions.Rules
	m.AlgoVersion, m.Cache, m.HealthUnknown = routing.AlgoVersion, cacheResults[d.Cache], d.HealthUnknown
	return m
}

// price is nil when there is none.
func price(m money.Money) *routingv1.Money {
	return new(texts).price(&routingv1.Money{}, m)
}

const uuidLength = 36

// texts makes many short texts that share one piece of memory, which Grow sets aside.
type texts struct{ strings.Builder }

func (t *texts) since(start int) string { return t.String()[start:] }

func (t *texts) uuid(id uuid.UUID) string {
	start := t.Len()
	text, _ := id.MarshalText() // never fails
	t.Write(text)
	return t.since(start)
}

func (t *texts) prefix(p e164.Prefix) string {
	if p == "" {
		return ""
	}
	start := t.Len()
	t.WriteByte('+')
	t.WriteString(p.Digits())
	return t.since(start)
}

func (t *texts) price(into *routingv1.Money, m money.Money) *routingv1.Money {
	if m.IsZero() {
		return nil
	}
	start := t.Len()
	t.Write(m.Currency[:])
	into.CurrencyCode, into.Nanos = t.since(start), m.Nanos
	return into
}
