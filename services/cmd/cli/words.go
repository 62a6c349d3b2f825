package cli

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/money"
)

var ruleOutcomes = map[routingv1.RuleOutcome]string{
	routingv1.RuleOutcome_RULE_OUTCOME_SELECTED:              "gave the decision",
	routingv1.RuleOutcome_RULE_OUTCOME_FELL_THROUGH:          "no candidate is usable; fell through to the next rule",
	routingv1.RuleOutcome_RULE_OUTCOME_EXHAUSTED:             "no candidate is usable; the search ended here",
	routingv1.RuleOutcome_RULE_OUTCOME_INACTIVE:              "switched off",
	routingv1.RuleOutcome_RULE_OUTCOME_NOT_IN_FORCE:          "not in force at this time",
	routingv1.RuleOutcome_RULE_OUTCOME_MESSAGE_TYPE_MISMATCH: "for other message types",
	routingv1.RuleOutcome_RULE_OUTCOME_NOT_REACHED:           "not reached: a better rule ended the search",
	routingv1.RuleOutcome_RULE_OUTCOME_SKIPPED:               "skipped: a better rule of this prefix fell through to shorter prefixes",
}

var rejections = map[routingv1.Rejection]string{
	routingv1.Rejection_REJECTION_UNSPECIFIED:                "",
	routingv1.Rejection_REJECTION_OPERATOR_UNKNOWN:           "the operator does not exist any more",
	routingv1.Rejection_REJECTION_OPERATOR_NOT_ACTIVE:        "the operator is not ACTIVE",
	routingv1.Rejection_REJECTION_EXCLUDED:                   "excluded by the caller",
	routingv1.Rejection_REJECTION_MESSAGE_TYPE_NOT_SUPPORTED: "does not carry this message type",
	routingv1.Rejection_REJECTION_UNBOUND:                    "no session is up",
	routingv1.Rejection_REJECTION_UNHEALTHY:                  "too many errors, or its session is lost",
	routingv1.Rejection_REJECTION_NO_RATE:                    "no rate in force and no price in the rule",
	routingv1.Rejection_REJECTION_NO_FX_RATE:                 "no exchange rate for its currency",
	routingv1.Rejection_REJECTION_RECEIVES_ONLY:              "its session only receives",
}

// word looks an enum value up; one of a newer server shows its own name.
func word[E interface {
	comparable
	String() string
}](words map[E]string, value E) string {
	if text, known := words[value]; known {
		return text
	}
	return value.String()
}

var strategyWords = map[routingv1.RoutingStrategy]string{
	routingv1.RoutingStrategy_ROUTING_STRATEGY_COST:     "cheapest first",
	routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY: "by priority",
	routingv1.RoutingStrategy_ROUTING_STRATEGY_FAILOVER: "in strict order",
	routingv1.RoutingStrategy_ROUTING_STRATEGY_WEIGHTED: "weighted draw",
}

func strategyName(s routingv1.RoutingStrategy) string {
	return strings.TrimPrefix(s.String(), "ROUTING_STRATEGY_")
}

func onExhaustedName(o routingv1.OnExhausted) string {
	if o == routingv1.OnExhausted_ON_EXHAUSTED_UNSPECIFIED {
		o = routingv1.OnExhausted_ON_EXHAUSTED_FAIL
	}
	return strings.TrimPrefix(o.String(), "ON_EXHAUSTED_")
}

func typeName(t routingv1.MessageType) string { return strings.TrimPrefix(t.String(), "MESSAGE_TYPE_") }

// typeNames joins the names with commas; none gives "".
func typeNames(types []routingv1.MessageType) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = typeName(t)
	}
	return strings.Join(names, ",")
}

func statusName(s operatorsv1.OperatorStatus) string {
	return strings.TrimPrefix(s.String(), "OPERATOR_STATUS_")
}

func bindName(b operatorsv1.BindType) string { return strings.TrimPrefix(b.String(), "BIND_TYPE_") }

func enforcementName(m operatorsv1.EnforcementMode) string {
	return strings.TrimPrefix(m.String(), "ENFORCEMENT_MODE_")
}

func ownerName(account string) string {
	if account == "" {
		return "global"
	}
	return account
}

// health tells both axes, such as "BOUND HEALTHY".
func health(bind eventsv1.BindState, quality eventsv1.Quality) string {
	var parts []string
	if bind != eventsv1.BindState_BIND_STATE_UNSPECIFIED {
		parts = append(parts, strings.TrimPrefix(bind.String(), "BIND_STATE_"))
	}
	if quality != eventsv1.Quality_QUALITY_UNSPECIFIED {
		parts = append(parts, strings.TrimPrefix(quality.String(), "QUALITY_"))
	}
	if len(parts) == 0 {
		return unknownHealth
	}
	return strings.Join(parts, " ")
}

const unknownHealth = "unknown"

// healthText is health with a word when it is not what connectors report.
func healthText(h *operatorsv1.OperatorHealth) string {
	text := health(h.GetBindState(), h.GetQuality())
	if h.GetByHand() {
		text += " by hand"
	}
	return text
}

// price is decimal text with the currency, or "-" when there is none.
func price(m *routingv1.Money) string {
	if m == nil {
		return "-"
	}
	value, err := money.FromNanos(m.GetNanos(), m.GetCurrencyCode())
	if err != nil {
		// A currency this program does not know is still a price.
		return money.Money{Nanos: m.GetNanos()}.Decimal() + " " + m.GetCurrencyCode()
	}
	return value.String()
}

func address(host string, port int32) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
