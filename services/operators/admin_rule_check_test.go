package operators_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

// told lists findings: line, reason and the prefix of the witness.
func told(findings []operators.Finding) (all []string) {
	for _, f := range findings {
		all = append(all, fmt.Sprintf("%d %s %s", f.Line, f.Reason, f.Witness.Raw()[:4]))
	}
	return all
}

func (d *ruleDesk) check(t *testing.T, file string) operators.CheckResult {
	t.Helper()
	before := d.state(t)
	result, err := d.rules.CheckRules(t.Context(), []byte(file))
	require.NoError(t, err)
	require.Equal(t, before, d.state(t))
	return result
}

// put stores rules past the checker.
func (d *ruleDesk) put(t *testing.T, texts ...string) {
	t.Helper()
	var rules []operators.Rule
	for i, text := range texts {
		rule := theRule(i, text)
		rule.Version, rule.CreatedAt, rule.UpdatedAt = 1, deskTime, deskTime
		rules = append(rules, rule)
	}
	d.in(t, func(ctx context.Context, tx operators.Tx) error { return tx.PutRules(ctx, rules, nil) })
}

func TestAllStoredRulesAreChecked(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		require.Equal(t, operators.CheckResult{}, d.check(t, ""))
		d.rates(t, "Alpha +33 SMS 0.01EUR", "Alpha +349 SMS 0.01USD", "Alpha +34 SMS 0.01EUR", "Beta +34 SMS 0.01EUR", "Gamma +37 SMS 0.01EUR to=-1h")
		d.put(t, "+31 SMS Alpha", "+31 SMS|FLASH of=A Beta", "+31 WAP|SMS of=A Beta", "+32 SMS Gone", "+33 SMS COST Alpha",
			"+34 SMS COST Alpha Beta", "+35 SMS COST Alpha@1EUR Beta@1USD", "+36 SMS fall Alpha", "+37 SMS COST Gamma", "+38 SMS off Alpha")
		result := d.check(t, "")
		require.Equal(t, []string{
			"0 OVERLAPPING_RULES +310", "0 UNKNOWN_OPERATOR +320", "0 MIXED_CURRENCIES +349", "0 MIXED_CURRENCIES +350", "0 NO_RATE +370",
			"0 RULE_WITHOUT_OPERATOR +320", "0 NOTHING_TO_FALL_TO +360",
		}, told(result.Findings))
		require.Equal(t, []int{5, 2, 10}, []int{result.Errors, result.Warnings, result.Rules})
		require.Equal(t, id(1003), result.Findings[1].Rules[0])
		require.Contains(t, result.Findings[1].Message, `names operator "Gone", which was deleted`)

		d.in(t, func(ctx context.Context, tx operators.Tx) error {
			return tx.ReplaceFX(ctx, operators.FX{eur: money.NanosPerUnit, usd: 900_000_000})
		})
		require.Equal(t, 3, d.check(t, "").Errors)
	})
}

func TestAFileIsCheckedOnTopOfTheStoredRules(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		d.rates(t, "Beta +33 SMS 0.01EUR")
		// The first two are in conflict, which is no matter of a file that does not touch them.
		d.put(t, "+31 SMS|FLASH Alpha", "+31 SMS Beta", "+32 SMS from=1h to=2h Alpha", "+33 SMS off Alpha", "+34 SMS COST Gamma")
		result := d.check(t, ruleHeader+"\n"+
			",+319,,SMS,PRIORITY,,Alpha,,,,\n"+ // shadows the rule of +31 with Beta
			",+32,,,PRIORITY,,Beta,,,,\n"+ // overlaps the one of +32, which is for one hour
			",+33,,SMS,COST,,Alpha,,,,\n"+ // replaces one that is switched off, and stays so
			",+33,,FLASH,COST,,Flashy,,,,\n"+ // has no rate
			",+331,,SMS,COST,,Beta,,,,\n")
		require.Equal(t, []string{"5 NO_RATE +330", "3 OVERLAPPING_RULES +320", "2 SHADOWED_RULE +319"}, sortedTold(result))
		require.Equal(t, []int{2, 1, 5}, []int{result.Errors, result.Warnings, result.Rules})
		overlap := result.Findings[0]
		require.Equal(t, []uuid.UUID{uuid.Nil, id(1002)}, overlap.Rules, "a rule that is not stored has no id")
		require.Contains(t, overlap.Message, "The global rule for +32 and the global rule for +32 (SMS)")

		result = d.check(t, ruleHeader+"\n,+32,,SMS,PRIORITY,,Nobody,,,,\n,0,,SMS,PRIORITY,,Alpha,,,,\n")
		require.EqualValues(t, 2, result.BadLineCount)
		require.Len(t, result.BadLines, 2)
		require.Zero(t, result.Report)

		_, err := d.rules.CheckRules(t.Context(), make([]byte, operators.MaxFileBytes+1))
		wantFault(t, err, fault.InvalidArgument, operators.ReasonFileTooLarge)
	})
}

