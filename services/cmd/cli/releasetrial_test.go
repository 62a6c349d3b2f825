package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/cmd/cli"
)

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
