package cli_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/gen/go/trunkline/releases/v1/releasesv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/cmd/cli"
	"trunkline/services/platform/config"
	"trunkline/services/platform/release"
)

const (
	releaseOne   = "01a20000-0000-7000-8000-000000000001"
	releaseTwo   = "01a20000-0000-7000-8000-000000000002"
	releaseThree = "01a20000-0000-7000-8000-000000000003"
	engineOne    = "01a20000-0000-4000-8000-0000000000e1"
	engineTwo    = "01a20000-0000-4000-8000-0000000000e2"
)

var releaseMoment = timestamppb.New(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))

// press is a server of releases that remembers what it was asked. Release 2 is in force, 3 is a draft.
type press struct {
	releasesv1connect.UnimplementedReleaseServiceHandler

	t        *testing.T
	mu       sync.Mutex
	all      []*releasesv1.Release // newest first
	none     bool                  // no release is in force
	warnings []*operatorsv1.RuleFinding
	summary  *releasesv1.ReleaseDiffSummary
	changes  []*releasesv1.ReleaseChange
	report   *releasesv1.ReplayReport
	// engines are what engines say, one answer after the other; the last one stays.
	engines   [][]*releasesv1.ReleaseEngine
	announced bool
	cancelled bool
	state     releasesv1.ReleaseState // of what was published
	fail      error

	created   *releasesv1.CreateReleaseRequest
	compared  *releasesv1.DiffReleaseRequest
	replayed  *releasesv1.ReplayReleaseRequest
	approved  *releasesv1.ApproveReleaseRequest
	published []*releasesv1.PublishReleaseRequest
	rolled    []*releasesv1.RollbackReleaseRequest
}