// A file whose rules conflict with each other can be read, so the check tells more than that and shows it by a number.
func TestRulesOfOneFileThatOverlapAreTold(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		d.put(t, "+33 SMS off Alpha", "+35 FLASH Alpha", "+36 SMS Alpha")
		file := ruleHeader + "\n" +
			",+31,,SMS|WAP,PRIORITY,,Alpha,,,,\n" +
			",+32,,SMS,PRIORITY,,Alpha,,,,\n" +
			",+31,,,PRIORITY,,Beta,,,,\n" +
			",+33,,SMS,PRIORITY,,Alpha,,,,\n" + // replaces one that is switched off, and stays so
			",+33,,,PRIORITY,,Alpha,,,,\n" +
			accounts["A"].String() + ",+32,,SMS,PRIORITY,,Alpha,,,,\n" + // is another's
			",+35,,,PRIORITY,,Alpha,,,,\n" + // so that one that is stored has no line
			",+34,,FLASH,PRIORITY,,Flashy,,,,\n" +
			",+34,,SMS|FLASH,PRIORITY,,Alpha,,,,\n" +
			",+36,,SMS,PRIORITY,,Beta,,,,\n" + // is stored, the next is not
			",+36,,SMS|FLASH,PRIORITY,,Alpha,,,,\n"
		result := d.check(t, file)
		require.Equal(t, []string{
			"11 OVERLAPPING_RULES +360", "2 OVERLAPPING_RULES +310", "8 OVERLAPPING_RULES +350", "9 OVERLAPPING_RULES +340",
		}, overlaps(result.Findings))
		require.Equal(t, []int{4, 11}, []int{result.Errors, result.Rules})
		require.Zero(t, result.BadLineCount)
		require.Contains(t, result.Findings[0].Message, "The global rule for +31 (SMS, WAP) and the global rule for +31 in line 4 answer the same messages")
		require.Equal(t, []uuid.UUID{uuid.Nil, uuid.Nil}, result.Findings[0].Rules)

		before := d.state(t)
		imported, err := d.importer.ImportRules(t.Context(), someone, []byte(file), nil)
		require.NoError(t, err)
		require.False(t, imported.Applied)
		require.EqualValues(t, 4, imported.BadLineCount)
		for i, line := range []int64{2, 8, 9, 11} {
			require.Equal(t, line, imported.BadLines[i].Line)
			require.Equal(t, "message_types", imported.BadLines[i].Column)
		}
		require.Equal(t, "The global rule for +31 (SMS, WAP) and the global rule for +31 in line 4 answer the same messages: "+
			"narrow the message types or the validity of one, or delete it. Example: +31000000000.", imported.BadLines[0].Message)
		require.Equal(t, before, d.state(t))
	})
}

// overlaps lists the findings of two rules for one place, by line.
func overlaps(findings []operators.Finding) (all []string) {
	for _, one := range told(findings) {
		if strings.Contains(one, operators.FindingOverlap) {
			all = append(all, one)
		}
	}
	slices.Sort(all)
	return all
}

