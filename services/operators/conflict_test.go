package operators_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/operators/demo"
)

var update = flag.Bool("update", false, "write the golden files anew")

// seeded is a defect that Check must find, or a set that only looks like one.
type seeded struct {
	name  string
	rules []string
	rates []string
	// change makes other changes to the set.
	change func(*operators.RuleSet)
	// want holds what is found: severity, reason, the numbers of the rules, the operator.
	want []string
}

var defects = []seeded{
	// Overlaps.
	{"two global rules for one prefix and all types", []string{"+44 Alpha", "+44 Beta"}, nil, nil, []string{"ERROR OVERLAPPING_RULES 0,1"}},
	{"two rules of one account", []string{"+44 of=A Alpha", "+44 of=A Beta"}, nil, nil, []string{"ERROR OVERLAPPING_RULES 0,1"}},
	{"some types overlap all", []string{"+44 Alpha", "+44 FLASH Beta"}, nil, nil, []string{"ERROR OVERLAPPING_RULES 0,1"}},
	{"some types overlap others", []string{"+44 SMS|FLASH Alpha", "+44 FLASH|WAP Alpha"}, nil, nil, []string{"ERROR OVERLAPPING_RULES 0,1"}},
	{"different types do not overlap", []string{"+44 SMS Alpha", "+44 FLASH Beta"}, nil, nil, nil},
	{"an account's rule beside the global one does not overlap it", []string{"+44 Alpha", "+44 of=A Beta"}, nil, nil, nil},
	{"rules of two accounts do not overlap", []string{"+44 of=A Alpha", "+44 of=B Beta"}, nil, nil, nil},
	{"validities that touch do not overlap", []string{"+44 to=2h Alpha", "+44 from=2h Beta"}, nil, nil, nil},
	{"validities that share a moment overlap", []string{"+44 to=3h Alpha", "+44 from=2h Beta"}, nil, nil, []string{"ERROR OVERLAPPING_RULES 0,1"}},
	{"a rule that is switched off does not overlap", []string{"+44 Alpha", "+44 off Beta"}, nil, nil, nil},
	{"validities that only shared time before now do not overlap", []string{"+44 Alpha", "+44 to=-1h Beta"}, nil, nil, nil},
	{"the overlap with the one that lasts longest is found behind a short one", []string{
		"+44 from=1h to=20h Alpha", "+44 from=2h to=3h Alpha", "+44 from=10h to=11h Alpha",
	}, nil, nil, []string{"ERROR OVERLAPPING_RULES 0,1", "ERROR OVERLAPPING_RULES 0,2"}},

	// A rule alone.
	{"the same operator twice", []string{"+44 Alpha Beta Alpha"}, nil, nil, []string{"ERROR DUPLICATE_CANDIDATE 0 Alpha"}},
	{"equal priorities under PRIORITY", []string{"+44 PRIORITY Alpha/1 Beta/2 Gamma/1"}, nil, nil, []string{"ERROR EQUAL_PRIORITIES 0 Gamma"}},
	{"equal priorities under FAILOVER", []string{"+44 FAILOVER Alpha/2 Beta/2"}, nil, nil, []string{"ERROR EQUAL_PRIORITIES 0 Beta"}},
	{"equal priorities under WEIGHTED mean nothing", []string{"+44 WEIGHTED Alpha/1 Beta/1"}, nil, nil, nil},
	{"no weight under WEIGHTED", []string{"+44 WEIGHTED Alpha/1/0 Beta/2/0"}, nil, nil, []string{"ERROR ZERO_WEIGHTS 0"}},
	{"one weight under WEIGHTED is enough", []string{"+44 WEIGHTED Alpha/1/0 Beta/2/1"}, nil, nil, nil},
	{"what is wrong with a rule alone shows when it is switched off", []string{"+44 off Alpha/1 Beta/1"}, nil, nil, []string{"ERROR EQUAL_PRIORITIES 0 Beta"}},

	// Operators.
	{"a deleted operator", []string{"+44 Alpha Gone"}, nil, nil, []string{"ERROR UNKNOWN_OPERATOR 0 Gone"}},
	{"an operator that never was", []string{"+44 Alpha Nobody"}, nil, nil, []string{"ERROR UNKNOWN_OPERATOR 0 Nobody"}},
	{"a rule that is switched off may name an operator that is gone", []string{"+44 off Gone"}, nil, nil, nil},
	{"no operator is active", []string{"+44 Sleeper"}, nil, nil, []string{"WARNING RULE_WITHOUT_OPERATOR 0"}},
	{"the only operator receives", []string{"+44 Listener"}, nil, nil, []string{"WARNING RULE_WITHOUT_OPERATOR 0"}},
	{"the only operator does not carry the type", []string{"+44 SMS Flashy"}, nil, nil, []string{"WARNING RULE_WITHOUT_OPERATOR 0"}},
	{"one usable operator is enough", []string{"+44 Sleeper Listener Flashy"}, nil, nil, nil},

	// Prices.
	{"no rate and no price under COST", []string{"+44 SMS COST Alpha Beta@0.01EUR"}, nil, nil, []string{"ERROR NO_RATE 0 Alpha"}},
	{"no rate and no price under PRIORITY", []string{"+44 SMS PRIORITY Alpha Beta@0.01EUR"}, nil, nil, nil},
	{"the rate of a shorter prefix counts", []string{"+447 SMS COST Alpha"}, []string{"Alpha +44 SMS 0.01EUR"}, nil, nil},
	{"the rate of the prefix counts", []string{"+44 SMS COST Alpha"}, []string{"Alpha +44 SMS 0.01EUR"}, nil, nil},
	{"a price of zero is a price", []string{"+44 SMS COST Alpha@0EUR Beta"}, []string{"Beta +44 SMS 0EUR"}, nil, nil},
	{"another operator's rate does not count", []string{"+44 SMS COST Alpha"}, []string{"Beta +44 SMS 0.01EUR"}, nil, []string{"ERROR NO_RATE 0 Alpha"}},
	{"a rate beside the prefix does not count", []string{"+44 SMS COST Alpha"}, []string{"Alpha +45 SMS 0.01EUR"}, nil, []string{"ERROR NO_RATE 0 Alpha"}},
	{"a rate for another type does not count", []string{"+44 SMS COST Alpha"}, []string{"Alpha +44 FLASH 0.01EUR"}, nil, []string{"ERROR NO_RATE 0 Alpha"}},
	{"a rate that ended does not count", []string{"+44 SMS COST Alpha"}, []string{"Alpha +44 SMS 0.01EUR to=-1h"}, nil, []string{"ERROR NO_RATE 0 Alpha"}},
	{"a rate that has not begun does not count", []string{"+44 SMS COST Alpha"}, []string{"Alpha +44 SMS 0.01EUR from=1h"}, nil, []string{"ERROR NO_RATE 0 Alpha"}},
	{"a shorter one counts until it begins", []string{"+44 SMS COST Alpha"}, []string{"Alpha +44 SMS 0.01EUR from=1h", "Alpha +4 SMS 0.02EUR"}, nil, nil},
	{"the rate of a shorter prefix counts until that of a longer one begins", []string{"+44 SMS COST Alpha Beta"},
		[]string{"Alpha +44 SMS 0.01EUR", "Beta +44 SMS 0.01EUR", "Alpha +447 SMS 0.01USD from=1h"}, nil, nil},
	{"it counts for a rule that begins later", []string{"+44 SMS COST from=2h Alpha"}, []string{"Alpha +44 SMS 0.01EUR from=1h"}, nil, nil},
	{"it counts for a rule that has numbers only later", join([]string{"+44 SMS COST Alpha"}, tenFold("+44 SMS to=2h COST Alpha@0.01EUR")),
		[]string{"Alpha +44 SMS 0.01EUR from=1h"}, nil, nil},
	{"types that the operator does not carry need no rate", []string{"+44 COST Alpha"}, []string{"Alpha +44 SMS 0.01EUR", "Alpha +44 FLASH 0.01EUR"}, nil, nil},
	{"an operator that carries no type of the rule needs no rate", []string{"+44 SMS COST Flashy Listener Alpha@1EUR"}, nil, nil, nil},
	{"no rate for one of the types", []string{"+44 COST Alpha"}, []string{"Alpha +44 SMS 0.01EUR"}, nil, []string{"WARNING PARTIAL_RATE 0 Alpha"}},
	{"a rate of a longer prefix counts for a part", []string{"+44 SMS COST Alpha"}, []string{"Alpha +447 SMS 0.01EUR"}, nil, []string{"WARNING PARTIAL_RATE 0 Alpha"}},
	{"rates of all longer prefixes count for all", []string{"+44 SMS COST Alpha"},
		join([]string{"Alpha +4499 SMS 0.02EUR"}, rates(tenFold("+44 SMS 0.01EUR"))), nil, nil},
	{"a longer rule takes the numbers without a rate", []string{"+44 SMS COST Alpha", "+449 SMS COST Alpha@0.01EUR"},
		rates(tenFold("+44 SMS 0.01EUR")[:9]), nil, nil},
	{"a longer rule that falls through does not take them", []string{"+44 SMS COST Alpha", "+449 SMS COST fall Alpha@0.01EUR"},
		rates(tenFold("+44 SMS 0.01EUR")[:9]), nil, []string{"WARNING PARTIAL_RATE 0 Alpha"}},
	{"a longer rule takes the only numbers with a rate", []string{"+44 SMS COST Alpha", "+447 SMS COST Alpha"},
		[]string{"Alpha +447 SMS 0.01EUR"}, nil, []string{"ERROR NO_RATE 0 Alpha"}},
	{"a global rule takes the only numbers with a rate from an account", []string{"+44 of=A SMS COST Alpha", "+447 SMS COST Alpha"},
		[]string{"Alpha +447 SMS 0.01EUR"}, nil, []string{"ERROR NO_RATE 0 Alpha"}},
	{"an account's rule takes nothing from everyone else", []string{"+44 SMS COST Alpha", "+447 of=A SMS COST Alpha"},
		[]string{"Alpha +447 SMS 0.01EUR"}, nil, []string{"WARNING PARTIAL_RATE 0 Alpha"}},
	{"two currencies of which one has no FX rate", []string{"+44 SMS COST Alpha@0.01EUR Beta@0.01USD"}, nil, nil, []string{"ERROR MIXED_CURRENCIES 0"}},
	{"two currencies with FX rates", []string{"+44 SMS COST Alpha@0.01EUR Beta@0.01USD"}, nil,
		func(s *operators.RuleSet) { s.FX[usd] = 900_000_000 }, nil},
	{"one currency needs no FX rate", []string{"+44 SMS COST Alpha@0.01USD Beta@0.02USD"}, nil, nil, nil},
	{"two currencies under PRIORITY", []string{"+44 SMS PRIORITY Alpha@0.01EUR Beta@0.01USD"}, nil, nil, nil},
	{"a price and a rate in two currencies", []string{"+44 SMS COST Alpha@0.01EUR Beta"}, []string{"Beta +4 SMS 0.01USD"}, nil, []string{"ERROR MIXED_CURRENCIES 0"}},
	{"the rate of a longer prefix is in another currency", []string{"+44 SMS COST Alpha Beta"},
		[]string{"Alpha +44 SMS 0.01EUR", "Beta +44 SMS 0.01EUR", "Beta +4479 SMS 0.01USD"}, nil, []string{"ERROR MIXED_CURRENCIES 0"}},
	{"both rates of a longer prefix are in another currency", []string{"+44 SMS COST Alpha Beta"},
		[]string{"Alpha +44 SMS 0.01EUR", "Beta +44 SMS 0.01EUR", "Beta +4479 SMS 0.01USD", "Alpha +4479 SMS 0.01USD"}, nil, nil},
	{"a longer rule takes the numbers that are dear in another currency", []string{"+44 SMS COST Alpha Beta", "+447 SMS COST Alpha Beta/2@0EUR"},
		[]string{"Alpha +44 SMS 0.01EUR", "Beta +44 SMS 0.01EUR", "Beta +4479 SMS 0.01USD"}, nil, nil},
	{"two currencies for different types", []string{"+44 COST Alpha Beta"},
		[]string{"Alpha +44 SMS 0.01EUR", "Beta +44 SMS 0.01EUR", "Alpha +44 FLASH 0.01USD", "Beta +44 FLASH 0.01USD"}, nil, nil},
	{"of two rates in force the later one counts", []string{"+44 SMS COST Alpha@0.01EUR Beta"},
		[]string{"Beta +44 SMS 0.01USD from=-3h", "Beta +44 SMS 0.01EUR from=-2h"}, nil, nil},
	{"a price above the ceiling", []string{"+44 SMS Alpha@0.02EUR Beta@0.01EUR"}, nil, ceiling("0.015EUR"), []string{"WARNING PRICE_ABOVE_CEILING 0 Alpha"}},
	{"two currencies under PRIORITY with a ceiling", []string{"+44 SMS Alpha@0.01EUR Beta/2@0.01USD"}, nil, ceiling("0.02EUR"), nil},
	{"no rate under PRIORITY with a ceiling", []string{"+44 SMS Alpha"}, []string{"Alpha +4470 SMS 0.01EUR"}, ceiling("0.02EUR"), nil},
	{"a price at the ceiling", []string{"+44 SMS Alpha@0.02EUR"}, nil, ceiling("0.02EUR"), nil},
	{"the rate of a longer prefix is above the ceiling", []string{"+44 SMS Alpha"}, []string{"Alpha +44 SMS 0.01EUR", "Alpha +4470 SMS 0.5EUR"},
		ceiling("0.015EUR"), []string{"WARNING PRICE_ABOVE_CEILING 0 Alpha"}},
	{"a longer rule takes the numbers above the ceiling", []string{"+44 SMS Alpha", "+4470 SMS Alpha@0.01EUR"},
		[]string{"Alpha +44 SMS 0.01EUR", "Alpha +4470 SMS 0.5EUR"}, ceiling("0.015EUR"), nil},
	{"a price above the ceiling in another currency", []string{"+44 SMS Alpha@0.02USD"}, nil,
		func(s *operators.RuleSet) { s.FX[usd] = 900_000_000; s.Ceiling = thePrice("0.0179EUR") }, []string{"WARNING PRICE_ABOVE_CEILING 0 Alpha"}},
	{"a price below the ceiling in another currency", []string{"+44 SMS Alpha@0.02USD"}, nil,
		func(s *operators.RuleSet) { s.FX[usd] = 900_000_000; s.Ceiling = thePrice("0.0181EUR") }, nil},
	{"a price far above the ceiling in another currency", []string{"+44 SMS Alpha@9000000000USD"}, nil,
		func(s *operators.RuleSet) { s.FX[usd] = 900_000_000; s.Ceiling = thePrice("8000000000EUR") }, []string{"WARNING PRICE_ABOVE_CEILING 0 Alpha"}},
	{"a price far below the ceiling in another currency", []string{"+44 SMS Alpha@8000000000USD"}, nil,
		func(s *operators.RuleSet) { s.FX[usd] = 900_000_000; s.Ceiling = thePrice("9000000000EUR") }, nil},
	{"a price that cannot be compared with the ceiling", []string{"+44 SMS Alpha@5USD"}, nil, ceiling("0.01EUR"), nil},

	// Prefixes.
	{"a longer prefix with other operators", []string{"+44 Alpha", "+447 Beta"}, nil, nil, []string{"WARNING SHADOWED_RULE 1,0"}},
	{"a longer prefix with the same operators", []string{"+44 Alpha Beta", "+447 Beta Alpha"}, nil, nil, nil},
	{"a longer prefix for another type", []string{"+44 SMS Alpha", "+447 FLASH Beta"}, nil, nil, nil},
	{"a longer prefix at another time", []string{"+44 to=1h Alpha", "+447 from=1h Beta"}, nil, nil, nil},
	{"only the nearest shorter prefix is told of", []string{"+4 Beta", "+44 Alpha", "+447 Beta"}, nil, nil,
		[]string{"WARNING SHADOWED_RULE 1,0", "WARNING SHADOWED_RULE 2,1"}},
	{"a shorter prefix for another type is passed over", []string{"+4 Alpha", "+44 FLASH Alpha", "+447 SMS Beta"}, nil, nil, []string{"WARNING SHADOWED_RULE 2,0"}},
	{"another rule of the longer prefix is for another type", []string{"+44 Alpha", "+447 SMS Beta", "+447 FLASH Alpha"}, nil, nil,
		[]string{"WARNING SHADOWED_RULE 1,0"}},
	{"a longer prefix takes from the account's rule and not from the global one beside it", []string{"+44 of=A Alpha", "+44 Gamma", "+447 of=A Beta"}, nil, nil,
		[]string{"WARNING SHADOWED_RULE 2,0"}},
	{"many longer prefixes are told of once", []string{"+44 Alpha", "+447 Beta", "+448 Beta", "+449 Beta"}, nil, nil, []string{"WARNING SHADOWED_RULE 1,0"}},
	{"an account's longer prefix takes from the global one", []string{"+44 Alpha", "+447 of=A Beta"}, nil, nil, []string{"WARNING SHADOWED_RULE 1,0"}},
	{"a global longer prefix takes from an account's", []string{"+44 of=A Alpha", "+447 Beta"}, nil, nil, []string{"WARNING SHADOWED_RULE 1,0"}},
	{"an account's rule beside a global one takes nothing from a shorter prefix", []string{"+44 Alpha", "+447 Alpha", "+447 of=A Beta"}, nil, nil, nil},
	{"another account's longer prefix takes nothing", []string{"+44 of=A Alpha", "+447 of=B Beta"}, nil, nil, nil},
	{"an account's rule between protects its shorter one", []string{"+44 of=A Alpha", "+447 of=A Alpha", "+4479 Alpha"}, nil, nil, nil},
	{"ten longer prefixes cover a rule", join([]string{"+44 Alpha"}, tenFold("+44 Alpha")), nil, nil, []string{"WARNING UNREACHABLE_RULE 0,1"}},
	{"nine do not", join([]string{"+44 Alpha"}, tenFold("+44 Alpha")[1:]), nil, nil, nil},
	{"nine and a part of the tenth do not", join([]string{"+44 Alpha"}, tenFold("+44 Alpha")[:9], []string{"+4491 Alpha"}), nil, nil, nil},
	{"ten prefixes that are covered in turn cover it", join([]string{"+44 Alpha"}, tenFold("+44 Alpha")[:9], tenFold("+449 Alpha")), nil, nil,
		[]string{"WARNING UNREACHABLE_RULE 0,1"}},
	{"ten prefixes for one type do not", join([]string{"+44 Alpha"}, tenFold("+44 SMS Alpha")), nil, nil, nil},
	{"ten prefixes for each type do", join([]string{"+44 Alpha"}, tenFold("+44 SMS Alpha"), tenFold("+44 FLASH|WAP Alpha")), nil, nil,
		[]string{"WARNING UNREACHABLE_RULE 0,1"}},
	{"ten prefixes that end earlier do not", join([]string{"+44 Alpha"}, tenFold("+44 to=5h Alpha")), nil, nil, nil},
	{"ten prefixes one after the other do", join([]string{"+44 Alpha"}, tenFold("+44 to=5h Alpha"), tenFold("+44 from=5h Alpha")), nil, nil,
		[]string{"WARNING UNREACHABLE_RULE 0,1"}},
	{"ten prefixes for the time of the rule do", join([]string{"+44 from=1h to=4h Alpha"}, tenFold("+44 to=5h Alpha")), nil, nil,
		[]string{"WARNING UNREACHABLE_RULE 0,1"}},
	{"ten prefixes that fall through hand on", join([]string{"+44 Alpha"}, tenFold("+44 fall Alpha")), nil, nil, nil},
	{"ten global prefixes cover an account's rule", join([]string{"+44 of=A Alpha"}, tenFold("+44 Alpha")), nil, nil, []string{"WARNING UNREACHABLE_RULE 0,1"}},
	{"ten prefixes of an account and of everyone cover the account's rule",
		join([]string{"+44 of=A Alpha"}, tenFold("+44 Alpha")[:5], tenFold("+44 of=A Alpha")[5:]), nil, nil, []string{"WARNING UNREACHABLE_RULE 0,1"}},
	{"ten prefixes of an account do not cover a global rule", join([]string{"+44 Alpha"}, tenFold("+44 of=A Alpha")), nil, nil, nil},
	{"an account's rule that falls through opens its own covered rule", join([]string{"+44 of=A Alpha"}, tenFold("+44 Alpha"), []string{"+440 of=A fall Alpha"}),
		nil, nil, nil},
	{"it opens it only while it is valid", join([]string{"+44 of=A to=1h Alpha"}, tenFold("+44 Alpha"), []string{"+440 of=A fall from=1h Alpha", "+4 Alpha"}),
		nil, nil, []string{"WARNING UNREACHABLE_RULE 0,1"}},
	{"it opens it from then on", join([]string{"+44 of=A Alpha"}, tenFold("+44 Alpha"), []string{"+440 of=A fall from=1h Alpha"}), nil, nil, nil},
	{"an account's rule that falls through opens a covered global rule", join([]string{"+44 Alpha"}, tenFold("+44 Alpha"), []string{"+440 of=A fall Alpha"}),
		nil, nil, nil},
	{"for another type it does not", join([]string{"+44 SMS Alpha"}, tenFold("+44 SMS Alpha"), []string{"+440 FLASH of=A fall Alpha", "+4 Alpha"}),
		nil, nil, []string{"WARNING UNREACHABLE_RULE 0,1"}},
	{"what it opens is checked for currencies", join([]string{"+44 SMS COST Alpha@1EUR Beta@1USD"}, tenFold("+44 SMS Alpha Beta"), []string{"+440 of=A SMS fall Alpha Beta"}),
		nil, nil, []string{"ERROR MIXED_CURRENCIES 0"}},
	{"also when several open it, and once", join([]string{"+44 SMS COST Alpha@1EUR Beta@1USD"}, tenFold("+44 SMS Alpha Beta"),
		[]string{"+440 of=A SMS fall Alpha Beta", "+441 of=A SMS fall Alpha Beta"}), nil, nil, []string{"ERROR MIXED_CURRENCIES 0"}},
	{"and not again when everyone reaches it", []string{"+44 SMS COST Alpha@1EUR Beta@1USD", "+440 SMS Alpha Beta", "+440 of=A SMS fall Alpha Beta"},
		nil, nil, []string{"ERROR MIXED_CURRENCIES 0"}},
	{"what it opens need not compare prices under PRIORITY", join([]string{"+44 SMS PRIORITY Alpha@1EUR Beta@1USD"}, tenFold("+44 SMS Alpha Beta"),
		[]string{"+440 of=A SMS fall Alpha Beta"}), nil, nil, nil},
	{"what it does not open is not", join([]string{"+44 SMS COST Alpha@1EUR Beta@1USD"}, tenFold("+44 SMS Alpha Beta"), []string{"+440 of=A SMS Alpha Beta"}),
		nil, nil, []string{"WARNING UNREACHABLE_RULE 0,1"}},
	{"what it opens may be answered by another rule of the account", join([]string{"+44 SMS COST Alpha@1EUR Beta@1USD"}, tenFold("+44 SMS Alpha Beta"),
		[]string{"+440 of=A SMS fall Alpha Beta", "+44 of=A SMS Alpha Beta"}), nil, nil, nil},
	{"a rule falls through to nothing", []string{"+44 fall Alpha"}, nil, nil, []string{"WARNING NOTHING_TO_FALL_TO 0"}},
	{"a rule falls through to a shorter one", []string{"+44 fall Alpha", "+4 Alpha"}, nil, nil, nil},
	{"a rule of an account falls through to a global one", []string{"+44 of=A fall Alpha", "+4 Alpha"}, nil, nil, nil},
	{"a global rule does not fall through to an account's", []string{"+44 fall Alpha", "+4 of=A Alpha"}, nil, nil, []string{"WARNING NOTHING_TO_FALL_TO 0"}},
	{"a rule does not fall through to the global one of its prefix", []string{"+44 of=A fall Alpha", "+44 Alpha"}, nil, nil,
		[]string{"WARNING NOTHING_TO_FALL_TO 0"}},
	{"a rule falls through to nothing for one type", []string{"+44 SMS|FLASH fall Alpha", "+4 SMS Alpha"}, nil, nil, []string{"WARNING NOTHING_TO_FALL_TO 0"}},
	{"a rule of one digit falls through to nothing", []string{"+4 fall Alpha"}, nil, nil, []string{"WARNING NOTHING_TO_FALL_TO 0"}},
	{"a rule at another time is nothing to fall to", []string{"+44 fall to=1h Alpha", "+4 from=1h Alpha"}, nil, nil, []string{"WARNING NOTHING_TO_FALL_TO 0"}},
	{"a type that longer prefixes take needs nothing to fall to", join([]string{"+44 fall Alpha", "+4 SMS Alpha"}, tenFold("+44 FLASH|WAP Alpha")), nil, nil, nil},
	{"a rule that is switched off is nothing to fall to", []string{"+44 fall Alpha", "+4 off Alpha"}, nil, nil, []string{"WARNING NOTHING_TO_FALL_TO 0"}},

	// Sets.
	{"an empty set", nil, nil, nil, nil},
	{"text that is no prefix is left to Validate", []string{"+0 Alpha/1 Beta/1", "+ Alpha/1 Beta/1", "+1234567890123456 Alpha/1 Beta/1", "+4x Alpha/1 Beta/1"}, nil, nil, nil},
	{"a prefix of 15 digits", []string{"+123456789012345 fall Alpha"}, nil, nil, []string{"WARNING NOTHING_TO_FALL_TO 0"}},
}

