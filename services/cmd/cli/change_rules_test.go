package cli_test

import (
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/cmd/cli"
)

func TestARuleIsCreatedFromItsFlags(t *testing.T) {
	l := newLedger(t)
	l.findings = []*operatorsv1.RuleFinding{{Severity: operatorsv1.FindingSeverity_FINDING_SEVERITY_WARNING, Reason: "SHADOWED_RULE", Message: "Look.", Witness: "+4479123"}}
	got := run(t, nil, "rules", "create", "+4479", "--strategy", "weighted", "--candidate", "Nordlink Transit,weight=70,price=0.0125EUR",
		"--candidate", meridian+", priority=5", "--valid-from", "2027-01-01T00:00:00Z", "--types", "sms", "--owner", account, "--on-exhausted", "fall_through")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Equal(t, ruleID+"  +4479  global: created\n", got.stdout)
	require.Contains(t, got.stderr, "warning: SHADOWED_RULE: Look. (for example +4479123)")
	r := l.newRule.GetRule()
	require.Equal(t, "+4479", r.GetPrefix())
	require.Equal(t, account, r.GetAccountId())
	require.EqualValues(t, 70, r.GetCandidates()[0].GetWeight())
	require.EqualValues(t, 12_500_000, r.GetCandidates()[0].GetPrice().GetNanos())
	require.EqualValues(t, 1, r.GetCandidates()[0].GetPriority())
	require.EqualValues(t, 5, r.GetCandidates()[1].GetPriority())
	require.Nil(t, r.GetCandidates()[1].Weight, "not given means the default")
	require.NotNil(t, r.GetValidFrom())
	for _, wrong := range []string{"", ",weight=1", nordlink + ",weight=x", nordlink + ",price=EUR", nordlink + ",price=0.1eux", nordlink + ",colour=red"} {
		require.Equal(t, cli.ExitUsage, run(t, nil, "rules", "create", "+44", "--candidate", wrong).exit, wrong)
	}
	require.Equal(t, cli.ExitUsage, run(t, nil, "rules", "create", "+44", "--candidate", nordlink, "--valid-to", "tomorrow").exit)
}

func TestAConflictIsToldWithItsWitness(t *testing.T) {
	l := newLedger(t)
	l.fail = serverError(t, connect.CodeFailedPrecondition, "RULE_CONFLICT", "The rule conflicts.", &operatorsv1.RuleConflict{Findings: []*operatorsv1.RuleFinding{{
		Severity: operatorsv1.FindingSeverity_FINDING_SEVERITY_ERROR, Reason: "NO_RATE", Message: "Meridian has no price.", Witness: "+4479000",
	}}})
	got := run(t, nil, "rules", "create", "+4479", "--candidate", nordlink)
	require.Equal(t, cli.ExitConflict, got.exit)
	require.Contains(t, got.stderr, "RULE_CONFLICT")
	require.Contains(t, got.stderr, "\n  error: NO_RATE: Meridian has no price. (for example +4479000)\n")
}

func TestARuleIsShownChangedAndTakenAway(t *testing.T) {
	l := newLedger(t)
	golden(t, "rule.txt", run(t, nil, "rules", "get", ruleID).stdout)
	got := run(t, nil, "rules", "update", ruleID, "--active=false", "--description", "")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.ElementsMatch(t, []string{"active", "description"}, l.oldRule.GetUpdateMask().GetPaths())
	require.Equal(t, "r2", l.oldRule.GetRule().GetEtag())
	require.Equal(t, cli.ExitUsage, run(t, nil, "rules", "update", ruleID).exit)
	require.Equal(t, cli.ExitUsage, run(t, strings.NewReader(""), "rules", "delete", ruleID).exit)
	require.Nil(t, l.gone)
	require.Equal(t, outcome{cli.ExitOK, ruleID + "  +4479  global: deleted\n", ""}, run(t, nil, "rules", "delete", ruleID, "--yes"))
	require.Equal(t, "r2", l.gone.GetEtag())
	l.findings = []*operatorsv1.RuleFinding{{Severity: operatorsv1.FindingSeverity_FINDING_SEVERITY_WARNING, Reason: "NOTHING_TO_FALL_TO", Message: "Look.", Witness: "+4479123"}}
	require.Equal(t, outcome{cli.ExitOK, ruleID + "  +4479  global: dry run, nothing was stored: would be deleted\n",
		"warning: NOTHING_TO_FALL_TO: Look. (for example +4479123)\n"}, run(t, nil, "rules", "delete", ruleID, "--dry-run"))
	got = run(t, nil, "rules", "list", "--operator", nordlink, "--prefix", "+44", "--country", "GB", "--owner", account, "--search", "x")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Equal(t, []string{nordlink, "+44", "GB", account, "x"},
		[]string{l.listRule.GetOperatorId(), l.listRule.GetPrefix(), l.listRule.GetCountry(), l.listRule.GetAccountId(), l.listRule.GetSearch()})
}

func TestRulesAreCheckedWithAnExitCode(t *testing.T) {
	l := newLedger(t)
	require.Equal(t, outcome{cli.ExitOK, "0 errors, 0 warnings in 2 rules\n", ""}, run(t, nil, "rules", "check"))
	l.findings = []*operatorsv1.RuleFinding{{Severity: operatorsv1.FindingSeverity_FINDING_SEVERITY_ERROR, Reason: "OVERLAPPING_RULES", Message: "Two.", Line: 3}}
	got := run(t, strings.NewReader("file"), "rules", "check", "-")
	require.Equal(t, outcome{cli.ExitInvalid, "line 3: error: OVERLAPPING_RULES: Two.\n", "trunkline: check: 1 error, 0 warnings in 2 rules\n"}, got)
	require.Equal(t, "file", string(l.checked.GetCsv()))
}

func TestRulesAreListedWithTheirValidity(t *testing.T) {
	for _, c := range []struct {
		name, from, to, want string
	}{
		{"without bounds", "", "", "always"},
		{"from a day on", "2027-01-01T00:00:00Z", "", "2027-01-01.."},
		{"to a moment", "", "2027-02-01T12:30:00Z", "..2027-02-01T12:30:00Z"},
		{"between days", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z", "2027-01-01..2027-02-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLedger(t)
			l.rule.ValidFrom, l.rule.ValidTo = moment(t, c.from), moment(t, c.to)
			require.Contains(t, run(t, nil, "rules", "list").stdout, "  "+c.want+"  ")
		})
	}
}