// Rates count for a rule of any strategy: they are what it costs.
func TestPricesAboveTheCeilingAreWarnedOf(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		d.rates(t, "Alpha +33 SMS 0.01EUR", "Alpha +337 SMS 0.2EUR")
		d.put(t, "+33 SMS Alpha", "+34 SMS Alpha@0.11EUR")
		require.Empty(t, d.check(t, "").Findings, "without a ceiling")
		d.rules = operators.NewRuleAdmin(d.store, wakeCounter{d.wakes}, d.clock.Now, thePrice("0.1EUR"))
		require.Equal(t, []string{"0 PRICE_ABOVE_CEILING +337", "0 PRICE_ABOVE_CEILING +340"}, told(d.check(t, "").Findings))
		require.Equal(t, []string{"2 PRICE_ABOVE_CEILING +337"}, told(d.check(t, ruleHeader+"\n,+337,,SMS,PRIORITY,,Alpha,,,,\n").Findings))
		_, warnings, err := d.rules.CreateRule(t.Context(), someone, theRule(0, "+337 SMS fall Alpha"))
		require.NoError(t, err)
		require.Equal(t, []string{"0 PRICE_ABOVE_CEILING +337"}, told(warnings))
		require.Contains(t, warnings[0].Message, "0.200000 EUR for SMS, above the ceiling of 0.100000 EUR")

		file := []byte(ruleHeader + "\n,+3371,,SMS,PRIORITY,,Alpha,,,,\n")
		imported, err := d.importer.ImportRules(t.Context(), dryRequest(), file, nil)
		require.NoError(t, err)
		require.Empty(t, imported.Warnings, "without a ceiling")
		importer := operators.NewImporter(d.store, wakeCounter{d.wakes}, d.clock.Now, slog.New(slog.DiscardHandler), thePrice("0.1EUR"))
		imported, err = importer.ImportRules(t.Context(), dryRequest(), file, nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, imported.WarningCount)
		require.Equal(t, operators.FindingAboveCeiling, imported.Warnings[0].Reason)
	})
}

// sortedTold puts findings in the order of their messages' first prefix, whatever their severity.
func sortedTold(result operators.CheckResult) []string {
	all := told(result.Findings)
	for i := range all {
		for j := i + 1; j < len(all); j++ {
			if all[j] > all[i] {
				all[i], all[j] = all[j], all[i]
			}
		}
	}
	return all
}

// slowStore holds snapshots back until it is let go.
type slowStore struct {
	operators.RuleStore
	entered int
	release chan struct{}
}

func (s *slowStore) Snapshot(context.Context, bool, time.Time, func(operators.Snapshot) error) error {
	s.entered++
	<-s.release
	return nil
}

func TestOneCheckRunsAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{release: make(chan struct{})}
		admin := operators.NewRuleAdmin(store, nil, time.Now, money.Money{})
		impatient, cancel := context.WithCancel(t.Context())
		results := make(chan error, 3)
		for _, ctx := range []context.Context{t.Context(), impatient, t.Context()} {
			go func() {
				_, err := admin.CheckRules(ctx, nil)
				results <- err
			}()
			synctest.Wait()
		}
		require.Equal(t, 1, store.entered)
		cancel()
		require.ErrorIs(t, <-results, context.Canceled)
		close(store.release)
		require.NoError(t, <-results)
		require.NoError(t, <-results)
		require.Equal(t, 2, store.entered)
	})
}

func TestAnImportIsRefusedForWhatTheCheckerFindsInIt(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		d.rates(t, "Alpha +33 SMS 0.01EUR", "Alpha +33 FLASH 0.01EUR")
		d.put(t, "+31 SMS Alpha", "+32 SMS Gone", "+33 FLASH fall COST Alpha", "+35 SMS Alpha")
		before := d.state(t)
		result, err := d.importer.ImportRules(t.Context(), someone, []byte(ruleHeader+"\n"+
			",+33,,SMS,COST,,Alpha,,,,\n"+
			",+31,,SMS|FLASH,PRIORITY,,Alpha,,,,\n"+
			",+34,,SMS,COST,,Alpha,1,,,\n"+
			",+34,,SMS,COST,,Beta,2,,,\n"+
			",+35,,SMS,COST,,Alpha,1,,0.01,EUR\n"+
			",+35,,SMS,COST,,Beta,2,,0.01,USD\n"), nil)
		require.NoError(t, err)
		require.False(t, result.Applied)
		require.EqualValues(t, 3, result.BadLineCount)
		require.Equal(t, before, d.state(t))
		var lines []string
		for _, line := range result.BadLines {
			lines = append(lines, fmt.Sprintf("%d %s %s", line.Line, line.Column, line.Message[strings.LastIndex(line.Message, " ")+1:]))
		}
		require.Equal(t, []string{"3 message_types +31000000000.", "4 price +34000000000.", "4 price +34000000000.", "6 currency +35000000000."}, lines)
	})
}