// rates makes rates of Alpha of rules' texts.
func rates(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = "Alpha " + text
	}
	return all
}

func ceiling(text string) func(*operators.RuleSet) {
	return func(s *operators.RuleSet) { s.Ceiling = thePrice(text) }
}

func (d seeded) set() operators.RuleSet {
	set := theSet(d.rules, d.rates...)
	if d.change != nil {
		d.change(&set)
	}
	return set
}

// short writes a finding as in seeded.
func short(f operators.Finding) string {
	numbers := make([]string, len(f.Rules))
	for i, rule := range f.Rules {
		numbers[i] = fmt.Sprint(indexOf(rule))
	}
	text := f.Severity.String() + " " + f.Reason + " " + strings.Join(numbers, ",")
	if f.Operator == uuid.Nil {
		return text
	}
	for _, o := range crew() {
		if o.ID == f.Operator {
			return text + " " + o.Name
		}
	}
	return text + " Nobody"
}

func indexOf(rule uuid.UUID) int { return int(rule[2])<<8 + int(rule[3]) - 1000 }

func TestEverySeededDefectIsFoundWithAWitnessAndNothingElseIs(t *testing.T) {
	for _, d := range defects {
		t.Run(d.name, func(t *testing.T) {
			set := d.set()
			report := operators.Check(set)
			var got []string
			errors := 0
			for _, f := range report.Findings {
				got = append(got, short(f))
				requireWitness(t, &set, f)
				if f.Severity == operators.SeverityError {
					errors++
				}
			}
			require.Equal(t, d.want, got)
			require.Equal(t, []int{len(set.Rules), errors, len(got) - errors}, []int{report.Rules, report.Errors, report.Warnings})
		})
	}
}

