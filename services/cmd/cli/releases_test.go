package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/cmd/cli"
	"trunkline/services/platform/config"
	"trunkline/services/platform/release"
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
