package rpc

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

var messageTypes = []struct {
	set  operators.MessageTypes
	wire routingv1.MessageType
}{
	{operators.SMS, routingv1.MessageType_MESSAGE_TYPE_SMS},
	{operators.Flash, routingv1.MessageType_MESSAGE_TYPE_FLASH},
	{operators.WAP, routingv1.MessageType_MESSAGE_TYPE_WAP},
}

// The enums of the schema and of the domain have the same numbers; the schema admits no others. A test compares
// their names.
func toMessageTypes(set operators.MessageTypes) []routingv1.MessageType {
	var all []routingv1.MessageType
	for _, one := range messageTypes {
		if set&one.set != 0 {
			all = append(all, one.wire)
		}
	}
	return all
}

func fromMessageTypes(all []routingv1.MessageType) (set operators.MessageTypes) {
	for _, one := range messageTypes {
		for _, wire := range all {
			if wire == one.wire {
				set |= one.set
			}
		}
	}
	return set
}

func toMoney(m money.Money) *routingv1.Money {
	if m.IsZero() {
		return nil
	}
	return &routingv1.Money{CurrencyCode: m.Currency.String(), Nanos: m.Nanos}
}

func fromMoney(field string, m *routingv1.Money) (money.Money, error) {
	if m == nil {
		return money.Money{}, nil
	}
	amount, err := money.FromNanos(m.GetNanos(), m.GetCurrencyCode())
	if err != nil {
		return amount, fault.Invalid(operators.ReasonInvalid, fault.Violation{Field: field, Description: err.Error()})
	}
	return amount, nil
}

func toTime(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func fromTime(field string, t *timestamppb.Timestamp) (time.Time, error) {
	if t == nil {
		return time.Time{}, nil
	}
	if err := t.CheckValid(); err != nil || t.AsTime().IsZero() {
		return time.Time{}, fault.Invalid(operators.ReasonInvalid, fault.Violation{Field: field, Description: "must be a moment between the years 1 and 9999"})
	}
	return t.AsTime(), nil
}

func idText(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}

// idOf reads an id that the schema has checked; "" gives the nil UUID.
func idOf(text string) uuid.UUID {
	id, _ := uuid.Parse(text)
	return id
}

// toFreshness is nil for an answer of the primary.
func toFreshness(f operators.Freshness) *operatorsv1.Freshness {
	if !f.Stale {
		return nil
	}
	return &operatorsv1.Freshness{Stale: true, Age: durationpb.New(f.Age)}
}

func toResult(r operators.Result) *operatorsv1.ImportResult {
	out := &operatorsv1.ImportResult{
		Created: r.Created, Updated: r.Updated, Unchanged: r.Unchanged,
		BadLines: toBadLines(r.BadLines), BadLineCount: r.BadLineCount, Applied: r.Applied, ConfigVersion: r.ConfigVersion,
		WarningCount: r.WarningCount,
	}
	for _, w := range r.Warnings {
		out.Warnings = append(out.Warnings, &operatorsv1.ImportWarning{Line: w.Line, Reason: w.Reason, Message: w.Message, Witness: w.Witness})
	}
	return out
}

func toBadLines(all []operators.BadLine) []*operatorsv1.BadLine {
	out := make([]*operatorsv1.BadLine, len(all))
	for i, bad := range all {
		out[i] = &operatorsv1.BadLine{Line: bad.Line, Column: bad.Column, Message: bad.Message}
	}
	return out
}