func newPress(t *testing.T) *press {
	t.Helper()
	named := func(id string, number int64, state releasesv1.ReleaseState, digest string) *releasesv1.Release {
		return &releasesv1.Release{
			ReleaseId: id, Number: number, State: state, Digest: strings.Repeat(digest, 64), SizeBytes: 3 << 20, StoredBytes: 700 << 10, OperatorCount: 8,
			RuleCount: 245, RateCount: 1, ConfigVersion: 12, CreateTime: releaseMoment, CreatedBy: "ann", Etag: "etag-" + id[len(id)-1:],
		}
	}
	p := &press{
		t: t, announced: true, state: releasesv1.ReleaseState_RELEASE_STATE_ACTIVE,
		all: []*releasesv1.Release{
			named(releaseThree, 3, releasesv1.ReleaseState_RELEASE_STATE_DRAFT, "c"),
			named(releaseTwo, 2, releasesv1.ReleaseState_RELEASE_STATE_ACTIVE, "b"),
			named(releaseOne, 1, releasesv1.ReleaseState_RELEASE_STATE_RETIRED, "a"),
		},
	}
	p.all[0].Description = "cheaper Britain"
	p.all[1].LastActivation = &releasesv1.ReleaseActivation{Activation: 6, ActivateTime: releaseMoment}
	mux := http.NewServeMux()
	mux.Handle(releasesv1connect.NewReleaseServiceHandler(p))
	mux.Handle(operatorsv1connect.NewOperatorServiceHandler(newLedgerHandler(t)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Setenv("TRUNKLINE_SERVER", server.URL)
	return p
}

// newLedgerHandler gives the operators that commands look up by name.
func newLedgerHandler(t *testing.T) *ledger {
	t.Helper()
	return &ledger{t: t, one: &operatorsv1.Operator{OperatorId: nordlink, Name: "Nordlink Transit"}}
}

func (p *press) find(id string) *releasesv1.Release {
	for _, r := range p.all {
		if r.GetReleaseId() == id || id == "" && r.GetState() == releasesv1.ReleaseState_RELEASE_STATE_ACTIVE && !p.none {
			return r
		}
	}
	return nil
}

func (p *press) CreateRelease(_ context.Context, req *releasesv1.CreateReleaseRequest, s *connect.ServerStream[releasesv1.CreateReleaseResponse]) error {
	p.created = req
	if err := s.Send(&releasesv1.CreateReleaseResponse{Step: &releasesv1.CreateReleaseResponse_Progress{Progress: &operatorsv1.ImportProgress{Done: 1, Total: 2}}}); err != nil || p.fail != nil {
		return p.fail
	}
	made := proto.CloneOf(p.all[0])
	made.WarningCount = int64(len(p.warnings))
	return s.Send(&releasesv1.CreateReleaseResponse{Step: &releasesv1.CreateReleaseResponse_Result{Result: &releasesv1.CreateReleaseResult{Release: made, Warnings: p.warnings}}})
}

func (p *press) GetRelease(_ context.Context, req *releasesv1.GetReleaseRequest) (*releasesv1.GetReleaseResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.find(req.GetReleaseId())
	if r == nil {
		return nil, serverError(p.t, connect.CodeNotFound, "NO_SUCH_RELEASE", "There is no such release.")
	}
	res := &releasesv1.GetReleaseResponse{Release: r, Activations: []*releasesv1.ReleaseActivation{
		{Activation: 7, ReleaseId: r.GetReleaseId(), Kind: releasesv1.ReleaseActivationKind_RELEASE_ACTIVATION_KIND_ROLLBACK, ActivateTime: releaseMoment, CreatedBy: "bob", Reason: "complaints", Announced: p.announced, Cancelled: p.cancelled},
		{Activation: 4, ReleaseId: r.GetReleaseId(), Kind: releasesv1.ReleaseActivationKind_RELEASE_ACTIVATION_KIND_PUBLISH, ActivateTime: releaseMoment, CreatedBy: "ann", Announced: true},
	}}
	if len(p.engines) > 0 {
		res.Engines = p.engines[0]
		if len(p.engines) > 1 {
			p.engines = p.engines[1:]
		}
	}
	return res, nil
}

func (p *press) ListReleases(_ context.Context, req *releasesv1.ListReleasesRequest) (*releasesv1.ListReleasesResponse, error) {
	// Two on a page at most, so that looking for a number turns pages.
	from := 0
	if req.GetPageToken() != "" {
		from = 2
	}
	to := min(from+2, len(p.all))
	res := &releasesv1.ListReleasesResponse{Releases: p.all[from:to]}
	if to < len(p.all) {
		res.NextPageToken = "more"
	}
	return res, nil
}

func (p *press) DiffRelease(_ context.Context, req *releasesv1.DiffReleaseRequest, s *connect.ServerStream[releasesv1.DiffReleaseResponse]) error {
	p.compared = req
	if p.fail != nil {
		return p.fail
	}
	if err := s.Send(&releasesv1.DiffReleaseResponse{Part: &releasesv1.DiffReleaseResponse_Summary{Summary: p.summary}}); err != nil {
		return err
	}
	for _, change := range p.changes[:min(int(req.GetMaxChanges()), len(p.changes))] {
		part := &releasesv1.ReleaseChanges{Changes: []*releasesv1.ReleaseChange{change}}
		if err := s.Send(&releasesv1.DiffReleaseResponse{Part: &releasesv1.DiffReleaseResponse_Changes{Changes: part}}); err != nil {
			return err
		}
	}
	return nil
}

func (p *press) ReplayRelease(_ context.Context, req *releasesv1.ReplayReleaseRequest, s *connect.ServerStream[releasesv1.ReplayReleaseResponse]) error {
	p.replayed = req
	if err := s.Send(&releasesv1.ReplayReleaseResponse{Step: &releasesv1.ReplayReleaseResponse_Progress{Progress: &operatorsv1.ImportProgress{Done: 1, Total: 2}}}); err != nil || p.fail != nil {
		return p.fail
	}
	return s.Send(&releasesv1.ReplayReleaseResponse{Step: &releasesv1.ReplayReleaseResponse_Report{Report: p.report}})
}

func (p *press) ApproveRelease(_ context.Context, req *releasesv1.ApproveReleaseRequest) (*releasesv1.ApproveReleaseResponse, error) {
	p.approved = req
	r := proto.CloneOf(p.find(req.GetReleaseId()))
	r.ApprovedBy = "bob"
	return &releasesv1.ApproveReleaseResponse{Release: r}, p.fail
}

func (p *press) activation(id string) (*releasesv1.Release, *releasesv1.ReleaseActivation) {
	r := proto.CloneOf(p.find(id))
	r.State = p.state
	return r, &releasesv1.ReleaseActivation{Activation: 7, ReleaseId: id, ActivateTime: releaseMoment, Announced: p.announced}
}

func (p *press) PublishRelease(_ context.Context, req *releasesv1.PublishReleaseRequest) (*releasesv1.PublishReleaseResponse, error) {
	p.published = append(p.published, req)
	r, a := p.activation(req.GetReleaseId())
	return &releasesv1.PublishReleaseResponse{Release: r, Activation: a}, p.fail
}

func (p *press) RollbackRelease(_ context.Context, req *releasesv1.RollbackReleaseRequest) (*releasesv1.RollbackReleaseResponse, error) {
	p.rolled = append(p.rolled, req)
	id := req.GetReleaseId()
	if id == "" {
		id = releaseOne
	}
	r, a := p.activation(id)
	return &releasesv1.RollbackReleaseResponse{Release: r, Activation: a}, p.fail
}

// engine is what one says: what it serves, and what it does with activation 7.
func engine(id string, serving int64, state eventsv1.ReleaseEngineState, reason string) *releasesv1.ReleaseEngine {
	release := map[int64]string{6: releaseTwo, 7: releaseThree}[serving]
	return &releasesv1.ReleaseEngine{Current: serving == 7, Event: &eventsv1.ReleaseEvent{
		EngineId: id, Host: "engine-" + id[len(id)-1:], State: state, ReleaseId: releaseThree, Activation: 7, Reason: reason,
		ServingReleaseId: release, ServingActivation: serving, ServingSince: releaseMoment, OccurredAt: releaseMoment,
	}}
}

const (
	serving  = eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_SERVING
	refused  = eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_REFUSED
	prepared = eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_PREPARED
)

func TestADraftIsMade(t *testing.T) {
	p := newPress(t)
	got := run(t, nil, "releases", "create", "--description", "cheaper Britain")
	require.Equal(t, outcome{cli.ExitOK, releaseThree + "  release 3: created, 8 operators, 245 rules, 1 rate\n", ""}, got)
	require.Equal(t, "cheaper Britain", p.created.GetDescription())
	require.NotEmpty(t, p.created.GetRequestId())

	p.all[0].Digest = p.all[1].GetDigest()
	for range 5 {
		p.warnings = append(p.warnings, &operatorsv1.RuleFinding{Severity: operatorsv1.FindingSeverity_FINDING_SEVERITY_WARNING, Reason: "SHADOWED_RULE", Message: "+44 has nobody.", Witness: "+441"})
	}
	got = run(t, nil, "releases", "create")
	require.Equal(t, cli.ExitOK, got.exit)
	require.Contains(t, got.stderr, "note: it has the same content as release 2, which is in force: nothing was changed since\n")
	require.Contains(t, got.stderr, "warning: SHADOWED_RULE: +44 has nobody. (for example +441)\n")
	require.Len(t, lines(got.stderr), 6)
	p.warnings = append(p.warnings, p.warnings[0])
	require.Contains(t, run(t, nil, "releases", "create").stderr, "warning: 6 warnings of the conflict checker: `trunkline rules check` tells them\nnote: ")

	got = run(t, nil, "releases", "create", "--dry-run")
	require.Equal(t, "8 operators, 245 rules, 1 rate: dry run, nothing was stored\n", got.stdout)
	require.True(t, p.created.GetValidateOnly())
	require.Contains(t, run(t, nil, "releases", "create", "-o", "json").stdout, `"number": "3"`)

	p.fail = serverError(t, connect.CodeFailedPrecondition, "RULE_CONFLICT", "Rules conflict.", &operatorsv1.RuleConflict{Findings: []*operatorsv1.RuleFinding{
		{Severity: operatorsv1.FindingSeverity_FINDING_SEVERITY_ERROR, Reason: "NO_RATE", Message: "Nordlink has no rate.", Witness: "+4411"},
	}})
	got = run(t, nil, "releases", "create")
	require.Equal(t, cli.ExitConflict, got.exit)
	require.Contains(t, got.stderr, "create a release: Rules conflict (RULE_CONFLICT): mend what is told below and try again\n  error: NO_RATE: Nordlink has no rate. (for example +4411)\n")
}

func TestReleasesAreListedAndShown(t *testing.T) {
	p := newPress(t)
	p.engines = [][]*releasesv1.ReleaseEngine{{engine(engineOne, 7, serving, ""), engine(engineTwo, 6, refused, "ARTIFACT_DIGEST")}}
	got := run(t, nil, "releases", "list")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	golden(t, "releases.txt", got.stdout)
	golden(t, "releases.csv", run(t, nil, "releases", "list", "-o", "csv").stdout)
	got = run(t, nil, "releases", "show", "3")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	golden(t, "release.txt", got.stdout)

	p.engines = nil
	require.Contains(t, run(t, nil, "releases", "show").stdout, "No engine in release mode was heard of")
	require.Contains(t, run(t, nil, "releases", "get", "-o", "json").stdout, releaseTwo, "the one in force, and as the other commands call it")
	p.none = true
	got = run(t, nil, "releases", "show")
	require.Equal(t, cli.ExitNotFound, got.exit)
	require.Contains(t, got.stderr, "no release is in force: `trunkline releases publish` puts one in force")
}

func TestAReleaseIsNamedInFourWays(t *testing.T) {
	p := newPress(t)
	p.summary = &releasesv1.ReleaseDiffSummary{Identical: true, BaseReleaseId: releaseTwo}
	for ref, want := range map[string]string{"1": releaseOne, "#1": releaseOne, strings.ToUpper(releaseOne): releaseOne, "active": releaseTwo, "Latest": releaseThree} {
		got := run(t, nil, "releases", "diff", ref)
		require.Equal(t, cli.ExitOK, got.exit, got.stderr)
		require.Equal(t, want, p.compared.GetReleaseId(), ref)
	}
	for ref, says := range map[string]string{"9": "there is no release 9", "x": "give a number such as 12, an id, active or latest", "0": "give a number", "-1": "unknown shorthand flag"} {
		got := run(t, nil, "releases", "diff", ref)
		require.Contains(t, []int{cli.ExitNotFound, cli.ExitUsage}, got.exit, ref)
		require.Contains(t, got.stderr, says, ref)
	}
	got := run(t, nil, "__complete", "releases", "publish", "")
	require.Contains(t, got.stdout, "latest\nactive\n3\tDRAFT cheaper Britain\n2\tACTIVE")
	p.all = nil
	got = run(t, nil, "releases", "diff")
	require.Equal(t, cli.ExitNotFound, got.exit)
	require.Contains(t, got.stderr, "`trunkline releases create` makes one")
}

func someChanges() (*releasesv1.ReleaseDiffSummary, []*releasesv1.ReleaseChange) {
	const added, removed, changed = releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_ADDED, releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_REMOVED, releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_CHANGED
	rate := func(kind releasesv1.ReleaseChangeKind, prefix string, before, after *routingv1.Money, points int64) *releasesv1.ReleaseChange {
		return &releasesv1.ReleaseChange{
			Subject: releasesv1.ReleaseSubject_RELEASE_SUBJECT_RATE, Kind: kind, Prefix: prefix, OperatorId: nordlink, OperatorName: "Nordlink Transit",
			MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS, Before: before, After: after, ChangeBasisPoints: points,
		}
	}
	later := func(ch *releasesv1.ReleaseChange) *releasesv1.ReleaseChange {
		ch.Details = []string{"from 2027-01-01T00:00:00Z"}
		return ch
	}
	return &releasesv1.ReleaseDiffSummary{
			BaseReleaseId: releaseTwo, OperatorsChanged: 1, RulesAdded: 1, RulesChanged: 1, RatesAdded: 1, RatesRaised: 1, RatesLowered: 1, RatesRemoved: 1, PrefixCount: 5, FxRatesChanged: 1,
		}, []*releasesv1.ReleaseChange{
			{Subject: releasesv1.ReleaseSubject_RELEASE_SUBJECT_OPERATOR, Kind: changed, EntityId: meridian, OperatorName: "Meridian Carrier", Details: []string{"max TPS 100 -> 200", "status ACTIVE -> SUSPENDED"}},
			{Subject: releasesv1.ReleaseSubject_RELEASE_SUBJECT_FX_RATE, Kind: changed, Details: []string{"USD 0.920000000 -> 0.950000000"}, ChangeBasisPoints: 326},
			{Subject: releasesv1.ReleaseSubject_RELEASE_SUBJECT_RULE, Kind: changed, EntityId: nordlink, Prefix: "+447", Details: []string{"strategy COST -> PRIORITY"}},
			{Subject: releasesv1.ReleaseSubject_RELEASE_SUBJECT_RULE, Kind: added, EntityId: nordlink, Prefix: "+44791", AccountId: account},
			rate(changed, "+447", eur(50_000_000), eur(62_500_000), 2500),
			rate(added, "+4479", nil, eur(10_000_000), 0),
			rate(changed, "+4478", eur(60_000_000), eur(50_001_000), -1667),
			later(rate(removed, "+4477", eur(60_000_000), nil, 0)),
		}
}

func TestADifferenceIsShown(t *testing.T) {
	p := newPress(t)
	p.summary, p.changes = someChanges()
	got := run(t, nil, "releases", "diff", "3")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	golden(t, "release-diff.txt", got.stdout)
	for _, line := range lines(got.stdout) {
		require.LessOrEqual(t, len(line), 100)
	}
	require.Equal(t, []any{"", int32(50)}, []any{p.compared.GetBaseReleaseId(), p.compared.GetMaxChanges()})

	got = run(t, nil, "releases", "diff", "3", "--changes", "2", "--base", "1")
	require.Contains(t, got.stdout, "6 changes are not shown: --changes 8\n")
	require.NotContains(t, got.stdout, "PRICE")
	require.Equal(t, releaseOne, p.compared.GetBaseReleaseId())
	require.Contains(t, run(t, nil, "releases", "diff", "--changes", "0").stdout, "8 changes are not shown")
	require.Equal(t, cli.ExitUsage, run(t, nil, "releases", "diff", "--changes", "10001").exit)

	got = run(t, nil, "releases", "diff", "3", "-o", "json")
	require.EqualValues(t, 10_000, p.compared.GetMaxChanges())
	require.True(t, strings.HasPrefix(got.stdout, `{"summary":{"baseReleaseId":"`+releaseTwo), got.stdout)
	require.Contains(t, got.stdout, `"changeBasisPoints":"-1667"`)

	p.summary, p.changes = &releasesv1.ReleaseDiffSummary{RulesAdded: 1}, nil
	require.Contains(t, run(t, nil, "releases", "diff").stdout, "release 3 against nothing, since no release is in force\n")
	p.summary = &releasesv1.ReleaseDiffSummary{Identical: true, BaseReleaseId: releaseTwo}
	require.Equal(t, "release 3 has the same content as release 2, which is in force\n", run(t, nil, "releases", "diff").stdout)
	require.Equal(t, "release 2 is in force: --base names another to compare it with\n", run(t, nil, "releases", "diff", "2").stdout)
	require.Equal(t, "release 2 is compared with itself: --base names another to compare it with\n", run(t, nil, "releases", "diff", "2", "--base", "2").stdout)
}

func someReport() *releasesv1.ReplayReport {
	return &releasesv1.ReplayReport{
		DecisionCount: 100_000, SameCount: 90_000, MovedCount: 8000, LostCount: 1995, GainedCount: 5, BaseReleaseId: releaseTwo, DecideTime: releaseMoment,
		Losses: []*releasesv1.ReplayLoss{{Prefix: "+447911", Reason: "NO_USABLE_OPERATOR", Count: 1990}, {Prefix: "+3361", Reason: "NO_ROUTE", Count: 5}},
		Moves: []*releasesv1.ReplayMove{
			{FromOperatorId: nordlink, FromOperatorName: "Nordlink Transit", ToOperatorId: nordlink, ToOperatorName: "Nordlink Transit", Count: 90_000},
			{FromOperatorId: nordlink, FromOperatorName: "Nordlink Transit", ToOperatorId: meridian, ToOperatorName: "Meridian Carrier", Count: 8000},
			{FromOperatorId: nordlink, FromOperatorName: "Nordlink Transit", Count: 1995},
			{ToOperatorId: meridian, ToOperatorName: "Meridian Carrier", Count: 5},
		},
		Costs: []*releasesv1.ReplayCost{
			{OperatorId: nordlink, OperatorName: "Nordlink Transit", CallingCode: "+44", BeforeCount: 9995, AfterCount: 0, Before: eur(624_687_500_000)},
			{OperatorId: meridian, OperatorName: "Meridian Carrier", CallingCode: "+44", AfterCount: 8005, After: eur(480_300_000_000)},
			{OperatorId: nordlink, OperatorName: "Nordlink Transit", CallingCode: "+33", BeforeCount: 5, AfterCount: 5, Before: eur(1), After: eur(1)},
		},
		Totals: []*releasesv1.ReplayCost{{BeforeCount: 99_995, AfterCount: 98_005, Before: eur(5_624_687_500_000), After: eur(5_480_300_000_000)}},
	}
}

func TestAReplayTellsWhoMoves(t *testing.T) {
	p := newPress(t)
	p.report = someReport()
	before := time.Now()
	got := run(t, nil, "releases", "replay", "--since", "1h", "--down", "Nordlink Transit")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	golden(t, "release-replay.txt", got.stdout)
	for _, line := range lines(got.stdout) {
		require.LessOrEqual(t, len(line), 100)
	}
	sample := p.replayed.GetDecisions()
	require.WithinRange(t, sample.GetFromTime().AsTime(), before.Add(-time.Hour), time.Now().Add(-time.Hour))
	require.Zero(t, sample.GetLimit())
	require.Equal(t, []string{nordlink}, p.replayed.GetDownOperatorIds())
	require.Equal(t, releaseThree, p.replayed.GetReleaseId())

	got = run(t, nil, "releases", "replay", "2", "--base", "1", "--limit", "7", "--at", "2027-01-01T00:00:00Z", "--fail-on-lost", "-o", "json")
	require.Equal(t, cli.ExitInvalid, got.exit, "a check that fails")
	require.Contains(t, got.stdout, `"lostCount": "1995"`)
	require.Contains(t, got.stderr, "1995 decisions lose their route")
	require.EqualValues(t, 7, p.replayed.GetDecisions().GetLimit())
	require.Equal(t, releaseOne, p.replayed.GetBaseReleaseId())
	require.EqualValues(t, 1_798_761_600, p.replayed.GetDecideTime().GetSeconds())
}

func TestAFileIsReplayed(t *testing.T) {
	p := newPress(t)
	p.report = &releasesv1.ReplayReport{BadLineCount: 2, BadLines: []*operatorsv1.BadLine{{Line: 2, Column: "number", Message: "must be E.164"}}}
	name := filepath.Join(t.TempDir(), "numbers")
	require.NoError(t, os.WriteFile(name, []byte("+447911123456\n+33\n"), 0o600))
	for _, args := range [][]string{{}, {"--fail-on-lost"}, {"-o", "json"}} {
		got := run(t, nil, append([]string{"releases", "replay", "--numbers", name}, args...)...)
		require.Equal(t, cli.ExitInvalid, got.exit, "nothing that can be read is an error")
		require.Contains(t, got.stderr, "replay: nothing of "+name+" can be read: give a number such as +447911123456 in each line")
	}
	got := run(t, nil, "releases", "replay", "--numbers", name)
	require.Equal(t, "+447911123456\n+33\n", string(p.replayed.GetCsv()))
	require.Contains(t, got.stderr, name+":2: number: must be E.164\nwarning: 2 lines cannot be read: left out")
	require.Empty(t, got.stdout)
	got = run(t, nil, "releases", "replay")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Contains(t, got.stdout, "go further back with --since, or give --numbers FILE")
	got = run(t, nil, "releases", "replay", "--fail-on-lost")
	require.Equal(t, cli.ExitInvalid, got.exit, "a check that looked at nothing did not pass")
	require.Contains(t, got.stderr, "replay: nothing was replayed, so --fail-on-lost cannot tell")

	got = run(t, strings.NewReader(""), "releases", "replay", "--numbers", "-")
	require.Equal(t, cli.ExitInvalid, got.exit)
	require.Contains(t, got.stderr, "replay: <stdin> is empty: give a number such as +447911123456 in each line, or CSV with the header number,")
	got = run(t, nil, "releases", "replay", "--numbers", name+".not")
	require.Equal(t, cli.ExitFailed, got.exit)
	require.Contains(t, got.stderr, "trunkline: replay: open ")

	p.report = &releasesv1.ReplayReport{DecisionCount: 1, SameCount: 1, BadLineCount: 1, BaseReleaseId: releaseThree}
	got = run(t, strings.NewReader("+447911123456\nx\n"), "releases", "replay", "--numbers", "-", "--base", "3", "--fail-on-lost")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Contains(t, got.stderr, "note: release 3 is compared with itself, so nothing can move: --base names another\n")
	for args, says := range map[string]string{
		"--numbers x --since 1h": "leave out --since and --limit", "--since 0s": "must be above 0", "--limit 1000001": "must be 0 to 1000000", "--at now": "write a moment",
	} {
		got := run(t, nil, append([]string{"releases", "replay"}, strings.Fields(args)...)...)
		require.Equal(t, cli.ExitUsage, got.exit, args)
		require.Contains(t, got.stderr, says)
	}
	p.fail = serverError(t, connect.CodeFailedPrecondition, "RELEASE_EXPIRED", "The release is history.")
	got = run(t, nil, "releases", "replay")
	require.Equal(t, cli.ExitConflict, got.exit)
	require.Contains(t, got.stderr, "(RELEASE_EXPIRED): `trunkline releases list`")
}

func TestAReleaseIsPublishedAndEnginesAreWaitedFor(t *testing.T) {
	p := newPress(t)
	p.engines = [][]*releasesv1.ReleaseEngine{
		nil, // of the release in force, before it is published
		{engine(engineOne, 6, serving, ""), engine(engineTwo, 6, serving, "")},
		{engine(engineOne, 7, serving, ""), engine(engineTwo, 6, refused, "ARTIFACT_MISSING")}, // which it tries again
		{engine(engineOne, 7, serving, ""), engine(engineTwo, 6, serving, "")},
		{engine(engineOne, 7, serving, ""), engine(engineTwo, 7, serving, "")},
	}
	got := run(t, nil, "releases", "publish", "latest", "--yes", "--reason", "prices of January")
	require.Equal(t, outcome{cli.ExitOK, "release 3 is in force in place of release 2, activation 7\nall 2 engines serve it\n", ""}, got)
	require.Len(t, p.published, 1)
	req := p.published[0]
	require.Equal(t, []string{releaseThree, "etag-3", releaseTwo, "prices of January"}, []string{req.GetReleaseId(), req.GetEtag(), req.GetExpectedReleaseId(), req.GetReason()})
	require.NotEmpty(t, req.GetRequestId())
	require.Nil(t, req.GetActivateTime())
	require.False(t, req.GetValidateOnly())

	p.engines = [][]*releasesv1.ReleaseEngine{{engine(engineOne, 7, serving, "")}}
	got = run(t, nil, "releases", "publish", "latest", "--yes", "-o", "json", "--expect", "1")
	require.Contains(t, got.stdout, `"activation": "7"`)
	require.Equal(t, releaseOne, p.published[1].GetExpectedReleaseId())
	require.True(t, strings.HasSuffix(got.stdout, "}\n"), "nothing but JSON")

	p.none, p.engines = true, [][]*releasesv1.ReleaseEngine{nil, {engine(engineOne, 7, serving, "")}}
	got = run(t, nil, "releases", "publish", "latest", "--yes")
	require.Equal(t, "release 3 is in force, activation 7\nthe engine serves it\n", got.stdout, "one that had nothing to serve before has not spoken yet")
	require.Empty(t, p.published[2].GetExpectedReleaseId())
}

func TestWhatEnginesDoNotTakeIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		engines   []*releasesv1.ReleaseEngine
		waiting   bool // NATS has no manifest
		cancelled bool
		exit      int
		says      []string
	}{
		"an engine that refuses it": {
			engines: []*releasesv1.ReleaseEngine{engine(engineOne, 7, serving, ""), engine(engineTwo, 6, refused, "ARTIFACT_DIGEST")}, exit: cli.ExitFailed,
			says: []string{"1 of 2 engines serve it: it is published", "engine on engine-2 (" + engineTwo + ") refused it: ARTIFACT_DIGEST; it serves another release, activation 6"},
		},
		"an engine that is behind": {
			engines: []*releasesv1.ReleaseEngine{engine(engineOne, 7, serving, ""), engine(engineTwo, 6, serving, "")}, exit: cli.ExitUnavailable,
			says: []string{"1 of 2 engines serve it yet", "engine on engine-2 (" + engineTwo + ") serves another release, activation 6, heard at 2026-11-21T12:00:00Z"},
		},
		"no engine in release mode": {says: []string{"no engine runs in release mode, so traffic did not change", "--table release"}},
		"no NATS":                   {waiting: true, says: []string{"NATS does not have it yet", "no engine runs"}},
		"an engine that serves another release under a higher number": {
			engines: []*releasesv1.ReleaseEngine{other(9, releaseTwo)}, exit: cli.ExitUnavailable,
			says: []string{"0 of 1 engine serve it yet", "serves another release, activation 9"},
		},
		"an engine that serves another release under the same number": {
			engines: []*releasesv1.ReleaseEngine{other(7, releaseOne)}, exit: cli.ExitUnavailable, says: []string{"serves another release, activation 7"},
		},
		"an engine that knows a newer manifest": {
			engines: []*releasesv1.ReleaseEngine{refusing(other(9, releaseTwo), "MANIFEST_OLD")}, exit: cli.ExitFailed,
			says: []string{
				"0 of 1 engine serve it: it is published, and refused", "refused it: MANIFEST_OLD; it serves another release, activation 9: the engine knows a newer one.",
				"empty the folders of engines and restart them",
			},
		},
		"an engine that does not trust the key": {
			engines: []*releasesv1.ReleaseEngine{refusing(other(0, ""), "MANIFEST_KEY")}, exit: cli.ExitFailed,
			says: []string{"refused it: MANIFEST_KEY; it serves nothing: give engines the public key"},
		},
		"an engine of another environment": {
			engines: []*releasesv1.ReleaseEngine{refusing(other(6, releaseTwo), "MANIFEST_ENVIRONMENT")}, exit: cli.ExitFailed,
			says: []string{"MANIFEST_ENVIRONMENT; it serves another release, activation 6: two environments share one NATS account"},
		},
		"an engine that refuses a signature": {
			engines: []*releasesv1.ReleaseEngine{refusing(other(6, releaseTwo), "MANIFEST_SIGNATURE")}, exit: cli.ExitFailed, says: []string{"refused it: MANIFEST_SIGNATURE"},
		},
		"an engine that waits for the artifact": {
			engines: []*releasesv1.ReleaseEngine{engine(engineOne, 6, refused, "ARTIFACT_MISSING")}, exit: cli.ExitUnavailable, says: []string{"heard at 2026-11-21T12:00:00Z: ARTIFACT_MISSING"},
		},
		"another publish": {cancelled: true, exit: cli.ExitConflict, says: []string{"called off meanwhile"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPress(t)
			p.engines, p.announced, p.cancelled = [][]*releasesv1.ReleaseEngine{c.engines}, !c.waiting, c.cancelled
			got := run(t, nil, "releases", "publish", "3", "--yes", "--wait", "1ms")
			require.Equal(t, c.exit, got.exit, got.stderr)
			done := "release 3 is in force in place of release 2, activation 7\n"
			if c.waiting {
				done = "release 3 will be in force once NATS is back in place of release 2, activation 7\n"
			}
			require.Equal(t, done, got.stdout)
			for _, want := range c.says {
				require.Contains(t, got.stderr, want)
			}
			got = run(t, nil, "releases", "publish", "3", "--yes", "--no-wait")
			require.Equal(t, outcome{cli.ExitOK, done, ""}, got)
		})
	}
}

