package routing

import (
	"sort"

	"trunkline/services/platform/e164"
)

// scored is a candidate under evaluation: what the rule says of it, what was found, and where it stands.
type scored struct {
	standing  standing
	nanos     int64
	health    healthWord
	draw      float64
	operator  uint32
	order     uint32 // by operator id
	priority  int32
	weight    int32
	currency  uint16
	rateDepth uint8 // digits of the rate's prefix; 0 is an override or no price
	class     uint8 // health class by strategy; smaller is better
	rejection Rejection
}

// search is one decision under way. It lives on the stack of Decide.
type search struct {
	t      *Table
	q      *Query
	d      *Decision
	tr     *Trace
	digits string
	now    int64 // microseconds since 1970

	// barred is the prefix length from which on rules are not asked any more: 0 ends the search. A rule
	// that falls through hands on to the next SHORTER prefix, so the rest of its own length is barred.
	barred  int
	matched bool

	ratesReady bool
}

// Decide answers the query from this table into d. tr may be nil. The error is nil, ErrNoRoute or
// ErrNoUsableOperator; d tells the versions in every case. d.ID must be set before, because the
// weighted draw of a message without id depends on it.
func (t *Table) Decide(q *Query, d *Decision, tr *Trace) error {
	d.reset()
	d.Versions = t.versions
	s := search{t: t, q: q, d: d, tr: tr, digits: q.To.Digits(), now: q.At.UnixMicro(), barred: maxDepth + 1}
	var p path
	t.rules.walk(s.digits, &p)
	for s.barred > 0 || tr != nil {
		n, place, depth, ok := p.next()
		if !ok {
			break
		}
		lo, hi := t.rules.span(n, place)
		s.prefix(t.ruleRows[lo:hi], depth)
	}
	switch {
	case len(d.Choices) > 0:
		return nil
	case s.matched:
		return ErrNoUsableOperator
	}
	return ErrNoRoute
}

// prefix asks the rules of one prefix: first those of the account, which are last in rows, then the global ones.
func (s *search) prefix(rows []ruleRow, depth int) {
	if rows[len(rows)-1].account != 0 {
		if account, ok := s.t.accounts[s.q.Account]; ok {
			for j := firstOf(rows, account); j < len(rows) && rows[j].account == account; j++ {
				s.rule(&rows[j], depth)
			}
		}
	}
	for j := 0; j < len(rows) && rows[j].account == 0; j++ {
		s.rule(&rows[j], depth)
	}
}

// firstOf finds the first row of an account, or where it would be.
func firstOf(rows []ruleRow, account uint32) int {
	if len(rows) <= 8 {
		for j := range rows {
			if rows[j].account >= account {
				return j
			}
		}
		return len(rows)
	}
	return sort.Search(len(rows), func(j int) bool { return rows[j].account >= account })
}

// rule asks one matching rule.
func (s *search) rule(row *ruleRow, depth int) {
	outcome := RuleOutcome(0)
	switch {
	case row.how&flagInactive != 0:
		outcome = RuleInactive
	case !row.types.Has(s.q.Type):
		outcome = RuleTypeMismatch
	case row.span != 0 && !s.t.spans[row.span].holds(s.now):
		outcome = RuleNotInForce
	case s.barred == 0:
		outcome = RuleNotReached
	case depth >= s.barred:
		outcome = RuleSkipped
	}
	if outcome != 0 {
		s.tr.rule(s.t, row, s.digits[:depth], outcome)
		return
	}
	s.matched = true
	usable := s.evaluate(row)
	switch {
	case usable > 0:
		outcome = RuleSelected
		s.barred = 0
		s.choose(row, depth, usable)
	case row.how&flagFallThrough != 0:
		outcome = RuleFellThrough
		s.barred = depth
	default:
		outcome = RuleExhausted
		s.barred = 0
	}
	s.tr.rule(s.t, row, s.digits[:depth], outcome)
	s.tr.candidates(s.t, s.d, s.digits, s.now)
}

// evaluate judges and ranks the candidates of a rule, into d.scored as the rule has them and d.ranked best first, rejected
// ones last. It gives the number of usable ones.
func (s *search) evaluate(row *ruleRow) (usable int) {
	if !s.ratesReady {
		s.ranges() // before the candidates are known: the processor does it while it waits for them
	}
	candidates := s.t.candidates[row.first : row.first+uint32(row.count)]
	s.d.room(len(candidates))
	list := s.d.scored
	strategy := row.strategy()
	currency, mixed := uint16(0), false
	for i := range candidates {
		c := &list[i]
		s.judge(c, &candidates[i], strategy)
		if c.rejection == NotRejected && c.currency != 0 {
			mixed = mixed || currency != 0 && c.currency != currency
			currency = c.currency
		}
	}
	if strategy == Weighted {
		s.race(list)
	}
	usable = s.stands(list, strategy, mixed)
	rank(list, s.d.ranked)
	return usable
}

// race draws among the candidates; those that are rejected do not matter to the others.
func (s *search) race(list []scored) {
	seed := drawSeed(s.q.MessageID, s.d.ID)
	for i := range list {
		list[i].draw = raceTime(seed, epochBit(s.t.operators[list[i].operator].ID), list[i].weight)
	}
}

// judge finds price, health and rejection of one candidate.
func (s *search) judge(c *scored, row *candidateRow, strategy Strategy) {
	o := &s.t.operators[row.operator]
	*c = scored{operator: row.operator, order: o.order, priority: row.priority, weight: row.weight}
	c.health = healthWord(o.health.word.Load())
	if row.price != 0 {
		price := &s.t.prices[row.price]
		c.nanos, c.currency = price.nanos, price.currency
	} else {
		s.rate(c)
	}
	c.class = classOf(c.health, c.health.known(s.now), strategy)
	if !o.sends.Has(s.q.Type) || c.health.blocked() || len(s.q.Exclude) > 0 || c.currency == 0 {
		c.rejection = s.reject(o, c, strategy)
	}
}

// reject tells why a candidate cannot be used; NotRejected when it can.
func (s *search) reject(o *operatorRow, c *scored, strategy Strategy) Rejection {
	switch {
	case o.Status == StatusUnknown:
		return RejectedUnknown
	case o.Status != StatusActive:
		return RejectedNotActive
	case s.q.excludes(o.ID):
		return RejectedExcluded
	case !o.Types.Has(s.q.Type):
		return RejectedMessageType
	case o.ReceivesOnly:
		return RejectedReceivesOnly
	case c.health.bind() == Unbound:
		return RejectedUnbound
	case c.health.quality() == Unhealthy:
		return RejectedUnhealthy
	case strategy == Cost && c.currency == 0:
		return RejectedNoRate
	}
	return NotRejected
}

// choose makes the usable candidates the answer.
func (s *search) choose(row *ruleRow, depth, usable int) {
	d := s.d
	d.Rule, d.Strategy, d.Prefix = row.id, row.strategy(), e164.Prefix(s.digits[:depth])
	if cap(d.Choices) < usable {
		d.Choices = make([]Choice, 0, 2*usable)
	}
	d.Choices = d.Choices[:usable]
	for i := range d.Choices {
		c, choice := &d.scored[d.ranked[i]], &d.Choices[i]
		choice.Operator = s.t.operators[c.operator].Operator
		choice.Price.Nanos, choice.Price.Currency = c.nanos, s.t.currencies[c.currency].code
	}
	d.HealthUnknown = !d.scored[d.ranked[0]].health.known(s.now)
}
