package rpc

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/money"
)

var (
	statuses = map[operators.Status]operatorsv1.OperatorStatus{
		operators.Inactive:  operatorsv1.OperatorStatus_OPERATOR_STATUS_INACTIVE,
		operators.Active:    operatorsv1.OperatorStatus_OPERATOR_STATUS_ACTIVE,
		operators.Suspended: operatorsv1.OperatorStatus_OPERATOR_STATUS_SUSPENDED,
	}
	bindTypes = map[operators.BindType]operatorsv1.BindType{
		operators.Transceiver: operatorsv1.BindType_BIND_TYPE_TRANSCEIVER,
		operators.Transmitter: operatorsv1.BindType_BIND_TYPE_TRANSMITTER,
		operators.Receiver:    operatorsv1.BindType_BIND_TYPE_RECEIVER,
	}
	strategies = map[operators.Strategy]routingv1.RoutingStrategy{
		operators.Cost:     routingv1.RoutingStrategy_ROUTING_STRATEGY_COST,
		operators.Priority: routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY,
		operators.Failover: routingv1.RoutingStrategy_ROUTING_STRATEGY_FAILOVER,
		operators.Weighted: routingv1.RoutingStrategy_ROUTING_STRATEGY_WEIGHTED,
	}
	exhausted = map[operators.OnExhausted]routingv1.OnExhausted{
		operators.Fail:        routingv1.OnExhausted_ON_EXHAUSTED_FAIL,
		operators.FallThrough: routingv1.OnExhausted_ON_EXHAUSTED_FALL_THROUGH,
	}
	messageTypes = []struct {
		set  operators.MessageTypes
		wire routingv1.MessageType
	}{
		{operators.SMS, routingv1.MessageType_MESSAGE_TYPE_SMS},
		{operators.Flash, routingv1.MessageType_MESSAGE_TYPE_FLASH},
		{operators.WAP, routingv1.MessageType_MESSAGE_TYPE_WAP},
	}
)

func toOperator(o operators.Operator) *operatorsv1.Operator {
	return &operatorsv1.Operator{
		OperatorId: o.ID.String(), Name: o.Name, Host: o.Host, Port: int32(o.Port), SystemId: o.SystemID,
		BindType: bindTypes[o.BindType], TpsLimit: &operatorsv1.TpsLimit{MaxTps: int32(o.MaxTPS)}, MessageTypes: toMessageTypes(o.MessageTypes),
		Status: statuses[o.Status], Version: o.Version,
	}
}

func toRule(r operators.Rule) *operatorsv1.RoutingRule {
	out := &operatorsv1.RoutingRule{
		RuleId: r.ID.String(), AccountId: idText(r.Account), Prefix: r.Prefix.String(), Country: r.Country,
		MessageTypes: toMessageTypes(r.MessageTypes), Strategy: strategies[r.Strategy], OnExhausted: exhausted[r.OnExhausted],
		Active: r.Active, ValidFrom: toTime(r.ValidFrom), ValidTo: toTime(r.ValidTo),
	}
	for _, c := range r.Candidates {
		out.Candidates = append(out.Candidates, &operatorsv1.RuleCandidate{
			OperatorId: c.OperatorID.String(), OperatorName: c.OperatorName,
			Priority: int32(c.Priority), Weight: proto.Int32(int32(c.Weight)), Price: toMoney(c.Price),
		})
	}
	return out
}

func toMessageTypes(set operators.MessageTypes) []routingv1.MessageType {
	var all []routingv1.MessageType
	for _, one := range messageTypes {
		if set&one.set != 0 {
			all = append(all, one.wire)
		}
	}
	return all
}

func toMoney(m money.Money) *routingv1.Money {
	if m.IsZero() {
		return nil
	}
	return &routingv1.Money{CurrencyCode: m.Currency.String(), Nanos: m.Nanos}
}

func toTime(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func idText(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}

func toResult(r operators.Result) *operatorsv1.ImportResult {
	out := &operatorsv1.ImportResult{
		Created: r.Created, Updated: r.Updated, Unchanged: r.Unchanged,
		BadLineCount: r.BadLineCount, Applied: r.Applied, ConfigVersion: r.ConfigVersion,
	}
	for _, bad := range r.BadLines {
		out.BadLines = append(out.BadLines, &operatorsv1.BadLine{Line: bad.Line, Column: bad.Column, Message: bad.Message})
	}
	return out
}
