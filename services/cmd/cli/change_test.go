package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/cmd/cli"
)

func TestAnOperatorIsCreatedWithAPasswordFromAFileOrStandardInput(t *testing.T) {
	l := newLedger(t)
	args := []string{"operators", "create", "--name", "Nordlink Transit", "--host", "smpp.nordlink.example", "--system-id", "nl", "--max-tps", "100", "--types", "sms,wap", "--bind-type", "Transmitter"}
	got := run(t, nil, append(args, "--password-file", secretFile(t, "geheim \r\n"))...)
	require.Equal(t, outcome{cli.ExitOK, nordlink + "  Nordlink Transit  ACTIVE, version 4: created\n", ""}, got)
	require.Equal(t, "geheim ", l.created.GetPassword(), "only the line end is taken off")
	require.NotEmpty(t, l.created.GetRequestId())
	require.Equal(t, operatorsv1.BindType_BIND_TYPE_TRANSMITTER, l.created.GetOperator().GetBindType())
	require.EqualValues(t, 2775, l.created.GetOperator().GetPort())
	require.Len(t, l.created.GetOperator().GetMessageTypes(), 2)
	first := l.created.GetRequestId()

	got = run(t, strings.NewReader("geheim\n"), append(args, "--password-file", "-", "--dry-run", "-o", "json")...)
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Equal(t, "geheim", l.created.GetPassword())
	require.True(t, l.created.GetValidateOnly())
	require.NotEqual(t, first, l.created.GetRequestId(), "each run is a request of its own")
	require.Contains(t, got.stdout, `"operatorId": "`+nordlink+`"`)

	require.Equal(t, cli.ExitOK, run(t, nil, append(args, "--no-password")...).exit)
	require.Empty(t, l.created.GetPassword())
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"without a terminal":      {args, "--password-file"},
		"an empty file":           {append(args, "--password-file", secretFile(t, "\n")), "1 to 64 characters"},
		"a file that is too long": {append(args, "--password-file", secretFile(t, strings.Repeat("x", 65))), "1 to 64 characters"},
		"an unknown type":         {append(args, "--no-password", "--types", "fax"), "choose sms, flash or wap"},
		"an unknown bind type":    {append(args, "--no-password", "--bind-type", "both"), "choose transceiver, transmitter or receiver"},
		"an unknown mode":         {append(args, "--no-password", "--enforcement", "x"), "choose hard_reject or soft_throttle"},
	} {
		got := run(t, strings.NewReader("x"), c.args...)
		require.Equal(t, cli.ExitUsage, got.exit, name)
		require.Contains(t, got.stderr, c.says, name)
	}
	l.fail = serverError(t, connect.CodeAlreadyExists, "DUPLICATE_OPERATOR", "The operator exists.")
	got = run(t, nil, append(args, "--no-password")...)
	require.Equal(t, cli.ExitConflict, got.exit)
	require.Contains(t, got.stderr, "DUPLICATE_OPERATOR")
}

func TestOnlyFlagsThatAreGivenChangeAnOperator(t *testing.T) {
	l := newLedger(t)
	l.warnings = []*operatorsv1.OperatorWarning{{Reason: "RULE_WITHOUT_OPERATOR", Message: "The rule +44 has nobody.", Witness: "+44123"}}
	got := run(t, nil, "operators", "update", "Nordlink Transit", "--max-tps", "7", "--backup", meridian)
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.ElementsMatch(t, []string{"tps_limit.max_tps", "backup_operator_id"}, l.updated.GetUpdateMask().GetPaths())
	require.Equal(t, []string{nordlink, "e4", meridian}, []string{l.updated.GetOperator().GetOperatorId(), l.updated.GetOperator().GetEtag(), l.updated.GetOperator().GetBackupOperatorId()})
	require.Equal(t, "Nordlink Transit", l.listed.GetSearch())
	require.Contains(t, got.stderr, "warning: The rule +44 has nobody. (try: trunkline routes explain +44123)")
	require.Equal(t, cli.ExitUsage, run(t, nil, "operators", "update", "Nordlink Transit").exit)
	got = run(t, nil, "operators", "update", "Nobody", "--max-tps", "7")
	require.Equal(t, cli.ExitNotFound, got.exit)
	require.Contains(t, got.stderr, "no live operator has this name")
}

func TestTakingTrafficAwayIsAskedForFirst(t *testing.T) {
	l := newLedger(t)
	l.warnings = []*operatorsv1.OperatorWarning{{Message: "The rule +44 has nobody."}}
	got := run(t, strings.NewReader("y\n"), "operators", "suspend", nordlink)
	require.Equal(t, cli.ExitUsage, got.exit, "standard input is no terminal")
	require.Contains(t, got.stderr, "--yes")
	require.Contains(t, got.stderr, "The rule +44 has nobody.", "what it would leave behind is shown all the same")
	require.Equal(t, []string{"suspend " + nordlink + " e4 dry"}, l.calls)

	l.calls = nil
	for _, c := range [][]string{
		{"suspend", nordlink, "--yes"}, {"suspend", nordlink, "--dry-run"}, {"activate", nordlink}, {"deactivate", "Nordlink Transit", "-y"}, {"delete", nordlink, "--yes"},
	} {
		got := run(t, nil, append([]string{"operators"}, c...)...)
		require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	}
	require.Equal(t, []string{"suspend " + nordlink + " e4", "suspend " + nordlink + " e4 dry", "activate", "deactivate", "delete"}, l.calls)
}

