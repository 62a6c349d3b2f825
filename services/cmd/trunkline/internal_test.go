package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/platform/certtest"
)

const (
	connectorID = "spiffe://example.org/smpp-connector"
	engineID    = "spiffe://example.org/routing-engine"
)

// withInternal restarts operator-management with the internal API and gives its address.
func (p *parts) withInternal(t *testing.T, ca *certtest.Authority) string {
	t.Helper()
	files := certtest.NewFiles(t)
	files.Write(t, ca.Issue(t, "127.0.0.1"), ca)
	text, err := os.ReadFile(p.managementFile)
	require.NoError(t, err)
	text = fmt.Appendf(text, "  connectors: [%q]\n  engines: [%q]\ninternal:\n  addr: 127.0.0.1:0\n  tls:\n    cert_file: %q\n    key_file: %q\n    client_ca_file: %q\n",
		connectorID, engineID, files.Cert, files.Key, files.CA)
	require.NoError(t, os.WriteFile(p.managementFile, text, 0o600))
	p.running["management"].stop(t)
	p.startManagement(t)
	return "https://" + p.running["management"].find(t, `"addr":"(127\.0\.0\.1:\d+)","tls":true`)
}

// TestPasswordsAreGivenToTheConnectorAlone asks the internal API with every kind of certificate.
func TestPasswordsAreGivenToTheConnectorAlone(t *testing.T) {
	p, ca := deploy(t), certtest.NewAuthority(t)
	url := p.withInternal(t, ca)
	created, err := operatorsv1connect.NewOperatorServiceClient(http.DefaultClient, p.management).CreateOperator(t.Context(), &operatorsv1.CreateOperatorRequest{
		Operator: &operatorsv1.Operator{Name: "Nord", Host: "smsc.example", Port: 2775, SystemId: "nl", TpsLimit: &operatorsv1.TpsLimit{MaxTps: 1}}, Password: "geheim",
	})
	require.NoError(t, err)
	id := created.GetOperator().GetOperatorId()
	ask := func(pair ...certtest.Pair) (*operatorsv1.GetOperatorCredentialsResponse, error) {
		client := operatorsv1connect.NewInternalOperatorServiceClient(ca.Client(t, pair...), url)
		return client.GetOperatorCredentials(t.Context(), &operatorsv1.GetOperatorCredentialsRequest{OperatorId: id})
	}
	got, err := ask(ca.Issue(t, connectorID))
	require.NoError(t, err)
	require.Equal(t, "geheim", got.GetPassword())
	_, err = ask(ca.Issue(t, engineID))
	require.Equal(t, connect.CodePermissionDenied, connect.CodeOf(err))
	require.ErrorContains(t, err, "identity")
	require.NoError(t, ca.Handshake(t, strings.TrimPrefix(url, "https://"), ca.Issue(t, engineID)), "refused by name, behind the handshake")
	for name, pair := range map[string][]certtest.Pair{
		"no certificate": nil, "an expired one": {ca.Expired(t, connectorID)}, "one of another authority": {certtest.NewAuthority(t).Issue(t, connectorID)},
	} {
		_, err := ask(pair...)
		// Not by a code of its own choice: the client reads the alert, or fails to write to a connection that is closed.
		require.Error(t, err, name)
		require.False(t, connect.IsWireError(err), "%s: no call was answered: %v", name, err)
		require.ErrorContains(t, ca.Handshake(t, strings.TrimPrefix(url, "https://"), pair...), "tls: ", name)
	}
	_, err = operatorsv1connect.NewInternalOperatorServiceClient(http.DefaultClient, p.management).GetOperatorCredentials(t.Context(), &operatorsv1.GetOperatorCredentialsRequest{OperatorId: id})
	require.Equal(t, connect.CodeUnimplemented, connect.CodeOf(err), "the public listener does not have it")

	var reads int
	db := openDatabase(t, p.database)
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM ops_routing.audit_log WHERE action = 'credentials.read' AND actor = $1 AND entity_id = $2", connectorID, id).Scan(&reads))
	require.Equal(t, 1, reads, "the one read that was answered")
}

// TestAnEngineStartsWithoutItsDatabase gets everything from operator-management, in both ways to keep rules.
func TestAnEngineStartsWithoutItsDatabase(t *testing.T) {
	p, ca := deploy(t), certtest.NewAuthority(t)
	url := p.withInternal(t, ca)
	c := newCarrier(50)
	c.move(t, p.management)
	files := certtest.NewFiles(t)
	files.Write(t, ca.Issue(t, engineID), ca)
	for _, table := range []string{"database", "memory"} {
		t.Run(table, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "engine.yaml")
			require.NoError(t, os.WriteFile(file, fmt.Appendf(nil,
				noCredentials+"database:\n  url: postgres://nobody@127.0.0.1:1/none\nnats:\n  urls: [%q]\nredis:\n  addrs: [%q]\nserver:\n  addr: 127.0.0.1:0\n  drain:\n    notice: 0s\n"+
					"engine:\n  table: %s\n  control:\n    url: %q\n    tls:\n      cert_file: %q\n      key_file: %q\n      ca_file: %q\n",
				p.nats.URL(), p.redis.Addr(), table, url, files.Cert, files.Key, files.CA), 0o600))
			engine := routingv1connect.NewRoutingServiceClient(h2c(), start(t, "serve", "routing-engine", "--config", file).url(t))
			asked := 0
			for prefix := range c.winner {
				number := "+" + (prefix + "00000000")[:11]
				got, err := engine.SelectOperator(t.Context(), question(func(q *routingv1.SelectOperatorRequest) { q.To = number }))
				require.NoError(t, err)
				require.Equal(t, c.answer(number), got.GetOperatorName())
				if asked++; asked == 20 {
					break
				}
			}
		})
	}
}
