package cli_test

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/cmd/cli"
	"trunkline/services/platform/natstest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestMain checks for leaks. A connection of net/http that a client left in the middle of a body lingers for
// half a second by design and then ends by itself.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"), natstest.LostListener())
}

// fake is a server whose answers a test sets. It speaks real HTTP.
type fake struct {
	routingv1connect.UnimplementedRoutingServiceHandler
	operatorsv1connect.UnimplementedOperatorServiceHandler
	operatorsv1connect.UnimplementedRoutingRuleServiceHandler

	selectOne       func(context.Context, *routingv1.SelectOperatorRequest) (*routingv1.SelectOperatorResponse, error)
	selectBatch     func(context.Context, *routingv1.BatchSelectOperatorsRequest) (*routingv1.BatchSelectOperatorsResponse, error)
	explain         func(context.Context, *routingv1.ExplainRouteRequest) (*routingv1.ExplainRouteResponse, error)
	listOperators   func(*operatorsv1.ListOperatorsRequest) (*operatorsv1.ListOperatorsResponse, error)
	listRules       func(*operatorsv1.ListRoutingRulesRequest) (*operatorsv1.ListRoutingRulesResponse, error)
	importOperators func(context.Context, *operatorsv1.ImportOperatorsRequest, *connect.ServerStream[operatorsv1.ImportOperatorsResponse]) error
	importRules     func(context.Context, *operatorsv1.ImportRoutingRulesRequest, *connect.ServerStream[operatorsv1.ImportRoutingRulesResponse]) error
}

func (f *fake) SelectOperator(ctx context.Context, req *routingv1.SelectOperatorRequest) (*routingv1.SelectOperatorResponse, error) {
	return f.selectOne(ctx, req)
}

func (f *fake) BatchSelectOperators(ctx context.Context, req *routingv1.BatchSelectOperatorsRequest) (*routingv1.BatchSelectOperatorsResponse, error) {
	return f.selectBatch(ctx, req)
}

func (f *fake) ExplainRoute(ctx context.Context, req *routingv1.ExplainRouteRequest) (*routingv1.ExplainRouteResponse, error) {
	return f.explain(ctx, req)
}

func (f *fake) ListOperators(_ context.Context, req *operatorsv1.ListOperatorsRequest) (*operatorsv1.ListOperatorsResponse, error) {
	return f.listOperators(req)
}

func (f *fake) ListRoutingRules(_ context.Context, req *operatorsv1.ListRoutingRulesRequest) (*operatorsv1.ListRoutingRulesResponse, error) {
	return f.listRules(req)
}

func (f *fake) ImportOperators(ctx context.Context, req *operatorsv1.ImportOperatorsRequest, s *connect.ServerStream[operatorsv1.ImportOperatorsResponse]) error {
	return f.importOperators(ctx, req, s)
}

func (f *fake) ImportRoutingRules(ctx context.Context, req *operatorsv1.ImportRoutingRulesRequest, s *connect.ServerStream[operatorsv1.ImportRoutingRulesResponse]) error {
	return f.importRules(ctx, req, s)
}

// start serves the fake and points the commands at it by the environment.
func (f *fake) start(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(routingv1connect.NewRoutingServiceHandler(f, connect.WithReadMaxBytes(1<<20)))
	mux.Handle(operatorsv1connect.NewOperatorServiceHandler(f))
	mux.Handle(operatorsv1connect.NewRoutingRuleServiceHandler(f))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Setenv("TRUNKLINE_SERVER", server.URL)
	return server.URL
}

// startLedger serves a ledger in the same way.
func startLedger(t *testing.T, l *ledger) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(operatorsv1connect.NewOperatorServiceHandler(l))
	mux.Handle(operatorsv1connect.NewRoutingRuleServiceHandler(l))
	mux.Handle(operatorsv1connect.NewRateServiceHandler(l))
	mux.Handle(operatorsv1connect.NewOutboxServiceHandler(l))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Setenv("TRUNKLINE_SERVER", server.URL)
}

// outcome is what a command left.
type outcome struct {
	exit           int
	stdout, stderr string
}

func run(t *testing.T, stdin io.Reader, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	exit := cli.Run(t.Context(), args, stdin, &stdout, &stderr, "v1.2.3", serverCommand())
	return outcome{exit, stdout.String(), stderr.String()}
}

// serverCommand stands for the commands that the main adds.
func serverCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "serve", Short: "Run a process", Args: cobra.NoArgs}
	cmd.AddCommand(&cobra.Command{Use: "routing-engine", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		return io.ErrUnexpectedEOF
	}})
	return cmd
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update")
	require.Equal(t, string(want), got)
}

// serverError is an error as the server sends it.
func serverError(t *testing.T, code connect.Code, reason, message string, details ...proto.Message) error {
	t.Helper()
	e := connect.NewError(code, textError(message))
	for _, m := range append(details, &errdetails.ErrorInfo{Reason: reason, Domain: "trunkline"}) {
		d, err := connect.NewErrorDetail(m)
		require.NoError(t, err)
		e.AddDetail(d)
	}
	return e
}

type textError string

func (e textError) Error() string { return string(e) }

func eur(nanos int64) *routingv1.Money { return &routingv1.Money{CurrencyCode: "EUR", Nanos: nanos} }

const (
	nordlink  = "01890a5d-ac96-774b-bcce-b302099a8001"
	meridian  = "01890a5d-ac96-774b-bcce-b302099a8002"
	atlantica = "01890a5d-ac96-774b-bcce-b302099a8003"
	number    = "+447911123456"
	account   = "00000000-0000-0000-0000-000000000001"
)

func decision() *routingv1.SelectOperatorResponse {
	return &routingv1.SelectOperatorResponse{
		OperatorId: nordlink, OperatorName: "Nordlink Transit", Host: "smpp.nordlink.example", Port: 2775,
		SystemId: "nordlink_tl", TpsLimit: 500, Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_COST,
		MatchedPrefix: "+447911", UnitPrice: eur(62_500_000),
		Alternates: []*routingv1.Alternate{
			{OperatorId: meridian, OperatorName: "Meridian Carrier", Host: "gw1.meridian.example", Port: 2775, UnitPrice: eur(68_300_000)},
			{OperatorId: atlantica, OperatorName: "Atlantica Hub", Host: "2001:db8::7", Port: 3550},
		},
		Meta: &routingv1.DecisionMeta{
			DecisionId: "01890a5d-ac96-774b-bcce-b302099a9000", ConfigVersion: 12, RulesVersion: 7, AlgoVersion: 1,
			Cache: routingv1.CacheResult_CACHE_RESULT_HIT,
		},
	}
}

func lines(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }
