package cli_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/cmd/cli"
)

// priceList is a server of prices that notes which imports only looked.
type priceList struct {
	operatorsv1connect.UnimplementedRateServiceHandler

	rates   []*operatorsv1.Rate
	diff    *operatorsv1.RateDiff
	imports []bool
	arrived func(context.Context) error // called by each import; may be nil
}

func (p *priceList) ImportRates(ctx context.Context, req *operatorsv1.ImportRatesRequest, s *connect.ServerStream[operatorsv1.ImportRatesResponse]) error {
	p.imports = append(p.imports, req.GetValidateOnly())
	if p.arrived != nil {
		if err := p.arrived(ctx); err != nil {
			return err
		}
	}
	return s.Send(&operatorsv1.ImportRatesResponse{Step: &operatorsv1.ImportRatesResponse_Result{Result: p.diff}})
}

// ListRates gives one rate a page.
func (p *priceList) ListRates(_ context.Context, req *operatorsv1.ListRatesRequest) (*operatorsv1.ListRatesResponse, error) {
	page, next := pageOf(p.rates, 1, req.GetPageSize(), req.GetPageToken())
	return &operatorsv1.ListRatesResponse{Rates: page, NextPageToken: next}, nil
}

func (p *priceList) start(t *testing.T) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(operatorsv1connect.NewRateServiceHandler(p))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Setenv("TRUNKLINE_SERVER", server.URL)
}

func TestADeckThatEndsPricesIsAskedAbout(t *testing.T) {
	deck := filepath.Join(t.TempDir(), "deck.csv")
	require.NoError(t, os.WriteFile(deck, []byte("prices"), 0o600))
	const looked, stored = true, false
	ends := &operatorsv1.RateDiff{NewCount: 1, EndedCount: 3}
	bad := &operatorsv1.RateDiff{BadLineCount: 1, BadLines: []*operatorsv1.BadLine{{Line: 2, Message: "no"}}}
	for name, c := range map[string]struct {
		diff    *operatorsv1.RateDiff
		args    []string
		imports []bool
		exit    int
		says    []string
	}{
		"without a terminal it is refused": {ends, []string{"--scope", "full"}, []bool{looked}, cli.ExitUsage,
			[]string{"warning: 3 prices end: --dry-run shows them\n", "trunkline: rates import: nothing was changed: say --yes"}},
		"who says yes is not asked":             {ends, []string{"--scope", "full", "--yes"}, []bool{stored}, cli.ExitOK, nil},
		"a dry run is not asked about":          {ends, []string{"--scope", "full", "--dry-run"}, []bool{looked}, cli.ExitOK, nil},
		"a deck of changes is not asked about":  {ends, []string{"--scope", "partial"}, []bool{stored}, cli.ExitOK, nil},
		"a deck that ends nothing is stored":    {&operatorsv1.RateDiff{NewCount: 1}, []string{"--scope", "full"}, []bool{looked, stored}, cli.ExitOK, nil},
		"a deck with bad lines is looked at":    {bad, []string{"--scope", "full"}, []bool{looked}, cli.ExitInvalid, []string{":2: no\n", "nothing was stored"}},
		"and is told as bad by those who agree": {bad, []string{"--scope", "full", "-y"}, []bool{stored}, cli.ExitInvalid, []string{":2: no\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := &priceList{diff: c.diff}
			p.start(t)
			got := run(t, strings.NewReader("y\n"), append([]string{"rates", "import", deck, "--operator", nordlink}, c.args...)...)
			require.Equal(t, c.exit, got.exit, got.stderr)
			require.Equal(t, c.imports, p.imports)
			for _, want := range c.says {
				require.Contains(t, got.stderr, want)
			}
			if c.says == nil {
				require.Empty(t, got.stderr)
			}
		})
	}
}

func TestAnImportThatIsInterruptedSaysWhatIsKnown(t *testing.T) {
	deck := filepath.Join(t.TempDir(), "deck.csv")
	require.NoError(t, os.WriteFile(deck, []byte("prices"), 0o600))
	for name, c := range map[string]struct{ flag, says string }{
		"while it stored":       {"--yes", "\n  it is all or nothing: `trunkline rates list` shows whether it was stored"},
		"while it only looked":  {"--dry-run", "\n  nothing was stored\n"},
		"before anybody agreed": {"--currency=EUR", "\n  nothing was stored\n"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p := &priceList{arrived: func(ctx context.Context) error {
				cancel()
				<-ctx.Done()
				return ctx.Err()
			}}
			p.start(t)
			var stdout, stderr bytes.Buffer
			exit := cli.Run(ctx, []string{"rates", "import", deck, "--operator", nordlink, "--scope", "full", c.flag}, nil, &stdout, &stderr, "v1")
			require.Equal(t, cli.ExitInterrupted, exit, stderr.String())
			require.Contains(t, stderr.String(), "interrupted")
			require.Contains(t, stderr.String(), c.says)
		})
	}
	p := &priceList{arrived: func(context.Context) error {
		return serverError(t, connect.CodeResourceExhausted, "IMPORT_RUNNING", "Another import is running.")
	}}
	p.start(t)
	require.NotContains(t, run(t, nil, "rates", "import", deck, "--operator", nordlink, "--scope", "partial").stderr, "all or nothing")
}

