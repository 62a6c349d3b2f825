package demo_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/operators/demo"
)

func parse(t *testing.T) (byID map[uuid.UUID]operators.Operator, rules []*operators.RuleLines) {
	t.Helper()
	lines, bad, err := operators.ParseOperators(bytes.NewReader(demo.Operators), nil)
	require.NoError(t, err)
	require.Empty(t, bad.List())
	byName := make(map[string]uuid.UUID)
	byID = make(map[uuid.UUID]operators.Operator)
	for _, line := range lines {
		id := uuid.New()
		byName[line.Name], byID[id] = id, line.Operator
	}
	resolve := func(name string) (uuid.UUID, string, bool) {
		id, found := byName[name]
		return id, name, found
	}
	rules, bad, err = operators.ParseRules(bytes.NewReader(demo.Rules), resolve, nil)
	require.NoError(t, err)
	require.Empty(t, bad.List())
	return byID, rules
}

// canSend tells whether an operator may be chosen while its session is up.
func canSend(o operators.Operator) bool {
	return o.Status == operators.Active && o.BindType != operators.Receiver
}

func TestOperatorsAreAMixThatExplanationsCanShow(t *testing.T) {
	byID, _ := parse(t)
	require.Len(t, byID, 8)
	sending, suspended, receiving := 0, 0, 0
	for _, o := range byID {
		switch {
		case canSend(o):
			sending++
		case o.Status == operators.Suspended:
			suspended++
		case o.BindType == operators.Receiver:
			receiving++
		}
		reachesNobody := strings.HasSuffix(o.Host, ".example") || strings.HasSuffix(o.Host, ".example.net")
		require.True(t, reachesNobody, "%s has a host that may exist", o.Name)
	}
	require.Equal(t, []int{6, 1, 1}, []int{sending, suspended, receiving})
}

func TestRulesCoverTheWorld(t *testing.T) {
	_, rules := parse(t)
	countries := make(map[string]bool)
	strategies := make(map[operators.Strategy]int)
	fallThrough, owned := 0, 0
	for _, r := range rules {
		strategies[r.Strategy]++
		if r.OnExhausted == operators.FallThrough {
			fallThrough++
		}
		if r.Account == uuid.Nil {
			countries[r.Country] = true
			continue
		}
		owned++
		require.Equal(t, demo.AccountID, r.Account.String())
	}
	delete(countries, "")
	require.GreaterOrEqual(t, len(countries), 200)
	require.Len(t, strategies, 4)
	require.Greater(t, strategies[operators.Cost], len(rules)/2)
	require.Positive(t, fallThrough)
	require.Equal(t, 3, owned)
}

func TestNumbersBelongToTheCountryOfTheirLongestPrefix(t *testing.T) {
	_, rules := parse(t)
	country := make(map[string]string)
	for _, r := range rules {
		country[r.Prefix.String()] = r.Country
	}
	for _, c := range []struct{ name, number, country string }{
		{"a mobile in the United Kingdom", "+447911123456", "GB"},
		{"a line in Jersey shares +44", "+441534456789", "JE"},
		{"a line in Guernsey shares +44", "+441481256789", "GG"},
		{"a mobile on the Isle of Man shares +44", "+447624123456", "IM"},
		{"New York", "+12125550123", "US"},
		{"Toronto shares +1", "+14165550123", "CA"},
		{"Jamaica's newer area code", "+16585550123", "JM"},
		{"Kazakhstan shares +7", "+77710009998", "KZ"},
		{"Russia", "+79123456789", "RU"},
		{"the Vatican shares +39", "+390669812345", "VA"},
		{"Rome", "+390612345678", "IT"},
		{"Mayotte shares +262", "+262269601234", "YT"},
		{"Curacao shares +599", "+59994351234", "CW"},
		{"Bonaire shares +599", "+5997151234", "BQ"},
		{"Western Sahara shares +212", "+212528812345", "EH"},
		{"Aland shares +358", "+358181234567", "AX"},
		{"Svalbard shares +47", "+4779123456", "SJ"},
		{"Christmas Island shares +61", "+61891641234", "CX"},
	} {
		t.Run(c.name, func(t *testing.T) {
			number := c.number
			for country[number] == "" && len(number) > 1 {
				number = number[:len(number)-1]
			}
			require.Equal(t, c.country, country[number], "decided by %s", number)
		})
	}
}

func TestOneOperatorOutOfServiceLeavesAnotherInEveryRule(t *testing.T) {
	byID, rules := parse(t)
	for _, r := range rules {
		usable := 0
		for _, candidate := range r.Candidates {
			o := byID[candidate.OperatorID]
			carries := r.MessageTypes == 0 || r.MessageTypes.Overlaps(o.MessageTypes)
			if canSend(o) && carries {
				usable++
			}
			if r.Strategy == operators.Cost {
				require.False(t, candidate.Price.IsZero(), "line %d: COST needs a price, the demo has no rates", r.Line)
			}
		}
		require.GreaterOrEqual(t, usable, 2, "the rule of line %d", r.Line)
		require.GreaterOrEqual(t, len(r.Candidates), 2, "the rule of line %d", r.Line)
		require.LessOrEqual(t, len(r.Candidates), 4, "the rule of line %d", r.Line)
	}
}

func TestTheNumberOfTheFirstExampleHasTwoAlternates(t *testing.T) {
	byID, rules := parse(t)
	for _, r := range rules {
		if r.Prefix.String() != "+447911" {
			continue
		}
		usable := 0
		for _, candidate := range r.Candidates {
			if canSend(byID[candidate.OperatorID]) {
				usable++
			}
		}
		require.GreaterOrEqual(t, usable, 3)
		return
	}
	t.Fatal("there is no rule for +447911")
}

func TestARuleThatFallsThroughHasSomethingShorter(t *testing.T) {
	_, rules := parse(t)
	global := make(map[string]bool)
	for _, r := range rules {
		if r.Account == uuid.Nil {
			global[r.Prefix.String()] = true
		}
	}
	for _, r := range rules {
		if r.OnExhausted != operators.FallThrough {
			continue
		}
		prefix, found := r.Prefix.String(), false
		if r.Account != uuid.Nil {
			found = global[prefix]
		}
		for n := len(prefix) - 1; n > 1 && !found; n-- {
			found = global[prefix[:n]]
		}
		require.True(t, found, "the rule of line %d has nothing to fall to", r.Line)
	}
}