// A rule that falls through may hand its numbers on, but a number of the shorter rule's own shows more.
func TestAWitnessIsRatherANumberThatNoLongerPrefixAnswers(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules []string
		want  string
	}{
		{"a number beside the longer prefixes", []string{"+44 SMS Sleeper", "+440 SMS Sleeper", "+441 SMS fall Sleeper"}, "+44200000000"},
		{"a number beside them for the price, too", []string{"+44 SMS COST Sleeper", "+440 SMS fall Sleeper"}, "+44100000000"},
		{"a number of a longer prefix that hands on where there is no other", join([]string{"+44 SMS Sleeper"}, tenFold("+44 SMS Sleeper")[:9], []string{"+449 SMS fall Sleeper"}),
			"+44900000000"},
		{"a number with as many digits as the prefix", []string{"+44791112345678 SMS Sleeper"}, "+44791112345678"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := theSet(c.rules)
			for _, f := range operators.Check(set).Findings {
				if f.Rules[0] == set.Rules[0].ID {
					require.Equal(t, c.want, f.Witness.Raw(), f.Reason)
				}
			}
		})
	}
}

func TestEveryReasonHasASeededDefect(t *testing.T) {
	found := make(map[string]bool)
	for _, d := range defects {
		for _, f := range d.want {
			found[strings.Fields(f)[1]] = true
		}
	}
	for _, reason := range []string{
		operators.FindingOverlap, operators.FindingTwice, operators.FindingEqualPriorities, operators.FindingZeroWeights,
		operators.FindingNoRate, operators.FindingMixedCurrencies, operators.FindingUnknownOperator, operators.FindingShadowed,
		operators.FindingUnreachable, operators.FindingNoOperator, operators.FindingNothingShorter, operators.FindingAboveCeiling,
		operators.FindingPartialRate,
	} {
		require.True(t, found[reason], reason)
	}
}