// other is an engine that serves what is not in question; refusing says why it does not take a manifest.
func other(activation int64, id string) *releasesv1.ReleaseEngine {
	return &releasesv1.ReleaseEngine{Event: &eventsv1.ReleaseEvent{
		EngineId: engineOne, Host: "engine-1", State: serving, ReleaseId: id, Activation: activation, ServingReleaseId: id, ServingActivation: activation, OccurredAt: releaseMoment,
	}}
}

func refusing(e *releasesv1.ReleaseEngine, reason string) *releasesv1.ReleaseEngine {
	e.Event.State, e.Event.Reason, e.Event.ReleaseId, e.Event.Activation = refused, reason, "", 0
	return e
}

// TestAnEngineThatRefusedTheManifestBeforeMayTakeThisOne: its last word is about what was there before.
func TestAnEngineThatRefusedTheManifestBeforeMayTakeThisOne(t *testing.T) {
	p := newPress(t)
	p.engines = [][]*releasesv1.ReleaseEngine{
		nil, {refusing(other(6, releaseTwo), "MANIFEST_SIGNATURE")}, {other(6, releaseTwo)}, {engine(engineOne, 7, serving, "")},
	}
	got := run(t, nil, "releases", "publish", "3", "--yes")
	require.Equal(t, outcome{cli.ExitOK, "release 3 is in force in place of release 2, activation 7\nthe engine serves it\n", ""}, got)

	later := other(9, releaseTwo)
	later.Current = true
	p.engines = [][]*releasesv1.ReleaseEngine{{later}}
	require.Equal(t, cli.ExitOK, run(t, nil, "releases", "publish", "3", "--yes").exit, "what came in force later takes its place")
}

