package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
)

func startDev(t *testing.T, more ...string) (p *process, url, natsURL string) {
	t.Helper()
	p = start(t, append([]string{"dev", "--addr", "127.0.0.1:0", "--nats-addr", "127.0.0.1:0"}, more...)...)
	return p, p.url(t), p.find(t, `(nats://127\.0\.0\.1:\d+)`)
}

// h2c is the plain HTTP/2 that gRPC clients speak on an open port.
func h2c() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: protocols}}
}

func question(change ...func(*routingv1.SelectOperatorRequest)) *routingv1.SelectOperatorRequest {
	q := &routingv1.SelectOperatorRequest{To: "+447911123456", AccountId: demoAccount, MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS}
	for _, c := range change {
		c(q)
	}
	return q
}

func publishState(t *testing.T, nc *nats.Conn, operatorID, state string) {
	t.Helper()
	event := fmt.Sprintf(`{"operatorId":%q,"status":%q,"occurredAt":"2026-01-01T00:00:00Z"}`, operatorID, state)
	require.NoError(t, nc.Publish("operator.health", []byte(event)))
	require.NoError(t, nc.Flush())
}

// TestDevAnswersEverybody is the first minute of a new user, by every protocol.
func TestDevAnswersEverybody(t *testing.T) {
	for _, table := range []string{"database", "memory"} {
		t.Run(table, func(t *testing.T) {
			_, url, natsURL := startDev(t, "--table", table)
			clients := map[string]routingv1connect.RoutingServiceClient{
				"Connect JSON": routingv1connect.NewRoutingServiceClient(http.DefaultClient, url, connect.WithProtoJSON()),
				"Connect":      routingv1connect.NewRoutingServiceClient(http.DefaultClient, url),
				"gRPC-Web":     routingv1connect.NewRoutingServiceClient(http.DefaultClient, url, connect.WithGRPCWeb()),
				"gRPC":         routingv1connect.NewRoutingServiceClient(h2c(), url, connect.WithGRPC()),
			}
			// The demo's sessions are reported, reduced to health and heard of while the first calls are answered.
			require.Eventually(t, func() bool {
				_, metrics := get(url + "/metrics")
				return strings.Contains(metrics, "routing_engine_operators_healthy_total 6\n")
			}, eventually, tick)
			var first *routingv1.SelectOperatorResponse
			for name, client := range clients {
				got, err := client.SelectOperator(t.Context(), question())
				require.NoError(t, err, name)
				require.NotEmpty(t, got.GetOperatorId(), name)
				require.False(t, got.GetMeta().GetHealthUnknown(), "the demo's sessions are up")
				if first != nil {
					require.Equal(t, first.GetOperatorId(), got.GetOperatorId(), name)
				}
				first = got
			}
			grpc := clients["gRPC"]

			nc, err := nats.Connect(natsURL)
			require.NoError(t, err)
			defer nc.Close()
			publishState(t, nc, first.GetOperatorId(), "UNBOUND")
			chosen := func() string {
				got, err := grpc.SelectOperator(t.Context(), question())
				if err != nil {
					return connect.CodeOf(err).String()
				}
				return got.GetOperatorId()
			}
			require.Eventually(t, func() bool { return chosen() == first.GetAlternates()[0].GetOperatorId() }, eventually, tick)

			list, err := operatorsv1connect.NewOperatorServiceClient(http.DefaultClient, url).ListOperators(t.Context(), &operatorsv1.ListOperatorsRequest{})
			require.NoError(t, err)
			require.Len(t, list.GetOperators(), 8)
			for _, o := range list.GetOperators() {
				publishState(t, nc, o.GetOperatorId(), "UNBOUND")
			}
			require.Eventually(t, func() bool { return chosen() == "unavailable" }, eventually, tick)
			explained, err := grpc.ExplainRoute(t.Context(), &routingv1.ExplainRouteRequest{Query: question()})
			require.NoError(t, err, "no operator is an answer of ExplainRoute")
			require.Equal(t, "NO_USABLE_OPERATOR", explained.GetFailure().GetReason())

			publishState(t, nc, first.GetOperatorId(), "BOUND")
			require.Eventually(t, func() bool { return chosen() == first.GetOperatorId() }, eventually, tick)
		})
	}
}

