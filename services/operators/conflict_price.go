package operators

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// maxSteps bounds how many areas one check looks at for the rates of prefixes that are longer than a rule's, over all
// rules: about a second. Most rules need none, because such rates can make no difference to them.
const maxSteps = 3_000_000

// pricing is what a check knows of prices.
type pricing struct {
	decks map[deckKey]*deck
	// steps is how many areas may still be looked at.
	steps int
	// mixed holds the rules that were told to mix currencies.
	mixed map[int32]bool
}

// spot is where something shows: in all numbers of an area that the rule decides, for one message type at one moment.
// The zero spot is none.
type spot struct {
	area area
	kind int
	at   int64
}

// quoted is what was found about the prices of one candidate.
type quoted struct {
	// priced tells that it has a price for some message of the rule, and open that only rates of longer prefixes can
	// tell whether it has one.
	priced, open bool
	// gap is where it has no price, above where its price is above the ceiling.
	gap, above spot
	dear       money.Money
}

// quote is the price of one candidate in the area under look.
type quote struct {
	candidate int
	price     money.Money
	// deck is nil when the price is the same everywhere. from and to are its areas inside the area under look.
	deck     *deck
	from, to int
}

// priceCheck is the check of one rule.
type priceCheck struct {
	*view
	liveRule
	cost    bool
	results []quoted
	// dear tells that a candidate's rates go above the ceiling somewhere.
	dear bool
	// mixable tells that the candidates' rates are in currencies that have no order.
	mixable bool
	// mixed is where currencies stand side by side that have no order.
	mixed      spot
	currencies []money.Currency
	unfinished bool
}

// checkPrices finds candidates of a COST rule that have no price or prices that cannot be compared, and of any rule
// those that are too dear. Prices are those of the first moment at which the rule decides.
func (v *view) checkPrices(r liveRule) {
	rule := &v.set.Rules[r.rule]
	p := &priceCheck{view: v, liveRule: r, cost: rule.Strategy == Cost}
	if !p.cost && v.set.Ceiling.IsZero() {
		return
	}
	p.lookAll(rule.Candidates, v.covers(r.at).below)
	p.tell(rule)
	if p.mixed != (spot{}) {
		v.mixed[r.rule] = true
	}
}

// checkHanded finds currencies that cannot be compared where rules of the account hand numbers on to global rules,
// numbers that everyone else's messages do not reach those rules with.
func (v *view) checkHanded() {
	seen := make(map[int32]bool)
	for _, own := range v.own.rules {
		if own.final {
			continue
		}
		v.around(own.at, func(_ area, rules []liveRule) bool {
			for _, r := range rules[:min(len(rules), maxBeside)] {
				rule := &v.set.Rules[r.rule]
				if rule.Account != uuid.Nil || rule.Strategy != Cost || seen[r.rule] || v.mixed[r.rule] || !r.meets(own) {
					continue
				}
				seen[r.rule] = true
				taken := v.covers(r.at).below
				if i := v.own.nest.index(r.at); i >= 0 {
					taken.final = v.either(taken, cover{final: v.taken(v.own.at(i)).any}).final
				}
				p := &priceCheck{view: v, liveRule: r, cost: true}
				p.lookAll(rule.Candidates, taken)
				p.tellMixed()
			}
			return true
		})
	}
}

// lookAll compares the candidates for each message type at the first moment at which not all numbers are taken.
func (p *priceCheck) lookAll(candidates []Candidate, taken cover) {
	p.results = make([]quoted, len(candidates))
	for kind := range taken.final {
		if p.types&(1<<kind) == 0 {
			continue
		}
		if at, open := p.calendar.firstOutside(p.span, taken.final[kind]); open {
			p.look(candidates, spot{p.at, kind, at})
		}
	}
}

// look compares the candidates for one message type at one moment.
func (p *priceCheck) look(candidates []Candidate, where spot) {
	quotes := make([]quote, 0, len(candidates))
	deeper := false
	p.dear = false
	var palette []money.Currency
	for i, candidate := range candidates {
		o := p.operators[candidate.OperatorID]
		if o == nil || !o.Live() || !o.carries(1<<where.kind) {
			continue
		}
		q := quote{candidate: i, price: candidate.Price}
		if deck := p.decks[deckKey{candidate.OperatorID, where.kind}]; q.price.IsZero() && deck != nil {
			var same bool
			if q.price, same = deck.price(where.area, where.at); !same {
				q.deck = deck
				q.from, q.to = deck.inside(where.area)
				palette = append(palette, deck.currencies...)
				p.results[i].open = p.results[i].open || q.price.IsZero()
				deeper = deeper || p.cost && q.price.IsZero()
				p.dear = p.dear || deck.dear
			}
		}
		if !q.price.IsZero() {
			palette = append(palette, q.price.Currency)
		}
		quotes = append(quotes, q)
	}
	p.mixable = p.cost && !p.set.FX.comparable(palette)
	if !deeper && !p.mixable && !p.dear {
		// Longer prefixes change prices only, and all of them can be compared and are below the ceiling.
		for i := range quotes {
			quotes[i].deck = nil
		}
	}
	p.visit(where, quotes)
}

