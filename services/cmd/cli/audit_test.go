package cli_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/cmd/cli"
)

// archive is a server of the audit log and the log of decisions that remembers what it was asked.
type archive struct {
	routingv1connect.UnimplementedDecisionServiceHandler
	verdict  *accessv1.AuditVerdict
	filter   *accessv1.AuditFilter
	head     string
	exported *routingv1.ExportDecisionsRequest
	erased   *routingv1.EraseDecisionsRequest
}

var auditRows = []*accessv1.AuditRow{
	{
		AuditId: meridian, OccurTime: timestamppb.New(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)), Actor: "=cmd()", Action: "operator.update",
		Entity: "operator", EntityId: nordlink, RequestId: "r-1", After: `{"name":"Nordlink"}`, Sequence: 7, Hash: strings.Repeat("ab", 32),
	},
}

func (a *archive) ListAuditRows(_ context.Context, req *accessv1.ListAuditRowsRequest) (*accessv1.ListAuditRowsResponse, error) {
	a.filter = req.GetFilter()
	return &accessv1.ListAuditRowsResponse{Rows: auditRows}, nil
}

func (a *archive) ExportAuditRows(_ context.Context, req *accessv1.ExportAuditRowsRequest, stream *connect.ServerStream[accessv1.ExportAuditRowsResponse]) error {
	a.filter = req.GetFilter()
	for range 2 {
		if err := stream.Send(&accessv1.ExportAuditRowsResponse{Rows: auditRows}); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) VerifyAuditChain(_ context.Context, req *accessv1.VerifyAuditChainRequest, stream *connect.ServerStream[accessv1.VerifyAuditChainResponse]) error {
	a.head = req.GetKnownHead()
	if err := stream.Send(&accessv1.VerifyAuditChainResponse{Step: &accessv1.VerifyAuditChainResponse_Verified{Verified: 1}}); err != nil || a.verdict == nil {
		return err
	}
	return stream.Send(&accessv1.VerifyAuditChainResponse{Step: &accessv1.VerifyAuditChainResponse_Verdict{Verdict: a.verdict}})
}

func (a *archive) ExportDecisions(_ context.Context, req *routingv1.ExportDecisionsRequest, stream *connect.ServerStream[routingv1.ExportDecisionsResponse]) error {
	a.exported = req
	return stream.Send(&routingv1.ExportDecisionsResponse{Decisions: []*routingv1.DecisionRecord{{
		DecisionId: meridian, DecideTime: timestamppb.New(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)), NumberHash: "ab", HashKeyId: "k", MatchedPrefix: "+447",
		MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS, UnitPrice: &routingv1.Money{CurrencyCode: "EUR", Nanos: 12_500_000},
		Meta: &routingv1.DecisionMeta{ConfigVersion: 3, Cache: routingv1.CacheResult_CACHE_RESULT_HIT}, Latency: durationpb.New(1500 * time.Microsecond),
		Outcomes: []*routingv1.OutcomeRecord{{Outcome: routingv1.Outcome_OUTCOME_ACCEPTED}, {Outcome: routingv1.Outcome_OUTCOME_DELIVERED}},
	}}})
}

func (a *archive) EraseDecisions(_ context.Context, req *routingv1.EraseDecisionsRequest) (*routingv1.EraseDecisionsResponse, error) {
	a.erased = req
	return &routingv1.EraseDecisionsResponse{Erased: 2}, nil
}

func (a *archive) start(t *testing.T) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(accessv1connect.NewAuditServiceHandler(a))
	mux.Handle(routingv1connect.NewDecisionServiceHandler(a))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Setenv("TRUNKLINE_SERVER", server.URL)
}