func TestAPasswordIsRotatedAndNeverShown(t *testing.T) {
	l := newLedger(t)
	got := run(t, nil, "operators", "rotate-credentials", "Nordlink Transit", "--password-file", secretFile(t, "neu"))
	require.Equal(t, outcome{cli.ExitOK, nordlink + "  Nordlink Transit  ACTIVE, version 4: new password in force\n", ""}, got)
	require.Equal(t, []string{"neu", "e4"}, []string{l.rotated.GetPassword(), l.rotated.GetEtag()})
}

func TestAnOperatorAndItsHealthAreShown(t *testing.T) {
	l := newLedger(t)
	l.fresh = &operatorsv1.Freshness{Stale: true, Age: durationpb.New(5 * time.Second)}
	got := run(t, nil, "operators", "get", nordlink)
	require.Equal(t, cli.ExitOK, got.exit)
	golden(t, "operator.txt", got.stdout)
	require.Contains(t, got.stderr, "may be 5s old")
	got = run(t, nil, "operators", "health", "Nordlink Transit")
	golden(t, "operator-health.txt", got.stdout)
	got = run(t, nil, "operators", "transitions", nordlink, "-o", "csv")
	golden(t, "transitions.csv", got.stdout)
	require.Equal(t, cli.ExitUsage, run(t, nil, "operators", "transitions", "--limit", "-1").exit)
	got = run(t, nil, "operators", "list", "--status", "active,suspended", "--search", "nord", "--deleted")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Len(t, l.listed.GetStatuses(), 2)
	require.Empty(t, l.listed.GetBindStates())
	require.True(t, l.listed.GetShowDeleted())
	require.Equal(t, cli.ExitUsage, run(t, nil, "operators", "list", "--status", "asleep").exit)
	got = run(t, nil, "operators", "list", "--bind-state", "unbound,Unknown")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Equal(t, []eventsv1.BindState{eventsv1.BindState_BIND_STATE_UNBOUND, eventsv1.BindState_BIND_STATE_UNSPECIFIED}, l.listed.GetBindStates())
	require.Equal(t, cli.ExitUsage, run(t, nil, "operators", "list", "--bind-state", "asleep").exit)
	l.byHand = true
	require.Contains(t, run(t, nil, "operators", "health", nordlink).stdout, " by hand\n")
}

func TestADeckIsImportedAndItsChangesShown(t *testing.T) {
	l := newLedger(t)
	l.diff = &operatorsv1.RateDiff{
		NewCount: 1, RaisedCount: 1, UnchangedCount: 3, CurrencyCount: 1, ConfigVersion: 9, Applied: true,
		Changes: []*operatorsv1.RateChange{{
			Kind: operatorsv1.RateChangeKind_RATE_CHANGE_KIND_RAISED, Prefix: "+44", MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS,
			Before: eur(10_000_000), After: eur(12_500_000), EffectiveFrom: timestamppb.New(time.Unix(1_800_000_000, 0)),
		}},
	}
	deck := filepath.Join(t.TempDir(), "deck.csv")
	require.NoError(t, os.WriteFile(deck, []byte("prices"), 0o600))
	args := []string{"rates", "import", deck, "--operator", "Nordlink Transit", "--scope", "full"}
	got := run(t, nil, append(args, "--column", "prefix=Dial code", "--column", "country_code=", "--currency", "eur", "--effective", "2027-01-01T00:00:00Z")...)
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	golden(t, "rates-import.txt", got.stdout)
	require.Equal(t, "prices", string(l.deck.GetDeck()))
	require.Equal(t, map[string]string{"prefix": "Dial code", "country_code": ""}, l.deck.GetColumns())
	require.Equal(t, []string{nordlink, "EUR"}, []string{l.deck.GetOperatorId(), l.deck.GetDefaultCurrency()})

	l.diff = &operatorsv1.RateDiff{BadLineCount: 1, BadLines: []*operatorsv1.BadLine{{Line: 4, Column: "price", Message: "must be a price"}}, Headers: []string{"Code", "Rate"}}
	got = run(t, nil, append(args, "--dry-run")...)
	require.Equal(t, cli.ExitInvalid, got.exit)
	require.Contains(t, got.stderr, ":4: price: must be a price\n")
	require.Contains(t, got.stderr, "the deck's columns are Code, Rate")
	l.diff = nil
	l.fail = serverError(t, connect.CodeNotFound, "NO_SUCH_OPERATOR", "No.")
	require.Equal(t, cli.ExitNotFound, run(t, nil, args...).exit)
	for _, wrong := range [][]string{
		{"rates", "import", deck, "--scope", "full"}, {"rates", "import", deck, "--operator", nordlink}, append(args, "--column", "x"), append(args, "--column", "=x"),
		append(args, "--column", "prefix=A", "--column", "prefix=B"), append(args, "--type", "fax"), append(args, "--effective", "now"),
	} {
		require.Equal(t, cli.ExitUsage, run(t, nil, wrong...).exit, wrong)
	}
}