// TestTheScheduleOfAColleagueIsNotCalledOffUnseen: it is named before and after.
func TestTheScheduleOfAColleagueIsNotCalledOffUnseen(t *testing.T) {
	p := newPress(t)
	p.all[2].State = releasesv1.ReleaseState_RELEASE_STATE_SCHEDULED
	p.all[2].LastActivation = &releasesv1.ReleaseActivation{Activation: 6, ActivateTime: releaseMoment, CreatedBy: "carl"}
	const off = ", and calls off release 1, scheduled for 2026-11-21T12:00:00Z by carl"
	got := run(t, nil, "releases", "publish", "3", "--yes", "--no-wait")
	require.Equal(t, outcome{cli.ExitOK, "release 3 is in force in place of release 2" + off + ", activation 7\n", ""}, got)
	got = run(t, nil, "releases", "publish", "3", "--dry-run")
	require.Equal(t, outcome{cli.ExitOK, "release 3 would be in force at once in place of release 2" + off + ": dry run, nothing was changed\n", ""}, got)
	got = run(t, nil, "releases", "rollback", "active", "--yes", "--no-wait")
	require.Equal(t, outcome{cli.ExitOK, "release 2 is in force" + off + ", activation 7\n", ""}, got)
	p.state = releasesv1.ReleaseState_RELEASE_STATE_SCHEDULED
	got = run(t, nil, "releases", "publish", "3", "--dry-run", "--at", "2027-01-01T00:00:00Z")
	require.Equal(t, "release 3 would be in force from 2026-11-21T12:00:00Z on in place of release 2"+off+": dry run, nothing was changed\n", got.stdout)
}

