package cli_test

import (
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/cmd/cli"
)

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