func TestRatesAreListedAndExported(t *testing.T) {
	l := newLedger(t)
	golden(t, "rates.txt", run(t, nil, "rates", "list", "--operator", nordlink, "--prefix", "+4", "--at", "2027-01-01T00:00:00Z").stdout)
	require.Equal(t, []string{nordlink, "+4"}, []string{l.rates.GetOperatorId(), l.rates.GetPrefix()})
	require.NotNil(t, l.rates.GetInForceAt())
	golden(t, "rates.csv", run(t, nil, "rates", "export", "--operator", nordlink).stdout)
	require.Equal(t, cli.ExitUsage, run(t, nil, "rates", "export").exit)
	require.Equal(t, "CURRENCY  WORTH\nEUR       1\nUSD       0.92\n", run(t, nil, "rates", "fx", "list").stdout)
	require.Equal(t, "currency,worth\nEUR,1\nUSD,0.92\n", run(t, nil, "rates", "fx", "list", "-o", "csv").stdout)
	require.Equal(t, outcome{cli.ExitOK, "2 currencies: stored\n", ""}, run(t, nil, "rates", "fx", "set", "eur=1", "USD=0.92", "--yes"))
	require.EqualValues(t, 920_000_000, l.fx.GetFxRates()[1].GetRateNanos())
	l.findings = []*operatorsv1.RuleFinding{{Severity: operatorsv1.FindingSeverity_FINDING_SEVERITY_WARNING, Reason: "MIXED_CURRENCIES", Message: "Look."}}
	require.Equal(t, outcome{cli.ExitOK, "1 currency: dry run, nothing was stored: would be stored\n",
		"warning: MIXED_CURRENCIES: Look.\nwarning: 2 warnings in all: `trunkline rules check` tells of every rule\n"}, run(t, nil, "rates", "fx", "set", "EUR=1", "--dry-run"))
	require.Equal(t, cli.ExitUsage, run(t, strings.NewReader(""), "rates", "fx", "set", "EUR=1").exit, "nobody said yes")
	require.Equal(t, cli.ExitUsage, run(t, nil, "rates", "fx", "set", "EUR=one", "-y").exit)
}

func TestTheOutboxIsTold(t *testing.T) {
	l := newLedger(t)
	golden(t, "outbox.txt", run(t, nil, "outbox", "status").stdout)
	require.Contains(t, run(t, nil, "outbox", "status", "-o", "json").stdout, `"pendingPublish": "2"`)
	l.outbox = &operatorsv1.GetOutboxStatusResponse{}
	require.JSONEq(t, `{"pending": "0", "pendingPublish": "0", "published": "0", "lastError": ""}`, run(t, nil, "outbox", "status", "-o", "json").stdout)
}

func TestAnUpdateWithoutADifferenceSaysSo(t *testing.T) {
	l := newLedger(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"operators", "update", nordlink, "--max-tps", "300"}, nordlink + "  Nordlink Transit  ACTIVE, version 5: updated\n"},
		{[]string{"rules", "update", ruleID, "--country", "GB"}, ruleID + "  +4479  global: updated\n"},
	} {
		l.same = false
		require.Equal(t, outcome{cli.ExitOK, c.want, ""}, run(t, nil, c.args...))
		l.same = true
		got := run(t, nil, c.args...)
		require.Equal(t, cli.ExitOK, got.exit, got.stderr)
		require.Contains(t, got.stdout, ": unchanged\n")
		require.Contains(t, run(t, nil, append(c.args, "--dry-run")...).stdout, "would be unchanged\n")
	}
}

func TestAListTellsWhatIsOldAndWhatIsDeleted(t *testing.T) {
	l := newLedger(t)
	l.fresh = &operatorsv1.Freshness{Stale: true, Age: durationpb.New(5 * time.Second)}
	got := run(t, nil, "operators", "list", "--deleted")
	require.Equal(t, cli.ExitOK, got.exit, got.stderr)
	require.Contains(t, got.stderr, "may be 5s old")
	require.Regexp(t, `(?m)^Former Transit +DELETED `, got.stdout)
	require.Regexp(t, `(?m)^Nordlink Transit +ACTIVE `, got.stdout)
	got = run(t, nil, "operators", "list", "--deleted", "-o", "csv")
	require.Contains(t, got.stderr, "1 of the operators is deleted, which the file cannot say")
}