// TestAReleaseWithFewRulesIsWarnedOf: it was made of a table that was not filled.
func TestAReleaseWithFewRulesIsWarnedOf(t *testing.T) {
	p := newPress(t)
	for rules, says := range map[int64]string{
		0:   "warning: release 3 has no rules: in force, every number is without a route\n",
		1:   "warning: release 3 has 1 rule, and release 2, which is in force, 245\n",
		122: "warning: release 3 has 122 rules, and release 2, which is in force, 245\n",
		123: "",
	} {
		p.all[0].RuleCount = rules
		for _, command := range []string{"create", "publish 3 --yes --no-wait", "publish 3 --dry-run"} {
			got := run(t, nil, append([]string{"releases"}, strings.Fields(command)...)...)
			require.Equal(t, cli.ExitOK, got.exit)
			require.Equal(t, says, got.stderr, command)
		}
	}
}

func TestACalledOffScheduleIsNotListedAsInForce(t *testing.T) {
	p := newPress(t)
	p.all[0].LastActivation = &releasesv1.ReleaseActivation{Activation: 7, ActivateTime: timestamppb.New(releaseMoment.AsTime().AddDate(1, 0, 0)), Cancelled: true}
	for _, form := range []string{"table", "csv"} {
		require.NotContains(t, run(t, nil, "releases", "list", "-o", form).stdout, "2027")
	}
}