func TestAnImportTellsWarningsWithTheirLines(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		d.rates(t, "Alpha +331 SMS 0.01EUR")
		d.put(t, "+31 SMS Alpha", "+32 SMS Gone")
		result, err := d.importer.ImportRules(t.Context(), someone, []byte(ruleHeader+"\n"+
			",+319,,SMS,PRIORITY,,Beta,,,,\n"+
			",+33,,SMS,COST,FALL_THROUGH,Alpha,,,,\n"), nil)
		require.NoError(t, err)
		require.True(t, result.Applied)
		require.EqualValues(t, 3, result.WarningCount)
		var warnings []string
		for _, w := range result.Warnings {
			warnings = append(warnings, fmt.Sprintf("%d %s", w.Line, w.Reason))
		}
		require.ElementsMatch(t, []string{"2 SHADOWED_RULE", "3 NOTHING_TO_FALL_TO", "3 PARTIAL_RATE"}, warnings)
	})
}

func TestRulesAreListedByFilter(t *testing.T) {
	onRules(t, func(t *testing.T, d *ruleDesk) {
		country := func(text, code, description string) {
			rule := theRule(0, text)
			rule.Country, rule.Description = code, description
			_, _, err := d.rules.CreateRule(t.Context(), someone, rule)
			require.NoError(t, err)
		}
		country("+44 SMS Alpha", "GB", "Great Britain 100%")
		country("+44 FLASH Alpha", "GB", "")
		country("+447 Beta", "GB", "mobile_phones")
		country("+4479 of=A Beta Alpha", "GB", "")
		country("+45 of=A Beta", "DK", "Danmark")
		country("+45 of=B Gamma", "DK", "")
		country("+449999999999999 Gamma", "", "")
		gone := d.add(t, "+46 Alpha")
		require.NoError(t, d.drop(t, someone, operators.Target{ID: gone.ID}))
		for _, c := range []struct {
			name   string
			filter operators.RuleFilter
			want   []string
		}{
			{"all", operators.RuleFilter{}, []string{"+44 FLASH", "+44 SMS", "+447", "+4479", "+449999999999999", "+45", "+45"}},
			{"by operator", operators.RuleFilter{Operator: id(2)}, []string{"+447", "+4479", "+45"}},
			{"by the beginning of the prefix", operators.RuleFilter{Prefix: "447"}, []string{"+447", "+4479"}},
			{"by a prefix that longer ones end", operators.RuleFilter{Prefix: "44"}, []string{"+44 FLASH", "+44 SMS", "+447", "+4479", "+449999999999999"}},
			{"by country", operators.RuleFilter{Country: "DK"}, []string{"+45", "+45"}},
			{"by account", operators.RuleFilter{Account: accounts["A"]}, []string{"+4479", "+45"}},
			{"by text of the description", operators.RuleFilter{Search: "britain"}, []string{"+44 SMS"}},
			{"by text of the prefix", operators.RuleFilter{Search: "479"}, []string{"+4479"}},
			{"by text of the country", operators.RuleFilter{Search: "dk"}, []string{"+45", "+45"}},
			{"by a percent sign", operators.RuleFilter{Search: "0%"}, []string{"+44 SMS"}},
			{"by an underscore", operators.RuleFilter{Search: "e_p"}, []string{"+447"}},
			{"by an exclamation mark", operators.RuleFilter{Search: "!"}, nil},
			{"by several", operators.RuleFilter{Account: accounts["A"], Country: "GB", Operator: id(1), Prefix: "4", Search: "7"}, []string{"+4479"}},
			{"by an operator that no rule selects", operators.RuleFilter{Operator: uuid.New()}, nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				for _, size := range []int{1, 2, 1000} {
					c.filter.Limit = size
					require.Equal(t, c.want, d.list(t, c.filter))
				}
			})
		}
		for _, filter := range []operators.RuleFilter{{Limit: 0}, {Limit: 1001}, {Limit: 1, Search: strings.Repeat("x", 101)}, {Limit: 1, Search: "\xff"}} {
			_, _, _, err := d.rules.ListRules(t.Context(), filter)
			wantFault(t, err, fault.InvalidArgument, operators.ReasonInvalid)
		}
	})
}