// visit looks at an area in which quotes has the prices, apart from those of longer prefixes.
func (p *priceCheck) visit(where spot, quotes []quote) {
	uniform := true
	for i := range quotes {
		q := &quotes[i]
		if q.deck == nil {
			continue
		}
		if q.from < q.to && q.deck.areas[q.from] == where.area {
			if price := q.deck.at(q.from, where.at); !price.IsZero() {
				q.price = price
			}
			q.from++
		}
		uniform = uniform && q.from == q.to
	}
	if uniform {
		p.compare(where, quotes)
		return
	}
	inner := make([]quote, len(quotes))
	rest := false
	for digit := range 10 {
		child := spot{where.area.child(digit), where.kind, where.at}
		copy(inner, quotes)
		own := false
		for i := range quotes {
			q := &quotes[i]
			if q.deck == nil || q.from == q.to || q.deck.areas[q.from] >= child.area.end() {
				inner[i].to = q.from
				continue
			}
			n, _ := slices.BinarySearch(q.deck.areas[q.from:q.to], child.area.end())
			inner[i].to = q.from + n
			q.from += n
			own = true
		}
		if !own && rest {
			continue
		}
		if p.steps == 0 {
			p.unfinished = true
			return
		}
		p.steps--
		if p.closed(child.area, child.kind, child.at, true) {
			continue
		}
		if own {
			p.visit(child, inner)
		} else {
			// All areas without rates of their own are alike.
			rest = true
			p.compare(child, inner)
		}
		if p.done() {
			return
		}
	}
}

// compare looks at an area with the same prices everywhere.
func (p *priceCheck) compare(where spot, quotes []quote) {
	var currencies []money.Currency
	for i := range quotes {
		q, found := &quotes[i], &p.results[quotes[i].candidate]
		if q.price.IsZero() {
			if found.gap == (spot{}) {
				found.gap = where
			}
			continue
		}
		found.priced = true
		if found.above == (spot{}) && p.set.FX.exceeds(q.price, p.set.Ceiling) {
			found.above, found.dear = where, q.price
		}
		if !slices.Contains(currencies, q.price.Currency) {
			currencies = append(currencies, q.price.Currency)
		}
	}
	if p.cost && p.mixed == (spot{}) && !p.set.FX.comparable(currencies) {
		p.mixed, p.currencies = where, currencies
	}
}

// done reports whether looking on would tell nothing new.
func (p *priceCheck) done() bool {
	switch {
	case p.unfinished:
		return true
	case p.dear, p.mixable && p.mixed == (spot{}):
		return false
	}
	return !slices.ContainsFunc(p.results, func(found quoted) bool {
		return found.open && (!found.priced || found.gap == (spot{}))
	})
}

// tell reports what was found.
func (p *priceCheck) tell(rule *Rule) {
	if p.set.only == aboutAll {
		p.tellCandidates(rule)
	}
	p.tellMixed()
	if p.unfinished {
		p.found.add(SeverityWarning, []int{int(p.rule)}, func() Finding {
			return Finding{
				Reason: FindingUnchecked, Witness: p.number(p.liveRule),
				Message: sentence("%s was not checked for prices, because the rates of longer prefixes are too many: check it with fewer rules.",
					p.ruleName(p.rule)),
			}
		})
	}
}

// tellCandidates reports what was found of each candidate alone.
func (p *priceCheck) tellCandidates(rule *Rule) {
	for i, found := range p.results {
		operator := rule.Candidates[i].OperatorID
		add := func(severity Severity, reason string, where spot, format string, args ...any) {
			p.found.add(severity, []int{int(p.rule)}, func() Finding {
				return Finding{
					Reason: reason, Operator: operator, Witness: p.numberAt(where),
					Message: sentence(format, append([]any{p.operatorName(operator), p.ruleName(p.rule)}, args...)...),
				}
			})
		}
		// A longer rate that was not read could be the one that counts.
		if unread := p.set.partial && rule.Candidates[i].Price.IsZero(); found.above != (spot{}) && !unread {
			add(SeverityWarning, FindingAboveCeiling, found.above,
				"%s has numbers of %s that cost %s for %s, above the ceiling of %s: give them a rule of their own.",
				found.dear, messageTypeNames[found.above.kind], p.set.Ceiling)
		}
		if !p.cost || found.gap == (spot{}) || found.open && p.set.partial {
			continue
		}
		switch {
		case found.priced:
			add(SeverityWarning, FindingPartialRate, found.gap,
				"%s has no rate for some messages of %s, such as %s to this number, and is not chosen for them: import the rate.",
				messageTypeNames[found.gap.kind])
		case !p.unfinished:
			add(SeverityError, FindingNoRate, found.gap,
				"%s has no rate in force for any number of %s, which chooses by price: import a rate, or give the candidate a price.")
		}
	}
}

// tellMixed reports currencies that cannot be compared.
func (p *priceCheck) tellMixed() {
	if p.mixed == (spot{}) || p.set.partial && p.mixed.area != p.at {
		return
	}
	p.found.add(SeverityError, []int{int(p.rule)}, func() Finding {
		return Finding{
			Reason: FindingMixedCurrencies, Witness: p.numberAt(p.mixed),
			Message: sentence("%s has to compare prices in %s, and there is no FX rate for %s: add it, or give prices in one currency.",
				p.ruleName(p.rule), codes(p.currencies, " and "), codes(slices.DeleteFunc(slices.Clone(p.currencies), p.set.FX.knows), " and ")),
		}
	})
}

// numberAt makes up a number of a spot that the rule decides.
func (p *priceCheck) numberAt(where spot) e164.Number {
	covers := p.covers(where.area)
	taken := covers.here
	if where.area == p.at {
		taken = covers.below
	}
	final := p.calendar.holds(taken.any[where.kind], where.at)
	return p.free(where.area, where.kind, where.at, final).number()
}

func codes(currencies []money.Currency, separator string) string {
	texts := make([]string, len(currencies))
	for i, c := range currencies {
		texts[i] = c.String()
	}
	slices.Sort(texts)
	return strings.Join(texts, separator)
}
