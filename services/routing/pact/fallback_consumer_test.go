//go:build pact

package pact_test

import (
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/pact-foundation/pact-go/v2/matchers"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pacttest"
	"trunkline/services/routing"
	"trunkline/services/routing/control"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// management is how the engine asks operator-management when neither the bus nor Redis tells it.
func management(url string) *control.Client {
	return control.New(operatorsv1connect.NewInternalOperatorServiceClient(http.DefaultClient, url, connect.WithProtoJSON()), clock.NewFake(noon))
}

func TestConsumerAsksForHealth(t *testing.T) {
	observed := matchers.Term("2026-11-21T11:59:59Z", pacttest.Timestamp)
	pacttest.Call{
		Consumer: "routing-engine", Provider: "operator-management", Name: "the health of operators of which one was never reported",
		States: []models.ProviderState{
			managed(north, south, west),
			reported(report(north, 1, "BOUND"), report(south, 1, "BOUND"), report(south, 2, "UNBOUND")),
		},
		Procedure: operatorsv1connect.InternalOperatorServiceGetOperatorHealthProcedure,
		Request:   object{"operatorIds": []string{north.id, south.id, west.id}},
		Status:    200,
		Response: object{"health": []any{
			object{"operatorId": north.id, "bindState": "BIND_STATE_BOUND", "quality": "QUALITY_HEALTHY", "version": "1", "observeTime": observed},
			object{"operatorId": south.id, "bindState": "BIND_STATE_UNBOUND", "quality": "QUALITY_UNHEALTHY", "version": "2", "observeTime": observed},
		}},
	}.Run(t, func(url string) {
		view := routing.NewHealthView()
		all := []uuid.UUID{uuid.MustParse(north.id), uuid.MustParse(south.id), uuid.MustParse(west.id)}
		require.NoError(t, management(url).Fill(t.Context(), view, all))
		at := noon.Add(-time.Second)
		for i, want := range []routing.Health{
			{Bind: routing.Bound, Quality: routing.Healthy, ObservedAt: at},
			{Bind: routing.Unbound, Quality: routing.Unhealthy, ObservedAt: at},
			{},
		} {
			got := view.Get(all[i])
			require.Equal(t, want.Bind, got.Bind)
			require.Equal(t, want.Quality, got.Quality)
			require.Equal(t, want.Bind != routing.BindUnknown, got.Known(noon))
		}
		// The version has come too: a word before it is old.
		require.True(t, view.Stale(routing.HealthEvent{Operator: all[1], Bind: routing.Bound, Version: 1, ObservedAt: noon}))
	})
}

func TestConsumerIsNotLetIn(t *testing.T) {
	const reason = "IDENTITY_NOT_ALLOWED"
	pacttest.Call{
		Consumer: "routing-engine", Provider: "operator-management", Name: "an engine whose identity may not ask",
		States:    []models.ProviderState{{Name: "the caller's identity may not ask"}},
		Procedure: operatorsv1connect.InternalOperatorServiceGetOperatorHealthProcedure,
		Request:   object{"operatorIds": []string{uuid.Nil.String()}},
		Status:    403,
		Response: pacttest.Failure(connect.CodePermissionDenied,
			pacttest.Detail(t, &errdetails.ErrorInfo{Reason: reason, Domain: domain}, object{"reason": reason, "domain": domain})),
	}.Run(t, func(url string) {
		require.True(t, fault.Is(management(url).Check(t.Context()), control.ReasonRefused))
	})
}
