//go:build pact

package pact_test

import (
	"errors"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/pact-foundation/pact-go/v2/matchers"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/durationpb"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/platform/pacttest"
)

// The orchestrator acts on code and reason: it drops a message that can never be routed, and keeps the
// others for the time that RetryInfo names.
func TestConsumerReadsEachError(t *testing.T) {
	for _, c := range []struct {
		name       string
		states     []models.ProviderState
		body       object
		request    *routingv1.SelectOperatorRequest
		status     int
		code       connect.Code
		reason     string
		violations []string
		retry      bool
	}{
		{
			name:       "a number and an account that cannot be read",
			body:       ask(object{"to": "+0123", "accountId": "nobody"}),
			request:    question(func(r *routingv1.SelectOperatorRequest) { r.To, r.AccountId = "+0123", "nobody" }),
			status:     400,
			code:       connect.CodeInvalidArgument,
			reason:     "VALIDATION_FAILED",
			violations: []string{"to", "accountId"},
		},
		{
			name:    "a number that no rule matches",
			states:  []models.ProviderState{sessions(north, south), rule("COST", candidate(north, 1, 100, "9000000"))},
			body:    ask(object{"to": numberElsewhere}),
			request: question(func(r *routingv1.SelectOperatorRequest) { r.To = numberElsewhere }),
			status:  404,
			code:    connect.CodeNotFound,
			reason:  "NO_ROUTE",
		},
		{
			name:    "a message whose only operator has no session",
			states:  []models.ProviderState{sessions(north), rule("COST", candidate(north, 1, 100, "9000000")), lost(north)},
			body:    ask(nil),
			request: question(nil),
			status:  503,
			code:    connect.CodeUnavailable,
			reason:  "NO_USABLE_OPERATOR",
			retry:   true,
		},
		{
			name:    "a message while the rules are out of reach",
			states:  []models.ProviderState{{Name: "the store of rules is out of reach"}},
			body:    ask(nil),
			request: question(nil),
			status:  503,
			code:    connect.CodeUnavailable,
			reason:  "DATABASE_UNAVAILABLE",
			retry:   true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			details := []any{pacttest.Detail(t, &errdetails.ErrorInfo{Reason: c.reason, Domain: domain}, object{"reason": c.reason, "domain": domain})}
			if c.violations != nil {
				details = append(details, badRequest(t, c.violations))
			}
			if c.retry {
				details = append(details, pacttest.Detail(t, &errdetails.RetryInfo{RetryDelay: durationpb.New(retry)},
					object{"retryDelay": matchers.Term("3s", `^[1-9][0-9]*(\.[0-9]+)?s$`)}))
			}
			interaction{
				name: c.name, states: c.states, procedure: routingv1connect.RoutingServiceSelectOperatorProcedure, request: c.body,
				status: c.status, response: pacttest.Failure(c.code, details...),
			}.run(t, func(t *testing.T, client routingv1connect.RoutingServiceClient) {
				_, err := client.SelectOperator(t.Context(), c.request)
				var failure *connect.Error
				require.True(t, errors.As(err, &failure), "%v", err)
				require.Equal(t, c.code, failure.Code())
				require.Equal(t, pacttest.Sentence, failure.Message())
				got := read(t, failure)
				require.Equal(t, domain+" "+c.reason, got.info.GetDomain()+" "+got.info.GetReason())
				var fields []string
				for _, v := range got.request.GetFieldViolations() {
					require.NotEmpty(t, v.GetDescription())
					fields = append(fields, v.GetField())
				}
				require.Equal(t, c.violations, fields)
				require.Equal(t, c.retry, got.retry != nil)
				if c.retry {
					require.Equal(t, retry, got.retry.GetRetryDelay().AsDuration())
				}
			})
		})
	}
}

const (
	domain = "trunkline"
	retry  = 3 * time.Second
)

func badRequest(t *testing.T, fields []string) object {
	m := &errdetails.BadRequest{}
	var debug []any
	for _, field := range fields {
		m.FieldViolations = append(m.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: field, Description: "what is accepted"})
		debug = append(debug, object{"field": field, "description": matchers.Like("what is accepted")})
	}
	return pacttest.Detail(t, m, object{"fieldViolations": debug})
}

// details are the parts of an error that the orchestrator reads.
type details struct {
	info    *errdetails.ErrorInfo
	request *errdetails.BadRequest
	retry   *errdetails.RetryInfo
}

func read(t *testing.T, failure *connect.Error) (d details) {
	t.Helper()
	for _, one := range failure.Details() {
		value, err := one.Value()
		require.NoError(t, err)
		switch m := value.(type) {
		case *errdetails.ErrorInfo:
			d.info = m
		case *errdetails.BadRequest:
			d.request = m
		case *errdetails.RetryInfo:
			d.retry = m
		}
	}
	return d
}
