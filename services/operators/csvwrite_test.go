package operators_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// names are texts that a name may be, with those that spreadsheets and CSV treat
// specially among them.
func names() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[=+\-@'"]{0,3}[A-Za-z,;"'|=é]{1,20}`),
		rapid.SampledFrom([]string{"'", "''", "'='", "'=x", "''=x", "=cmd()", "+44", "-1", "@x", "a,b", `"`, `a"b`, "x'", "'x"}),
	)
}

func TestOperatorsSurviveWritingAndReading(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := make([]operators.Operator, 0)
		seen := map[string]bool{}
		for i := range rapid.IntRange(0, 5).Draw(t, "n") {
			o := operators.Operator{
				Name: names().Draw(t, "name"), Host: rapid.SampledFrom([]string{"a.example", "10.0.0.1", "2001:db8::1"}).Draw(t, "host"),
				Port: rapid.IntRange(1, 65535).Draw(t, "port"), SystemID: fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"=", "+", "'", "a,", `"`}).Draw(t, "id"), i),
				BindType: operators.BindType(rapid.IntRange(1, 3).Draw(t, "bind")), MaxTPS: rapid.IntRange(1, operators.MaxTPS).Draw(t, "tps"),
				MessageTypes: operators.MessageTypes(rapid.IntRange(1, 7).Draw(t, "types")), Status: operators.Status(rapid.IntRange(1, 3).Draw(t, "status")),
			}
			if o.Validate() != nil || seen[o.Name] {
				continue
			}
			seen[o.Name] = true
			want = append(want, o)
		}
		var file bytes.Buffer
		require.NoError(t, operators.WriteOperators(&file, want))
		lines, bad, err := operators.ParseOperators(&file, nil)
		require.NoError(t, err)
		require.Empty(t, findings(bad))
		got := make([]operators.Operator, 0)
		for _, line := range lines {
			got = append(got, line.Operator)
		}
		require.Equal(t, want, got)
	})
}

func TestRulesSurviveWritingAndReading(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []operators.Operator
		seen := map[string]bool{}
		for range rapid.IntRange(1, 4).Draw(t, "operators") {
			name := names().Draw(t, "name")
			if o := (operators.Operator{ID: uuid.New(), Name: name}); !seen[name] {
				seen[name] = true
				all = append(all, o)
			}
		}
		want := make([]operators.Rule, 0)
		for i := range rapid.IntRange(0, 4).Draw(t, "rules") {
			r := operators.Rule{
				Prefix: e164.Prefix(fmt.Sprintf("44%d", i)), Country: rapid.SampledFrom([]string{"", "GB"}).Draw(t, "country"),
				MessageTypes: operators.MessageTypes(rapid.IntRange(0, 7).Draw(t, "types")), Strategy: operators.Strategy(rapid.IntRange(1, 4).Draw(t, "strategy")),
				OnExhausted: operators.OnExhausted(rapid.IntRange(1, 2).Draw(t, "exhausted")), Active: true,
			}
			if rapid.Bool().Draw(t, "own") {
				r.Account = uuid.MustParse(account)
			}
			for j, o := range all {
				c := operators.Candidate{OperatorID: o.ID, OperatorName: o.Name, Priority: j + 1, Weight: rapid.IntRange(1, operators.MaxWeight).Draw(t, "weight")}
				if rapid.Bool().Draw(t, "priced") {
					c.Price = money.Money{Nanos: rapid.Int64Min(0).Draw(t, "nanos"), Currency: money.Currency{'E', 'U', 'R'}}
				}
				r.Candidates = append(r.Candidates, c)
			}
			want = append(want, r)
		}
		var file bytes.Buffer
		require.NoError(t, operators.WriteRules(&file, want))
		rules, bad, err := operators.ParseRules(&file, operators.Resolve(all), nil)
		require.NoError(t, err)
		require.Empty(t, findings(bad))
		got := make([]operators.Rule, 0)
		for _, rule := range rules {
			got = append(got, rule.Rule)
		}
		require.Equal(t, want, got)
	})
}

func TestNoCellOfAnExportRunsAsAFormula(t *testing.T) {
	var file bytes.Buffer
	o := validOperator()
	for _, name := range []string{"=1+1", "+1", "-1", "@SUM(A1)"} {
		o.Name, o.SystemID = name, name
		require.NoError(t, operators.WriteOperators(&file, []operators.Operator{o}))
	}
	for line := range strings.Lines(file.String()) {
		for cell := range strings.SplitSeq(strings.TrimSpace(line), ",") {
			require.NotContains(t, "=+-@", cell[:1], "%q", cell)
		}
	}
	file.Reset()
	require.NoError(t, operators.WriteRules(&file, []operators.Rule{{Prefix: "44", Candidates: []operators.Candidate{{OperatorName: "=x"}}}}))
	require.Contains(t, file.String(), ",'=x,")
	require.Contains(t, file.String(), "\n,+44,", "the prefix is left as it is")
}

func TestWritingFails(t *testing.T) {
	require.ErrorContains(t, operators.WriteRules(io.Discard, []operators.Rule{{}}), "has no candidates")
	broken := errors.New("broken")
	many := make([]operators.Operator, 1000)
	require.ErrorIs(t, operators.WriteOperators(failing{broken}, many), broken)
	rules := make([]operators.Rule, 1000)
	for i := range rules {
		rules[i] = validRule()
	}
	require.ErrorIs(t, operators.WriteRules(failing{broken}, rules), broken)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func FuzzParseOperators(f *testing.F) {
	f.Add([]byte(operatorHeader + "\nAlpha,a.example,2775,alpha,TRANSCEIVER,100,SMS|WAP,ACTIVE\n"))
	f.Add([]byte(operatorHeader + "\n\"'=a\nb\",x,1,\"\"\"\",RECEIVER,1,,\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		lines, bad, err := operators.ParseOperators(bytes.NewReader(file), nil)
		require.NoError(t, err)
		require.LessOrEqual(t, len(bad.List()), operators.MaxBadLines)
		var all []operators.Operator
		for _, line := range lines {
			if line.Status == 0 {
				line.Status = operators.Inactive
			}
			whole := line.Operator
			whole.BurstMultiplier, whole.EnforcementMode = operators.DefaultBurst, operators.HardReject
			require.NoError(t, whole.Validate(), "what is taken is valid")
			all = append(all, line.Operator)
		}
		var again bytes.Buffer
		require.NoError(t, operators.WriteOperators(&again, all))
		back, bad, err := operators.ParseOperators(&again, nil)
		require.NoError(t, err)
		require.Empty(t, bad.List())
		require.Len(t, back, len(all))
		for i := range back {
			require.Equal(t, all[i], back[i].Operator)
		}
	})
}

func FuzzParseRules(f *testing.F) {
	f.Add([]byte(ruleHeader + "\n,+44,GB,,PRIORITY,,Alpha,1,,0.01,EUR\n,+44,GB,,PRIORITY,,Beta,2,,,\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		rules, bad, err := operators.ParseRules(bytes.NewReader(file), known, nil)
		require.NoError(t, err)
		require.LessOrEqual(t, len(bad.List()), operators.MaxBadLines)
		for _, rule := range rules {
			require.NoError(t, rule.Validate(), "what is taken is valid")
		}
	})
}