// One set with every defect, as people read it.
func TestTheReportOfABadSetReadsAsInTheGoldenFile(t *testing.T) {
	set := theSet([]string{
		"+1 of=A SMS Alpha", "+1 of=A SMS|FLASH Beta", // overlap
		"+20 SMS Alpha Alpha",
		"+21 SMS FAILOVER Alpha/1 Beta/1",
		"+22 SMS WEIGHTED Alpha/1/0",
		"+23 SMS COST Alpha Beta",
		"+24 SMS COST Alpha@0.01EUR Beta@0.01USD",
		"+25 SMS Alpha Gone Nobody",
		"+26 SMS Sleeper",
		"+27 SMS fall Alpha",
		"+28 SMS Alpha", "+281 SMS Beta", "+282 SMS Beta",
		"+29 of=A SMS Alpha",
		"+290 SMS Alpha", "+291 SMS Alpha", "+292 SMS Alpha", "+293 SMS Alpha", "+294 SMS Alpha",
		"+295 SMS Alpha", "+296 SMS Alpha", "+297 SMS Alpha", "+298 SMS Alpha", "+299 SMS Alpha",
		"+30 SMS Alpha@2EUR",
	}, "Beta +231 SMS 0.01EUR")
	set.Ceiling = thePrice("1EUR")
	set.Lines = make([]int64, len(set.Rules))
	for i := range set.Lines {
		set.Lines[i] = int64(i + 2)
	}
	report := operators.Check(set)
	var out strings.Builder
	for _, f := range report.Findings {
		requireWitness(t, &set, f)
		fmt.Fprintf(&out, "%d: %s %s %s\n  %s\n", f.Line, f.Severity, f.Reason, f.Witness.Raw(), f.Message)
	}
	fmt.Fprintf(&out, "%d rules, %d errors, %d warnings\n", report.Rules, report.Errors, report.Warnings)

	golden := filepath.Join("testdata", "conflicts.txt")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(golden, []byte(out.String()), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
}

func TestAReportKeepsAThousandFindingsErrorsFirstAndCountsAll(t *testing.T) {
	set := theSet(nil)
	for i := range 1500 {
		set.Rules = append(set.Rules, theRule(i, fmt.Sprintf("+%d fall Alpha", 10_000+i)))
	}
	for i := range 3 {
		set.Rules = append(set.Rules, theRule(2000+i, fmt.Sprintf("+9%d Alpha Alpha", i)))
	}
	report := operators.Check(set)
	require.Equal(t, 3, report.Errors)
	require.Equal(t, 1500, report.Warnings)
	require.Len(t, report.Findings, operators.MaxFindings)
	for i, f := range report.Findings {
		require.Equal(t, i < 3, f.Severity == operators.SeverityError)
	}
	require.Equal(t, "10000", string(set.Rules[indexOf(report.Findings[3].Rules[0])].Prefix))
}

func TestTheOrderOfTheRulesDoesNotMatter(t *testing.T) {
	for _, d := range defects {
		set := d.set()
		want := operators.Check(set)
		slices.Reverse(set.Rules)
		slices.Reverse(set.Operators)
		slices.Reverse(set.Rates)
		got := operators.Check(set)
		require.Len(t, got.Findings, len(want.Findings), d.name)
		for i := range want.Findings {
			require.Equal(t, short(want.Findings[i]), short(got.Findings[i]), d.name)
			require.Equal(t, want.Findings[i].Witness, got.Findings[i].Witness, d.name)
		}
	}
}

// A set that is made to be slow is done within the bound on what is looked at.
func TestPricesOfManyAccountsAreCompared(t *testing.T) {
	report := operators.Check(crowd(1_000, 100))
	require.True(t, slices.ContainsFunc(report.Findings, func(f operators.Finding) bool { return f.Reason == operators.FindingNoRate }))
	require.False(t, slices.ContainsFunc(report.Findings, func(f operators.Finding) bool { return f.Reason == operators.FindingUnchecked }))
}

func TestTheDemoRulesHaveNoErrors(t *testing.T) {
	lines, bad, err := operators.ParseOperators(bytes.NewReader(demo.Operators), nil)
	require.NoError(t, err)
	require.Empty(t, bad.List())
	set := operators.RuleSet{Now: checkTime}
	for i, line := range lines {
		o := line.Operator
		o.ID = id(i)
		set.Operators = append(set.Operators, o)
	}
	rules, bad, err := operators.ParseRules(bytes.NewReader(demo.Rules), operators.Resolve(set.Operators), nil)
	require.NoError(t, err)
	require.Empty(t, bad.List())
	for i, line := range rules {
		rule := line.Rule
		rule.ID = id(1000 + i)
		set.Rules = append(set.Rules, rule)
		set.Lines = append(set.Lines, line.Line)
	}
	report := operators.Check(set)
	require.Zero(t, report.Errors)
	reasons := make(map[string]int)
	for _, f := range report.Findings {
		reasons[f.Reason]++
		requireWitness(t, &set, f)
	}
	require.Equal(t, map[string]int{operators.FindingShadowed: reasons[operators.FindingShadowed]}, reasons, "nothing but longer prefixes with other operators")
}
