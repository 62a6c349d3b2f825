//go:build pact

package pact_test

import (
	"errors"
	"net/http"
	"testing"

	"connectrpc.com/connect"
	"github.com/pact-foundation/pact-go/v2/matchers"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/platform/pacttest"
)

const operatorID = "0190a8f0-0000-7000-8000-000000000001"

// north is the state in which this operator exists.
func north(password string) models.ProviderState {
	request := map[string]any{"operator": map[string]any{
		"operatorId": operatorID, "name": "North", "host": "smsc.north.example", "port": 2775, "systemId": "north", "systemType": "VMA",
		"bindType": "BIND_TYPE_TRANSMITTER", "messageTypes": []any{"MESSAGE_TYPE_SMS"}, "status": "OPERATOR_STATUS_INACTIVE",
		"tpsLimit": map[string]any{"maxTps": 100, "burstMultiplier": 1.5, "enforcementMode": "ENFORCEMENT_MODE_HARD_REJECT"},
	}}
	if password != "" {
		request["password"] = password
	}
	return models.ProviderState{Name: "operators exist", Parameters: map[string]any{"operators": []any{request}}}
}

// ask puts the question for the credentials of the operator into the pact.
func ask(
	t *testing.T, name string, states []models.ProviderState, status int, response pacttest.Object,
) (got *operatorsv1.GetOperatorCredentialsResponse, err error) {
	t.Helper()
	pacttest.Call{
		Consumer: "smpp-connector", Provider: "operator-management", Name: name, States: states,
		Procedure: operatorsv1connect.InternalOperatorServiceGetOperatorCredentialsProcedure,
		Request:   pacttest.Object{"operatorId": operatorID}, Status: status, Response: response,
	}.Run(t, func(url string) {
		client := operatorsv1connect.NewInternalOperatorServiceClient(http.DefaultClient, url, connect.WithProtoJSON())
		got, err = client.GetOperatorCredentials(t.Context(), &operatorsv1.GetOperatorCredentialsRequest{OperatorId: operatorID})
	})
	return got, err
}

func TestConsumerGetsWhatItBindsWith(t *testing.T) {
	got, err := ask(t, "the credentials of an operator", []models.ProviderState{north("secret")}, 200, pacttest.Object{
		"operatorId": operatorID, "host": "smsc.north.example", "port": 2775, "systemId": "north", "systemType": "VMA",
		"bindType": "BIND_TYPE_TRANSMITTER", "password": "secret", "version": matchers.Term("1", pacttest.Int64),
	})
	require.NoError(t, err)
	require.Equal(t, operatorID, got.GetOperatorId())
	require.Equal(t, "smsc.north.example", got.GetHost())
	require.EqualValues(t, 2775, got.GetPort())
	require.Equal(t, "north", got.GetSystemId())
	require.Equal(t, "VMA", got.GetSystemType())
	require.Equal(t, operatorsv1.BindType_BIND_TYPE_TRANSMITTER, got.GetBindType())
	require.Equal(t, "secret", got.GetPassword())
	require.EqualValues(t, 1, got.GetVersion())
}

// The connector acts on code and reason: without a password it waits for the event that there is one, and it forgets an
// operator that is gone.
func TestConsumerIsToldWhyItGetsNone(t *testing.T) {
	for _, c := range []struct {
		name   string
		states []models.ProviderState
		status int
		code   connect.Code
		reason string
	}{
		{"the credentials of an operator that does not exist", nil, 404, connect.CodeNotFound, "NO_SUCH_OPERATOR"},
		{"the credentials of an operator that has none", []models.ProviderState{north("")}, 400, connect.CodeFailedPrecondition, "NO_CREDENTIALS"},
		{
			"credentials by an identity that may not read passwords",
			[]models.ProviderState{north("secret"), {Name: "the caller's identity may not read passwords"}},
			403, connect.CodePermissionDenied, "IDENTITY_NOT_ALLOWED",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ask(t, c.name, c.states, c.status, pacttest.Failure(c.code, pacttest.Detail(t,
				&errdetails.ErrorInfo{Reason: c.reason, Domain: "trunkline"}, pacttest.Object{"reason": c.reason, "domain": "trunkline"})))
			var failure *connect.Error
			require.True(t, errors.As(err, &failure), "%v", err)
			require.Equal(t, c.code, failure.Code())
			require.Equal(t, pacttest.Sentence, failure.Message())
			require.Len(t, failure.Details(), 1)
			info, err := failure.Details()[0].Value()
			require.NoError(t, err)
			require.Equal(t, c.reason, info.(*errdetails.ErrorInfo).GetReason())
		})
	}
}
