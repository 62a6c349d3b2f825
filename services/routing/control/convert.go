package control

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

// A value that this engine does not know, such as a strategy of a newer operator-management, makes its row
// unreadable: to leave it out or to guess could send messages the wrong way.
var (
	errUnknown = errors.New("unknown value")
	errDeleted = errors.New("deleted")
	errNoPrice = errors.New("no price")
	errRate    = errors.New("not above 0")
)

var (
	statuses = map[operatorsv1.OperatorStatus]routing.Status{
		operatorsv1.OperatorStatus_OPERATOR_STATUS_INACTIVE:  routing.StatusInactive,
		operatorsv1.OperatorStatus_OPERATOR_STATUS_ACTIVE:    routing.StatusActive,
		operatorsv1.OperatorStatus_OPERATOR_STATUS_SUSPENDED: routing.StatusSuspended,
	}
	receivesOnly = map[operatorsv1.BindType]bool{
		operatorsv1.BindType_BIND_TYPE_UNSPECIFIED: false,
		operatorsv1.BindType_BIND_TYPE_TRANSCEIVER: false,
		operatorsv1.BindType_BIND_TYPE_TRANSMITTER: false,
		operatorsv1.BindType_BIND_TYPE_RECEIVER:    true,
	}
	messageTypes = map[routingv1.MessageType]routing.MessageType{
		routingv1.MessageType_MESSAGE_TYPE_SMS:   routing.SMS,
		routingv1.MessageType_MESSAGE_TYPE_FLASH: routing.Flash,
		routingv1.MessageType_MESSAGE_TYPE_WAP:   routing.WAP,
	}
	strategies = map[routingv1.RoutingStrategy]routing.Strategy{
		routingv1.RoutingStrategy_ROUTING_STRATEGY_COST:     routing.Cost,
		routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY: routing.Priority,
		routingv1.RoutingStrategy_ROUTING_STRATEGY_FAILOVER: routing.Failover,
		routingv1.RoutingStrategy_ROUTING_STRATEGY_WEIGHTED: routing.Weighted,
	}
	fallsThrough = map[routingv1.OnExhausted]bool{
		routingv1.OnExhausted_ON_EXHAUSTED_UNSPECIFIED:  false,
		routingv1.OnExhausted_ON_EXHAUSTED_FAIL:         false,
		routingv1.OnExhausted_ON_EXHAUSTED_FALL_THROUGH: true,
	}
)

// The defaults of the schema.
const (
	defaultPriority = 1
	defaultWeight   = 100
)

// reader reads the parts of one row and remembers the first failure.
type reader struct{ err error }

func (r *reader) fail(field string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", field, err)
	}
}

func (r *reader) id(field, text string) uuid.UUID {
	id, err := uuid.Parse(text)
	r.fail(field, err)
	return id
}

func (r *reader) prefix(text string) e164.Prefix {
	p, err := e164.ParsePrefix(text)
	r.fail("prefix", err)
	return p
}

// price gives no price for none.
func (r *reader) price(m *routingv1.Money) money.Money {
	if m == nil {
		return money.Money{}
	}
	price, err := money.FromNanos(m.GetNanos(), m.GetCurrencyCode())
	r.fail("price", err)
	return price
}

// moment gives the zero time for none.
func (r *reader) moment(field string, t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	r.fail(field, t.CheckValid())
	return t.AsTime()
}

func (r *reader) types(list []routingv1.MessageType) (set routing.MessageTypes) {
	for _, t := range list {
		set |= routing.NewMessageTypes(known(r, "message_types", messageTypes, t))
	}
	return set
}

func known[W comparable, V any](r *reader, field string, values map[W]V, wire W) V {
	value, ok := values[wire]
	if !ok {
		r.fail(field, errUnknown)
	}
	return value
}

func operator(row *operatorsv1.Operator) (routing.Operator, error) {
	var r reader
	o := routing.Operator{
		ID:           r.id("operator_id", row.GetOperatorId()),
		Name:         row.GetName(),
		Host:         row.GetHost(),
		Port:         row.GetPort(),
		SystemID:     row.GetSystemId(),
		TPSLimit:     row.GetTpsLimit().GetMaxTps(),
		Types:        r.types(row.GetMessageTypes()),
		Status:       known(&r, "status", statuses, row.GetStatus()),
		ReceivesOnly: known(&r, "bind_type", receivesOnly, row.GetBindType()),
	}
	if o.Types == 0 {
		o.Types = routing.NewMessageTypes(routing.SMS)
	}
	if row.GetDeleteTime() != nil {
		r.fail("delete_time", errDeleted)
	}
	return o, r.err
}

func rule(row *operatorsv1.RoutingRule) (routing.Rule, error) {
	var r reader
	out := routing.Rule{
		ID:          r.id("rule_id", row.GetRuleId()),
		Prefix:      r.prefix(row.GetPrefix()),
		Types:       r.types(row.GetMessageTypes()),
		Strategy:    known(&r, "strategy", strategies, row.GetStrategy()),
		FallThrough: known(&r, "on_exhausted", fallsThrough, row.GetOnExhausted()),
		Inactive:    !row.GetActive(),
		Window:      routing.Window{From: r.moment("valid_from", row.GetValidFrom()), To: r.moment("valid_to", row.GetValidTo())},
		Candidates:  make([]routing.Candidate, len(row.GetCandidates())),
	}
	if row.GetAccountId() != "" {
		out.Account = r.id("account_id", row.GetAccountId())
	}
	for i, c := range row.GetCandidates() {
		out.Candidates[i] = routing.Candidate{
			Operator: r.id("candidates.operator_id", c.GetOperatorId()),
			Priority: c.GetPriority(),
			Weight:   defaultWeight,
			Price:    r.price(c.GetPrice()),
		}
		if c.GetPriority() == 0 {
			out.Candidates[i].Priority = defaultPriority
		}
		if c.Weight != nil {
			out.Candidates[i].Weight = c.GetWeight()
		}
	}
	return out, r.err
}

func rate(row *operatorsv1.Rate) (routing.Rate, error) {
	var r reader
	out := routing.Rate{
		ID:       r.id("rate_id", row.GetRateId()),
		Operator: r.id("operator_id", row.GetOperatorId()),
		Prefix:   r.prefix(row.GetPrefix()),
		Type:     known(&r, "message_type", messageTypes, row.GetMessageType()),
		Price:    r.price(row.GetPrice()),
		Window:   routing.Window{From: r.moment("effective_from", row.GetEffectiveFrom()), To: r.moment("effective_to", row.GetEffectiveTo())},
	}
	if row.GetPrice() == nil {
		r.fail("price", errNoPrice)
	}
	return out, r.err
}

func fxRate(row *operatorsv1.FxRate) (money.Currency, int64, error) {
	var r reader
	currency, err := money.ParseCurrency(row.GetCurrencyCode())
	r.fail("currency_code", err)
	if row.GetRateNanos() < 1 {
		r.fail("rate_nanos", errRate)
	}
	return currency, row.GetRateNanos(), r.err
}
