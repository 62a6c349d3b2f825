//go:build pact

package sessions

import (
	"testing"
	"time"

	"github.com/pact-foundation/pact-go/v2/matchers"
	"github.com/pact-foundation/pact-go/v2/models"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/pacttest"
)

// Counts are left out: the sessions that stand for the connector until there is one carry nothing.
func TestConsumerReadsReportsOfConnectors(t *testing.T) {
	for _, c := range []struct {
		name, state, bindState string
		want                   operators.BindState
	}{
		{"a session that is up: BOUND", "a session is up", "BIND_STATE_BOUND", operators.Bound},
		{"a session that has ended: UNBOUND", "a session has ended", "BIND_STATE_UNBOUND", operators.Unbound},
	} {
		t.Run(c.name, func(t *testing.T) {
			subject := SessionSubject + operator.String()
			var got operators.SessionReport
			pacttest.Event{
				Consumer: "operator-management", Provider: "smpp-connector", Name: c.name,
				States:   []models.ProviderState{{Name: c.state, Parameters: map[string]any{"operatorId": operator.String()}}},
				Metadata: map[string]string{"subject": subject},
				Content: pacttest.Object{
					"operatorId": operator.String(), "connectorId": matchers.Like("connector-1"),
					"sequence": matchers.Term("12", pacttest.Int64), "bindState": c.bindState,
				},
			}.Run(t, func(data []byte) (err error) {
				got, err = readReport(jetstream.Message{Subject: subject, Data: data, Time: at})
				return err
			})
			require.Equal(t, operators.SessionReport{
				OperatorID: operator, ConnectorID: "connector-1", Sequence: 12, Bind: c.want, ReceivedAt: at.Truncate(time.Microsecond),
			}, got)
		})
	}
}
