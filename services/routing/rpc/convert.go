package rpc

import (
	"context"
	"strings"

	"github.com/google/uuid"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
	"trunkline/services/routing"
)

// The enums of both sides, one row each. A value that has no row converts to UNSPECIFIED.
var (
	messageTypes = map[routingv1.MessageType]routing.MessageType{
		routingv1.MessageType_MESSAGE_TYPE_SMS:   routing.SMS,
		routingv1.MessageType_MESSAGE_TYPE_FLASH: routing.Flash,
		routingv1.MessageType_MESSAGE_TYPE_WAP:   routing.WAP,
	}
	strategies = [...]routingv1.RoutingStrategy{
		routing.Cost:     routingv1.RoutingStrategy_ROUTING_STRATEGY_COST,
		routing.Priority: routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY,
		routing.Failover: routingv1.RoutingStrategy_ROUTING_STRATEGY_FAILOVER,
		routing.Weighted: routingv1.RoutingStrategy_ROUTING_STRATEGY_WEIGHTED,
	}
	cacheResults = [...]routingv1.CacheResult{
		routing.CacheHit:    routingv1.CacheResult_CACHE_RESULT_HIT,
		routing.CacheMiss:   routingv1.CacheResult_CACHE_RESULT_MISS,
		routing.CacheBypass: routingv1.CacheResult_CACHE_RESULT_BYPASS,
	}
	outcomes = [...]routingv1.RuleOutcome{
		routing.RuleSelected:     routingv1.RuleOutcome_RULE_OUTCOME_SELECTED,
		routing.RuleFellThrough:  routingv1.RuleOutcome_RULE_OUTCOME_FELL_THROUGH,
		routing.RuleExhausted:    routingv1.RuleOutcome_RULE_OUTCOME_EXHAUSTED,
		routing.RuleInactive:     routingv1.RuleOutcome_RULE_OUTCOME_INACTIVE,
		routing.RuleNotInForce:   routingv1.RuleOutcome_RULE_OUTCOME_NOT_IN_FORCE,
		routing.RuleTypeMismatch: routingv1.RuleOutcome_RULE_OUTCOME_MESSAGE_TYPE_MISMATCH,
		routing.RuleNotReached:   routingv1.RuleOutcome_RULE_OUTCOME_NOT_REACHED,
		routing.RuleSkipped:      routingv1.RuleOutcome_RULE_OUTCOME_SKIPPED,
	}
	rejections = [...]routingv1.Rejection{
		routing.NotRejected:          routingv1.Rejection_REJECTION_UNSPECIFIED,
		routing.RejectedUnknown:      routingv1.Rejection_REJECTION_OPERATOR_UNKNOWN,
		routing.RejectedNotActive:    routingv1.Rejection_REJECTION_OPERATOR_NOT_ACTIVE,
		routing.RejectedExcluded:     routingv1.Rejection_REJECTION_EXCLUDED,
		routing.RejectedMessageType:  routingv1.Rejection_REJECTION_MESSAGE_TYPE_NOT_SUPPORTED,
		routing.RejectedReceivesOnly: routingv1.Rejection_REJECTION_RECEIVES_ONLY,
		routing.RejectedUnbound:      routingv1.Rejection_REJECTION_UNBOUND,
		routing.RejectedUnhealthy:    routingv1.Rejection_REJECTION_UNHEALTHY,
		routing.RejectedNoRate:       routingv1.Rejection_REJECTION_NO_RATE,
		routing.RejectedNoFXRate:     routingv1.Rejection_REJECTION_NO_FX_RATE,
	}
	bindStates = [...]eventsv1.BindState{
		routing.Bound:    eventsv1.BindState_BIND_STATE_BOUND,
		routing.Unbound:  eventsv1.BindState_BIND_STATE_UNBOUND,
		routing.Failback: eventsv1.BindState_BIND_STATE_FAILBACK,
	}
	qualities = [...]eventsv1.Quality{
		routing.Healthy:   eventsv1.Quality_QUALITY_HEALTHY,
		routing.Degraded:  eventsv1.Quality_QUALITY_DEGRADED,
		routing.Unhealthy: eventsv1.Quality_QUALITY_UNHEALTHY,
	}
)

// ReasonAccountMismatch marks a question for another account than that of the credential.
const ReasonAccountMismatch = "ACCOUNT_MISMATCH"

// query reads a question. A caller that is bound to an account asks for that one only.
func query(ctx context.Context, req *routingv1.SelectOperatorRequest) (routing.Query, error) {
	q, err := routing.ParseQuery(req.GetTo(), req.GetAccountId(), messageTypes[req.GetMessageType()], req.GetMessageId(), req.GetExcludeOperatorIds())
	if who := caller.From(ctx); err == nil && !who.MayChange(q.Account) {
		return routing.Query{}, fault.New(fault.PermissionDenied, ReasonAccountMismatch,
			"The credential is bound to another account than account_id: ask with the account of the credential.")
	}
	return q, err
}

// isNoAnswer tells the outcomes of a decision from failures to make one.
func isNoAnswer(err error) bool {
	return fault.Is(err, routing.ReasonNoRoute) || fault.Is(err, routing.ReasonNoUsableOperator)
}

func failure(err error) *routingv1.Failure {
	f := fault.From(err)
	return &routingv1.Failure{Code: strings.ToLower(f.Kind.String()), Reason: f.Reason, Message: f.Message}
}

func ruleTraces(tr *routing.Trace) []*routingv1.RuleTrace {
	rules := make([]*routingv1.RuleTrace, len(tr.Rules))
	for i := range tr.Rules {
		r := &tr.Rules[i]
		rules[i] = &routingv1.RuleTrace{
			RuleId:      r.Rule.String(),
			AccountId:   optionalUUID(r.Account),
			Prefix:      r.Prefix.String(),
			Strategy:    strategies[r.Strategy],
			OnExhausted: onExhausted(r.FallThrough),
			Outcome:     outcomes[r.Outcome],
			Candidates:  candidateTraces(r.Candidates),
		}
	}
	return rules
}

func candidateTraces(list []routing.CandidateTrace) []*routingv1.CandidateTrace {
	var traces []*routingv1.CandidateTrace
	for i := range list {
		c := &list[i]
		traces = append(traces, &routingv1.CandidateTrace{
			OperatorId:   c.ID.String(),
			OperatorName: c.Name,
			Rank:         int32(c.Rank),
			Rejection:    rejections[c.Rejection],
			Priority:     c.Priority,
			Weight:       c.Weight,
			UnitPrice:    price(c.Price),
			RatePrefix:   c.RatePrefix.String(),
			BindState:    bindStates[c.Health.Bind],
			Quality:      qualities[c.Health.Quality],
		})
	}
	return traces
}

func onExhausted(fallThrough bool) routingv1.OnExhausted {
	if fallThrough {
		return routingv1.OnExhausted_ON_EXHAUSTED_FALL_THROUGH
	}
	return routingv1.OnExhausted_ON_EXHAUSTED_FAIL
}

func optionalUUID(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}