func TestEnginesOfOneHostAreToldApart(t *testing.T) {
	p := newPress(t)
	one, two, three := engine(engineOne, 7, serving, ""), engine(strings.Replace(engineTwo, "01a2", "77b2", 1), 7, serving, ""), engine(engineTwo, 7, serving, "")
	one.Event.Host, two.Event.Host = "vm", "vm"
	p.engines = [][]*releasesv1.ReleaseEngine{{one, two, three}}
	shown := run(t, nil, "releases", "show", "3").stdout
	require.Contains(t, shown, "\nvm (01a20000)  SERVING")
	require.Contains(t, shown, "\nvm (77b20000)  SERVING")
	require.Contains(t, shown, "\nengine-2       SERVING")
}

func TestAReleaseIsPublishedForLater(t *testing.T) {
	p := newPress(t)
	p.state = releasesv1.ReleaseState_RELEASE_STATE_SCHEDULED
	p.engines = [][]*releasesv1.ReleaseEngine{nil, {engine(engineOne, 6, prepared, "")}}
	got := run(t, nil, "releases", "publish", "3", "--yes", "--at", "2027-01-01T00:00:00Z")
	require.Equal(t, outcome{cli.ExitOK, "release 3 is scheduled for 2026-11-21T12:00:00Z in place of release 2, activation 7\nthe engine has it ready\n", ""}, got)
	require.EqualValues(t, 1_798_761_600, p.published[0].GetActivateTime().GetSeconds())
	require.Equal(t, cli.ExitUsage, run(t, nil, "releases", "publish", "3", "--yes", "--at", "tomorrow").exit)
}

