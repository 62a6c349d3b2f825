package operators_test

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// The moment of checks in tests, and currencies.
var (
	checkTime = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	eur, usd  = currency("EUR"), currency("USD")
)

func currency(code string) money.Currency {
	c, err := money.ParseCurrency(code)
	if err != nil {
		panic(err)
	}
	return c
}

// id makes a small UUID.
func id(n int) (made uuid.UUID) {
	binary.BigEndian.PutUint32(made[:], uint32(n))
	made[15] = 1
	return made
}

// The accounts of checks.
var accounts = map[string]uuid.UUID{"A": id(101), "B": id(102)}

// crew is the operators of checks. Every one but Gone is live.
func crew() []operators.Operator {
	one := func(n int, name string) operators.Operator {
		return operators.Operator{
			ID: id(n), Name: name, Status: operators.Active, BindType: operators.Transceiver, MessageTypes: operators.SMS | operators.Flash,
		}
	}
	all := []operators.Operator{
		one(1, "Alpha"), one(2, "Beta"), one(3, "Gamma"), one(4, "Sleeper"), one(5, "Listener"), one(6, "Flashy"), one(7, "Gone"),
	}
	all[3].Status = operators.Inactive
	all[4].BindType = operators.Receiver
	all[5].MessageTypes = operators.Flash
	all[6].DeletedAt = checkTime.Add(-time.Hour)
	return all
}

func crewID(name string) uuid.UUID {
	for _, o := range crew() {
		if o.Name == name {
			return o.ID
		}
	}
	return id(99)
}

// theRule reads a rule such as "+44 SMS|FLASH COST fall from=-1h Alpha/1/100@0.01EUR Beta". Words: a prefix, message
// types, a strategy, fall, off, of=A for the account, from= and to= in hours from the check, candidates with priority,
// weight and price. It has the id 1000 and the number given.
func theRule(n int, text string) operators.Rule {
	r := operators.Rule{ID: id(1000 + n), Strategy: operators.Priority, OnExhausted: operators.Fail, Active: true}
	for word := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(word, "=")
		switch {
		case word[0] == '+':
			r.Prefix = e164.Prefix(word[1:])
		case word == "fall":
			r.OnExhausted = operators.FallThrough
		case word == "off":
			r.Active = false
		case name == "of":
			r.Account = accounts[value]
		case name == "from":
			r.ValidFrom = hours(value)
		case name == "to":
			r.ValidTo = hours(value)
		default:
			if types, err := operators.ParseMessageTypes(strings.ReplaceAll(word, "|", ",")); err == nil {
				r.MessageTypes = types
			} else if strategy, err := operators.ParseStrategy(word); err == nil {
				r.Strategy = strategy
			} else {
				r.Candidates = append(r.Candidates, theCandidate(word, len(r.Candidates)+1))
			}
		}
	}
	return r
}

func theCandidate(word string, priority int) operators.Candidate {
	word, price, _ := strings.Cut(word, "@")
	parts := strings.Split(word, "/")
	c := operators.Candidate{OperatorID: crewID(parts[0]), Priority: priority, Weight: 100}
	if len(parts) > 1 {
		c.Priority = number(parts[1])
	}
	if len(parts) > 2 {
		c.Weight = number(parts[2])
	}
	if price != "" {
		c.Price = thePrice(price)
	}
	return c
}

func thePrice(text string) money.Money {
	at := strings.IndexFunc(text, func(r rune) bool { return r >= 'A' })
	price, err := money.Parse(text[:at], text[at:])
	if err != nil {
		panic(err)
	}
	return price
}

// theRate reads a rate such as "Alpha +44 SMS 0.01EUR from=-2h to=3h". Without from it is in force for a day.
func theRate(text string) operators.Rate {
	words := strings.Fields(text)
	types, err := operators.ParseMessageTypes(words[2])
	if err != nil {
		panic(err)
	}
	r := operators.Rate{
		OperatorID: crewID(words[0]), Prefix: e164.Prefix(words[1][1:]), MessageType: types, Price: thePrice(words[3]), EffectiveFrom: hours("-24h"),
	}
	for _, word := range words[4:] {
		if value, ok := strings.CutPrefix(word, "from="); ok {
			r.EffectiveFrom = hours(value)
		} else if value, ok := strings.CutPrefix(word, "to="); ok {
			r.EffectiveTo = hours(value)
		}
	}
	return r
}

func hours(text string) time.Time {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return checkTime.Add(d)
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

// theSet makes a set of rules, with ids from 1000, and rates.
func theSet(rules []string, rates ...string) operators.RuleSet {
	set := operators.RuleSet{Now: checkTime, Operators: crew(), FX: operators.FX{eur: money.NanosPerUnit}}
	for i, text := range rules {
		set.Rules = append(set.Rules, theRule(i, text))
	}
	for _, text := range rates {
		set.Rates = append(set.Rates, theRate(text))
	}
	return set
}

// tenFold gives the ten rules of one digit more than the prefix at the start of the text.
func tenFold(text string) (all []string) {
	prefix, rest, _ := strings.Cut(text, " ")
	for d := range 10 {
		all = append(all, prefix+strconv.Itoa(d)+" "+rest)
	}
	return all
}

// join puts lists of rules together.
func join(lists ...[]string) []string { return slices.Concat(lists...) }