func TestAuditRowsAreShownAndExported(t *testing.T) {
	a := &archive{}
	a.start(t)
	got := run(t, nil, "audit", "list", "--action", "operator.", "--actor", "key:1", "--entity", "operator", "--id", nordlink, "--from", "2026-11-21T00:00:00Z")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Contains(t, got.stdout, "operator.update")
	require.Equal(t, []string{"key:1", "operator.", "operator", nordlink}, []string{a.filter.GetActor(), a.filter.GetAction(), a.filter.GetEntity(), a.filter.GetEntityId()})
	require.Equal(t, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), a.filter.GetFromTime().AsTime())
	require.Nil(t, a.filter.GetToTime())

	got = run(t, nil, "audit", "export", "-o", "csv")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	require.Len(t, lines, 3, "one header for all messages of the stream")
	require.Contains(t, lines[1], ",'=cmd(),", "no spreadsheet runs it")
	got = run(t, nil, "audit", "export")
	require.Len(t, strings.Split(strings.TrimSpace(got.stdout), "\n"), 2, "a line for each row")
	require.Equal(t, cli.ExitUsage, run(t, nil, "audit", "list", "--limit", "-1").exit)
	require.Equal(t, cli.ExitUsage, run(t, nil, "audit", "export", "--from", "yesterday").exit)
}

func TestAVerificationEndsByItsVerdict(t *testing.T) {
	head := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		verdict *accessv1.AuditVerdict
		exit    int
		out     string
		err     string
	}{
		"a chain that is right": {&accessv1.AuditVerdict{Verified: 9, Unsealed: 1, Head: head}, cli.ExitOK, head, ""},
		"a chain that breaks": {
			&accessv1.AuditVerdict{Verified: 2, Head: head, Defect: &accessv1.AuditDefect{Sequence: 3, AuditId: meridian, Reason: "ROW_CHANGED", Message: "It is not."}},
			cli.ExitInvalid, head, "ROW_CHANGED: It is not. (row " + meridian + ")",
		},
		"a stream that ends without a verdict": {nil, cli.ExitFailed, "", "without a verdict"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &archive{verdict: c.verdict}
			a.start(t)
			got := run(t, nil, "audit", "verify", "--head", head)
			require.Equal(t, c.exit, got.exit, got.stderr)
			require.Contains(t, got.stdout, c.out)
			require.Contains(t, got.stderr, c.err)
			require.Equal(t, head, a.head)
		})
	}
	require.Equal(t, cli.ExitUsage, run(t, nil, "audit", "verify", "--head", "abc").exit)
}

func TestDecisionsAreExportedAndErased(t *testing.T) {
	a := &archive{}
	a.start(t)
	got := run(t, nil, "decisions", "export", "--number", "+447911123456", "--account", meridian, "--to", "2026-11-22T00:00:00Z", "-o", "csv")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Contains(t, got.stdout, ",0.012500,EUR,,3,0,HIT,1.500,ACCEPTED DELIVERED\n")
	require.Equal(t, []string{"+447911123456", meridian}, []string{a.exported.GetNumber(), a.exported.GetAccountId()})

	got = run(t, nil, "decisions", "erase", "+447911123456", "--dry-run")
	require.Equal(t, "2 decisions would be erased\n", got.stdout, got.stderr)
	require.True(t, a.erased.GetValidateOnly())
	a.erased = nil
	require.Equal(t, cli.ExitUsage, run(t, strings.NewReader(""), "decisions", "erase", "+447911123456").exit, "a script says --yes")
	require.Nil(t, a.erased)
	got = run(t, nil, "decisions", "erase", "+447911123456", "--yes")
	require.Equal(t, "2 decisions erased\n", got.stdout, got.stderr)
	require.False(t, a.erased.GetValidateOnly())
	for _, wrong := range [][]string{
		{"decisions", "erase", "447911123456", "--yes"}, {"decisions", "export", "--number", "12"}, {"decisions", "export", "--account", "acme"}, {"decisions", "export", "--decision", "1"},
	} {
		require.Equal(t, cli.ExitUsage, run(t, nil, wrong...).exit, wrong)
	}
}