func TestPublishingAsksFirst(t *testing.T) {
	p := newPress(t)
	got := run(t, strings.NewReader("y\n"), "releases", "publish", "latest")
	require.Equal(t, cli.ExitUsage, got.exit, "standard input is no terminal")
	require.Contains(t, got.stderr, "releases publish: nothing was changed: say --yes")
	require.Len(t, p.published, 1)
	require.True(t, p.published[0].GetValidateOnly(), "what the server would refuse is told before the question")

	got = run(t, strings.NewReader("y\n"), "releases", "rollback")
	require.Equal(t, cli.ExitUsage, got.exit)
	require.True(t, p.rolled[0].GetValidateOnly())

	got = run(t, nil, "releases", "publish", "latest", "--dry-run")
	require.Equal(t, outcome{cli.ExitOK, "release 3 would be in force at once in place of release 2: dry run, nothing was changed\n", ""}, got)
	require.True(t, p.published[1].GetValidateOnly())

	for reason, c := range map[string]struct {
		code connect.Code
		exit int
		says string
	}{
		"ALREADY_ACTIVE":      {connect.CodeFailedPrecondition, cli.ExitConflict, "`trunkline releases create` makes one of what was changed since"},
		"NO_SIGNING_KEY":      {connect.CodeFailedPrecondition, cli.ExitConflict, "`trunkline releases keygen` makes one"},
		"NOT_APPROVED":        {connect.CodeFailedPrecondition, cli.ExitConflict, "`trunkline releases approve NUMBER`"},
		"ALREADY_ROLLED_BACK": {connect.CodeFailedPrecondition, cli.ExitConflict, "`trunkline releases rollback NUMBER` goes to one"},
		"RELEASE_MOVED":       {connect.CodeAborted, cli.ExitConflict, "`trunkline releases diff` shows what would change now"},
		"ETAG_MISMATCH":       {connect.CodeAborted, cli.ExitConflict, "somebody changed it meanwhile"},
	} {
		p.fail = serverError(t, c.code, reason, "It cannot be.")
		got = run(t, nil, "releases", "publish", "latest")
		require.Equal(t, c.exit, got.exit)
		require.Contains(t, got.stderr, "publish the release: It cannot be ("+reason+"): ")
		require.Contains(t, got.stderr, c.says)
	}
}

