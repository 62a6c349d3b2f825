package main_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	optionsv1 "trunkline/gen/go/trunkline/options/v1"
)

// showing sends a credential with every call.
func showing(credential string) connect.ClientOption {
	return connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			req.Header().Set("Authorization", "Bearer "+credential)
			return next(ctx, req)
		}
	}))
}

// TestDevWithAuthAsksForCredentials is what somebody does who wants to see how access works.
func TestDevWithAuthAsksForCredentials(t *testing.T) {
	p, url, _ := startDev(t, "--auth", "--no-demo")
	admin := accessv1connect.NewApiKeyServiceClient(http.DefaultClient, url, showing(p.find(t, `TRUNKLINE_API_KEY=(tl_\w+)`)))
	operators := func(credential string) operatorsv1connect.OperatorServiceClient {
		return operatorsv1connect.NewOperatorServiceClient(http.DefaultClient, url, showing(credential))
	}
	_, err := operatorsv1connect.NewOperatorServiceClient(http.DefaultClient, url).ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{})
	require.Equal(t, connect.CodeUnauthenticated, connect.CodeOf(err))

	made, err := admin.CreateApiKey(t.Context(), &accessv1.CreateApiKeyRequest{Name: "reader", Role: optionsv1.Role_ROLE_VIEWER})
	require.NoError(t, err, "the printed key works as soon as it is printed")
	viewer := operators(made.GetText())
	_, err = viewer.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{})
	require.NoError(t, err, "and so does a new one")
	_, err = viewer.CreateOperator(t.Context(), &operatorsv1.CreateOperatorRequest{Operator: &operatorsv1.Operator{
		Name: "Nord", Host: "smsc.example", Port: 2775, SystemId: "nl", TpsLimit: &operatorsv1.TpsLimit{MaxTps: 1},
	}})
	require.Equal(t, connect.CodePermissionDenied, connect.CodeOf(err))
	require.ErrorContains(t, err, "needs the role operator")

	_, err = admin.RevokeApiKey(t.Context(), &accessv1.RevokeApiKeyRequest{KeyId: made.GetApiKey().GetKeyId()})
	require.NoError(t, err)
	revoked := time.Now()
	require.Eventually(t, func() bool {
		_, err := viewer.ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{})
		return connect.CodeOf(err) == connect.CodeUnauthenticated
	}, eventually, tick)
	t.Logf("refused %s after it was revoked", time.Since(revoked).Round(time.Millisecond))
}

// TestDevIsForThisMachineOnly: a page of the web must not reach a process that takes everybody for an admin, by a name
// that leads here.
func TestDevIsForThisMachineOnly(t *testing.T) {
	_, url, _ := startDev(t, "--no-demo")
	for host, want := range map[string]int{"": http.StatusOK, "localhost:8080": http.StatusOK, "attacker.example": http.StatusForbidden} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/trunkline.operators.v1.OperatorService/ListOperators", strings.NewReader("{}"))
		require.NoError(t, err)
		req.Host = host
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, res.StatusCode, host)
	}
}