func TestAnExportOfRatesHoldsWhatStillCounts(t *testing.T) {
	const day, forEver = 24 * time.Hour, 0
	rate := func(prefix string, from, to time.Duration) *operatorsv1.Rate {
		r := &operatorsv1.Rate{
			OperatorId: nordlink, Prefix: prefix, MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS, Price: eur(12_500_000),
			EffectiveFrom: timestamppb.New(time.Now().Add(from)),
		}
		if to != 0 {
			r.EffectiveTo = timestamppb.New(time.Now().Add(to))
		}
		return r
	}
	p := &priceList{rates: []*operatorsv1.Rate{
		rate("+1", -2*day, -day), rate("+2", -2*day, forEver), rate("+3", -2*day, day), rate("+4", day, 2*day), rate("+5", -3*day, -day),
	}}
	p.start(t)
	prefixes := func(args ...string) (all []string) {
		got := run(t, nil, append([]string{"rates"}, args...)...)
		require.Equal(t, cli.ExitOK, got.exit, got.stderr)
		rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
		require.NoError(t, err)
		for _, row := range rows {
			all = append(all, row[0])
		}
		return all
	}
	require.Equal(t, []string{"prefix", "+2", "+3", "+4"}, prefixes("export", "--operator", nordlink))
	require.Equal(t, []string{"prefix", "+1", "+2", "+3", "+4", "+5"}, prefixes("export", "--operator", nordlink, "--history"))
	require.Equal(t, []string{"operator_id", nordlink, nordlink, nordlink, nordlink, nordlink}, prefixes("list", "-o", "csv"))
	require.Equal(t, []string{"prefix", "+1", "+2", "+3", "+4", "+5"}, prefixes("list", "-o", "csv", "--operator", nordlink), "it can be imported")
	p.rates = nil
	require.Equal(t, []string{"operator_id"}, prefixes("list", "-o", "csv"))
}

func TestTheOutboxIsRoundedForPeopleAndExactInAFile(t *testing.T) {
	l := newLedger(t)
	l.outbox = &operatorsv1.GetOutboxStatusResponse{Pending: 4, Oldest: durationpb.New(10*time.Second + 512_345_678), LastError: "NATS_UNAVAILABLE"}
	require.Contains(t, run(t, nil, "outbox", "status").stdout, "  10.5s\n")
	const head = "pending,pending_publish,oldest_seconds,published,last_error\n"
	require.Equal(t, outcome{stdout: head + "4,0,10.512,0,NATS_UNAVAILABLE\n"}, run(t, nil, "outbox", "status", "-o", "csv"))
	l.outbox = &operatorsv1.GetOutboxStatusResponse{}
	require.Equal(t, outcome{stdout: head + "0,0,,0,\n"}, run(t, nil, "outbox", "status", "-o", "csv"))
}

func TestRuleFlagsAreCompleted(t *testing.T) {
	newLedger(t)
	for _, sub := range [][]string{{"create", "+44"}, {"update", ruleID}} {
		for flag, want := range map[string]string{
			"--strategy": "cost\npriority\nfailover\nweighted\n:4\n", "--on-exhausted": "fail\nfall_through\n:4\n",
			"--candidate": "Nordlink Transit East\nNordlink Transit\n:4\n", "--country": ":4\n",
		} {
			got := run(t, nil, append(append([]string{"__complete", "rules"}, sub...), flag, "")...)
			require.Equal(t, want, got.stdout, flag)
		}
	}
}

func TestACallerBoundToAnAccountNamesOperatorsByID(t *testing.T) {
	f := &fake{listOperators: func(*operatorsv1.ListOperatorsRequest) (*operatorsv1.ListOperatorsResponse, error) {
		return nil, serverError(t, connect.CodePermissionDenied, "ACCOUNT_NOT_ALLOWED", "Not for callers of one account.")
	}}
	f.start(t)
	got := run(t, nil, "rules", "create", "+44", "--candidate", "Nordlink")
	require.Equal(t, outcome{cli.ExitDenied, "",
		"trunkline: find operator Nordlink: give the operator's id: the credential is bound to an account and cannot look names up\n"}, got)
}

func TestARefusalToActUnaskedSaysThatNothingWasChanged(t *testing.T) {
	newLedger(t)
	got := run(t, strings.NewReader(""), "operators", "suspend", nordlink)
	require.Equal(t, outcome{cli.ExitUsage, "",
		"trunkline: operators suspend: nothing was changed: say --yes to do it without being asked\n"}, got)
}

func TestAnExplanationDoesNotSendToItself(t *testing.T) {
	f := &fake{explain: func(context.Context, *routingv1.ExplainRouteRequest) (*routingv1.ExplainRouteResponse, error) {
		return &routingv1.ExplainRouteResponse{Result: &routingv1.ExplainRouteResponse_Failure{Failure: &routingv1.Failure{
			Code: "unavailable", Reason: "NO_USABLE_OPERATOR", Message: "rules match; ExplainRoute tells why",
		}}}, nil
	}}
	f.start(t)
	got := run(t, nil, "routes", "explain", number)
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Contains(t, got.stdout, "No operator: rules match (NO_USABLE_OPERATOR)\n")
}