func TestDevKeepsItsDataWhereItIsTold(t *testing.T) {
	dir := t.TempDir()
	p, url, _ := startDev(t, "--data-dir", dir, "--no-demo")
	_, _, code := run(t, strings.NewReader("name,host,port,system_id,bind_type,max_tps,message_types,status\nKept,kept.example.net,2775,kept,TRANSCEIVER,10,SMS,ACTIVE\n"), "operators", "import", "-", "--server", url)
	require.Zero(t, code)
	p.stop(t)
	_, url, _ = startDev(t, "--data-dir", dir, "--no-demo")
	out, _, code := run(t, nil, "operators", "export", "--server", url)
	require.Zero(t, code)
	require.Contains(t, out, "Kept,kept.example.net,2775,kept,TRANSCEIVER,10,SMS,ACTIVE")
}

func TestDevRefusesWhatOthersCouldReach(t *testing.T) {
	_, stderr, code := run(t, nil, "dev", "--addr", "0.0.0.0:0")
	require.NotZero(t, code)
	require.Contains(t, stderr, "127.0.0.1:8080")
	_, stderr, code = run(t, nil, "dev", "--addr", "127.0.0.1:0", "--nats-addr", "0.0.0.0:0")
	require.NotZero(t, code)
	require.Contains(t, stderr, "127.0.0.1")
}

// TestBadInputIsAnsweredPrecisely sends what strangers send.
func TestBadInputIsAnsweredPrecisely(t *testing.T) {
	p, url, _ := startDev(t, "--log-level", "debug")
	const procedure = "/trunkline.routing.v1.RoutingService/SelectOperator"
	secret := "447911987654"
	good := func(change string) string {
		return `{"to":"+` + secret + `","accountId":"` + demoAccount + `","messageType":"MESSAGE_TYPE_SMS"` + change + `}`
	}
	tests := []struct {
		name, path, contentType, body string
		status                        int
		code, reason                  string
		fields                        []string
	}{
		{"a leading zero", procedure, "application/json", strings.Replace(good(""), "+", "+0", 1), 400, "invalid_argument", "VALIDATION_FAILED", []string{"to"}},
		{"letters", procedure, "application/json", strings.Replace(good(""), secret, secret+"x", 1), 400, "invalid_argument", "VALIDATION_FAILED", []string{"to"}},
		{"spaces", procedure, "application/json", strings.Replace(good(""), secret, "44 "+secret[2:], 1), 400, "invalid_argument", "VALIDATION_FAILED", []string{"to"}},
		{"a newline behind the number", procedure, "application/json", strings.Replace(good(""), secret, secret+`\n`, 1), 400, "invalid_argument", "VALIDATION_FAILED", []string{"to"}},
		{"digits of another script", procedure, "application/json", strings.Replace(good(""), secret, "٤٤٧٩١١٩٨٧٦٥٤", 1), 400, "invalid_argument", "VALIDATION_FAILED", []string{"to"}},
		{"16 digits", procedure, "application/json", strings.Replace(good(""), secret, secret+"1234", 1), 400, "invalid_argument", "VALIDATION_FAILED", []string{"to"}},
		{"6 digits", procedure, "application/json", strings.Replace(good(""), secret, secret[:6], 1), 400, "invalid_argument", "VALIDATION_FAILED", []string{"to"}},
		{"nothing", procedure, "application/json", `{}`, 400, "invalid_argument", "VALIDATION_FAILED", []string{"to", "accountId", "messageType"}},
		{"no account", procedure, "application/json", strings.Replace(good(""), demoAccount, "", 1), 400, "invalid_argument", "VALIDATION_FAILED", []string{"accountId"}},
		{"an account of zeros", procedure, "application/json", strings.Replace(good(""), demoAccount, "00000000-0000-0000-0000-000000000000", 1), 400, "invalid_argument", "VALIDATION_FAILED", []string{"accountId"}},
		{"an unknown enum name", procedure, "application/json", strings.Replace(good(""), "_SMS", "_FAX", 1), 400, "invalid_argument", "MALFORMED_MESSAGE", []string{"messageType"}},
		{"an unknown enum number", procedure, "application/json", strings.Replace(good(""), `"MESSAGE_TYPE_SMS"`, "77", 1), 400, "invalid_argument", "VALIDATION_FAILED", []string{"messageType"}},
		{"an exclusion that is no UUID", procedure, "application/json", good(`,"excludeOperatorIds":["x"]`), 400, "invalid_argument", "VALIDATION_FAILED", []string{"excludeOperatorIds[0]"}},
		{"a long message id", procedure, "application/json", good(`,"messageId":"` + strings.Repeat("m", 129) + `"`), 400, "invalid_argument", "VALIDATION_FAILED", []string{"messageId"}},
		{"a number as a number", procedure, "application/json", strings.Replace(good(""), `"+`+secret+`"`, secret, 1), 400, "invalid_argument", "MALFORMED_MESSAGE", nil},
		{"broken JSON", procedure, "application/json", good("")[:40], 400, "invalid_argument", "MALFORMED_MESSAGE", nil},
		{"an empty body", procedure, "application/json", "", 400, "invalid_argument", "", nil},
		{"JSON that is no object", procedure, "application/json", `["+` + secret + `"]`, 400, "invalid_argument", "MALFORMED_MESSAGE", nil},
		{"JSON called protobuf", procedure, "application/proto", good(""), 400, "invalid_argument", "MALFORMED_MESSAGE", nil},
		{"a body of 2 MiB", procedure, "application/json", good(`,"messageId":"` + strings.Repeat("m", 2<<20) + `"`), 429, "resource_exhausted", "MESSAGE_TOO_LARGE", nil},
		{"an unknown method", "/trunkline.routing.v1.RoutingService/Guess", "application/json", good(""), 404, "unimplemented", "UNKNOWN_METHOD", nil},
		{"an unknown service", "/trunkline.nothing.v1.Nothing/Guess", "application/json", good(""), 404, "unimplemented", "UNKNOWN_METHOD", nil},
		{"a wrong content type", procedure, "text/plain", good(""), 415, "", "", nil},
		{"no route", procedure, "application/json", strings.Replace(good(""), secret, "999"+secret[3:], 1), 404, "not_found", "NO_ROUTE", nil},
		{"an empty batch", "/trunkline.routing.v1.RoutingService/BatchSelectOperators", "application/json", `{}`, 400, "invalid_argument", "VALIDATION_FAILED", []string{"requests"}},
		{"an explanation of nothing", "/trunkline.routing.v1.RoutingService/ExplainRoute", "application/json", `{}`, 400, "invalid_argument", "VALIDATION_FAILED", []string{"query"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+tt.path, strings.NewReader(tt.body))
			require.NoError(t, err)
			req.Header.Set("Content-Type", tt.contentType)
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			defer func() { _ = res.Body.Close() }()
			require.Equal(t, tt.status, res.StatusCode)
			if tt.code == "" {
				return
			}
			var answer struct {
				Code    string
				Message string
				Details []struct {
					Debug struct {
						Reason          string
						FieldViolations []struct{ Field string }
					}
				}
			}
			require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
			require.Equal(t, tt.code, answer.Code)
			require.NotContains(t, answer.Message, secret[2:])
			var reasons, fields []string
			for _, d := range answer.Details {
				if d.Debug.Reason != "" {
					reasons = append(reasons, d.Debug.Reason)
				}
				for _, v := range d.Debug.FieldViolations {
					fields = append(fields, v.Field)
				}
			}
			require.Len(t, reasons, 1, "every error has one stable reason")
			if tt.reason != "" {
				require.Equal(t, tt.reason, reasons[0])
			}
			if tt.fields != nil {
				require.Equal(t, tt.fields, fields)
			}
		})
	}
	require.Equal(t, http.StatusOK, status(url+"/ready"))
	require.NotContains(t, p.output.String(), secret[2:], "no number reaches the log")
	require.NotContains(t, p.output.String(), "panic")
}

func TestGRPCErrorsCarryTheSameDetails(t *testing.T) {
	_, url, _ := startDev(t)
	for name, client := range map[string]routingv1connect.RoutingServiceClient{
		"gRPC":     routingv1connect.NewRoutingServiceClient(h2c(), url, connect.WithGRPC()),
		"gRPC-Web": routingv1connect.NewRoutingServiceClient(http.DefaultClient, url, connect.WithGRPCWeb()),
	} {
		_, err := client.SelectOperator(context.Background(), question(func(q *routingv1.SelectOperatorRequest) { q.To = "+0" }))
		require.Equal(t, connect.CodeInvalidArgument, connect.CodeOf(err), name)
		var failed *connect.Error
		require.ErrorAs(t, err, &failed)
		require.Len(t, failed.Details(), 3, "reason, field violations, request id")
	}
}
