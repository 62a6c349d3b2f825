package rpc

import (
	"unicode/utf8"

	"github.com/google/uuid"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/platform/e164"
	"trunkline/services/routing"
)

// Valid is the rpcserver.Mount.Valid of the service. The schema's rules of one question take about as long as ten
// decisions, most of it in an expression language that also makes the stack of every HTTP/2 call grow.
func Valid() map[string]func(message any) bool {
	return map[string]func(any) bool{routingv1connect.RoutingServiceSelectOperatorProcedure: validQuestion}
}

// validQuestion accepts what the rules of SelectOperatorRequest accept, which a test holds it to.
func validQuestion(message any) bool {
	q, ok := message.(*routingv1.SelectOperatorRequest)
	if !ok || len(q.GetExcludeOperatorIds()) > routing.MaxExclude || utf8.RuneCountInString(q.GetMessageId()) > routing.MaxMessageID {
		return false
	}
	for _, id := range q.GetExcludeOperatorIds() {
		if !validUUID(id) {
			return false
		}
	}
	_, known := messageTypes[q.GetMessageType()]
	_, err := e164.Parse(q.GetTo())
	return known && err == nil && validUUID(q.GetAccountId())
}

// validUUID takes only the form of 36 characters; the library would take three more.
func validUUID(text string) bool { return len(text) == 36 && uuid.Validate(text) == nil }
