package control_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/platform/clock"
	"trunkline/services/routing/control"
	"trunkline/services/routing/routingtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	eventually = 15 * time.Second
	tick       = 5 * time.Millisecond
)

type part = *operatorsv1.ListOperatorConfigsResponse

// serve puts operator-management behind a real HTTP/2 server.
func serve(t *testing.T) (*routingtest.Management, *control.Client) {
	t.Helper()
	m := &routingtest.Management{}
	_, handler := operatorsv1connect.NewInternalOperatorServiceHandler(m)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("called by %s", r.Proto)
		}
		handler.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return m, control.New(operatorsv1connect.NewInternalOperatorServiceClient(server.Client(), server.URL), clock.NewFake(routingtest.Now))
}