func TestAReleaseIsTakenBack(t *testing.T) {
	p := newPress(t)
	back := engine(engineOne, 7, serving, "")
	back.Event.ServingReleaseId = releaseOne
	p.engines = [][]*releasesv1.ReleaseEngine{{back}}
	got := run(t, nil, "releases", "rollback", "--yes", "--reason", "complaints")
	require.Equal(t, outcome{cli.ExitOK, "release 1 is in force in place of release 2, activation 7\nthe engine serves it\n", ""}, got)
	require.Equal(t, []string{"", releaseTwo, "complaints"}, []string{p.rolled[0].GetReleaseId(), p.rolled[0].GetExpectedReleaseId(), p.rolled[0].GetReason()})
	require.Equal(t, cli.ExitOK, run(t, nil, "releases", "rollback", "1", "-y").exit)
	require.Equal(t, releaseOne, p.rolled[1].GetReleaseId())
}

func TestAReleaseIsApproved(t *testing.T) {
	p := newPress(t)
	got := run(t, nil, "releases", "approve", "3")
	require.Equal(t, outcome{cli.ExitOK, releaseThree + "  release 3: approved by bob\n", ""}, got)
	require.Equal(t, []string{releaseThree, "etag-3"}, []string{p.approved.GetReleaseId(), p.approved.GetEtag()})
	p.fail = serverError(t, connect.CodeFailedPrecondition, "SAME_ADMIN", "You made it.")
	got = run(t, nil, "releases", "approve", "3")
	require.Equal(t, cli.ExitConflict, got.exit)
	require.Contains(t, got.stderr, "show the credential of another admin")
}

func TestASigningKeyIsMadeOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "release.key")
	got := run(t, nil, "releases", "keygen", "--file", file)
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	seed, err := os.ReadFile(file)
	require.NoError(t, err)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	signer, err := release.NewSigner(config.NewSecret(strings.TrimSuffix(string(seed), "\n")))
	require.NoError(t, err)
	require.Equal(t, signer.PublicKey()+"\n", got.stdout)
	require.NotContains(t, got.stdout+got.stderr, strings.TrimSpace(string(seed)))

	got = run(t, nil, "releases", "keygen", "--file", file)
	require.Equal(t, cli.ExitConflict, got.exit)
	again, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, seed, again, "a key is never replaced")
	require.Equal(t, cli.ExitUsage, run(t, nil, "releases", "keygen").exit)
	require.Equal(t, cli.ExitFailed, run(t, nil, "releases", "keygen", "--file", filepath.Join(file, "x")).exit)
}
