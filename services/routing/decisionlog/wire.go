package decisionlog

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/jetstream"
	"trunkline/services/routing"
)

// The stream of batches, and who reads it.
const (
	Stream  = "DECISIONS"
	Subject = "routing.decision"
	durable = "decision-log"
)

// Streams is what the log needs to exist.
func Streams() []jetstream.StreamSpec {
	return []jetstream.StreamSpec{{
		Name: Stream, Description: "Decisions and outcomes on their way to the log.",
		Subjects: []string{Subject}, MaxAge: 24 * time.Hour,
	}}
}

var (
	messageTypes = [...]routingv1.MessageType{
		routing.SMS: routingv1.MessageType_MESSAGE_TYPE_SMS, routing.Flash: routingv1.MessageType_MESSAGE_TYPE_FLASH, routing.WAP: routingv1.MessageType_MESSAGE_TYPE_WAP,
	}
	cacheResults = [...]routingv1.CacheResult{
		routing.CacheHit:    routingv1.CacheResult_CACHE_RESULT_HIT,
		routing.CacheMiss:   routingv1.CacheResult_CACHE_RESULT_MISS,
		routing.CacheBypass: routingv1.CacheResult_CACHE_RESULT_BYPASS,
	}
)

func wireReport(r *routing.Report) *routingv1.ReportedOutcome {
	return &routingv1.ReportedOutcome{
		ReportId: r.ID.String(), DecisionId: r.Decision.String(), AccountId: optional(r.Account),
		Outcome: &routingv1.OutcomeRecord{
			ReportTime: timestamppb.New(r.At), OperatorId: r.Operator.String(), Outcome: routingv1.Outcome(r.Outcome),
			CommandStatus: r.CommandStatus, Segments: uint32(r.Segments),
		},
	}
}

func optional(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}
