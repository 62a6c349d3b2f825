package routing

import (
	"sort"

	"trunkline/services/platform/e164"
)

// scored is a candidate under evaluation: what the rule says of it, what was found, and the keys it is
// ranked by.
type scored struct {
	nanos     int64
	key       price // comparable price; only valid with hasKey
	draw      float64
	health    healthWord
	operator  uint32
	priority  int32
	weight    int32
	currency  uint16
	rateDepth uint8 // digits of the rate's prefix; 0 is an override or no price
	class     uint8 // health class by strategy; smaller is better
	rejection Rejection
	hasKey    bool
}

// search is one decision under way. It lives on the stack of Decide.
type search struct {
	t      *Table
	q      *Query
	d      *Decision
	digits string
	now    int64 // microseconds since 1970
	seed   uint64

	rates      path
	ratesReady bool
}

// Decide answers the query from this table into d. tr may be nil. The error is nil, ErrNoRoute or
// ErrNoUsableOperator; d tells the versions in every case. d.ID must be set before, because the
// weighted draw of a message without id depends on it.
func (t *Table) Decide(q *Query, d *Decision, tr *Trace) error {
	d.reset()
	d.Versions = t.versions
	s := search{t: t, q: q, d: d, digits: q.To.Digits(), now: q.At.UnixMicro(), seed: drawSeed(q.MessageID, d.ID)}

	var p path
	t.rules.walk(s.digits, &p)
	account, hasOwn := t.accounts[q.Account]

	// barred is the prefix length from which on rules are not asked any more: 0 ends the search. A rule
	// that falls through hands on to the next SHORTER prefix, so the rest of its own length is barred.
	barred := maxDepth + 1
	matched := false
	for i := p.n - 1; i >= 0; i-- {
		depth := int(p.depth[i])
		lo, hi := t.rules.rows(p.node[i])
		rows := t.ruleRows[lo:hi]
		if hasOwn {
			for j := firstOf(rows, account); j < len(rows) && rows[j].account == account; j++ {
				s.rule(&rows[j], depth, &barred, &matched, tr)
			}
		}
		for j := 0; j < len(rows) && rows[j].account == 0; j++ {
			s.rule(&rows[j], depth, &barred, &matched, tr)
		}
		if barred == 0 && tr == nil {
			break
		}
	}
	switch {
	case len(d.Choices) > 0:
		return nil
	case matched:
		return ErrNoUsableOperator
	}
	return ErrNoRoute
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
func (s *search) rule(row *ruleRow, depth int, barred *int, matched *bool, tr *Trace) {
	outcome := RuleOutcome(0)
	switch {
	case row.flags&flagInactive != 0:
		outcome = RuleInactive
	case !row.types.Has(s.q.Type):
		outcome = RuleTypeMismatch
	case row.span != 0 && !s.t.spans[row.span].holds(s.now):
		outcome = RuleNotInForce
	case *barred == 0:
		outcome = RuleNotReached
	case depth >= *barred:
		outcome = RuleSkipped
	}
	if outcome != 0 {
		tr.rule(s.t, row, s.digits[:depth], outcome)
		return
	}
	*matched = true
	usable := s.evaluate(row)
	switch {
	case usable > 0:
		outcome = RuleSelected
		*barred = 0
		s.choose(row, depth, usable)
	case row.flags&flagFallThrough != 0:
		outcome = RuleFellThrough
		*barred = depth
	default:
		outcome = RuleExhausted
		*barred = 0
	}
	tr.rule(s.t, row, s.digits[:depth], outcome)
	tr.candidates(s.t, s.d.scored, s.digits, s.now)
}

// evaluate judges and ranks the candidates of a rule into d.scored, usable ones first, and gives their
// number.
func (s *search) evaluate(row *ruleRow) (usable int) {
	list := s.d.scored[:0]
	span := s.t.sets[row.set]
	for i := range s.t.candidates[span.first : span.first+span.n] {
		c := &s.t.candidates[span.first+uint32(i)]
		list = append(list, scored{operator: c.operator, priority: c.priority, weight: c.weight, currency: c.currency, nanos: c.nanos})
		s.judge(&list[i], row.strategy)
	}
	s.d.scored = list
	comparePrices(s.t, list, row.strategy)
	usable = partition(list)
	if row.strategy == Weighted {
		for i := range list[:usable] {
			list[i].draw = raceTime(s.seed, epochBit(s.t.operators[list[i].operator].ID), list[i].weight)
		}
	}
	s.sort(list[:usable], row.strategy)
	return usable
}

// judge finds price, health and rejection of one candidate.
func (s *search) judge(c *scored, strategy Strategy) {
	o := &s.t.operators[c.operator]
	c.health = healthWord(o.health.word.Load())
	known := c.health.known(s.now)
	if c.currency == 0 {
		s.rate(c)
	}
	c.class = classOf(c.health, known, strategy)
	switch {
	case o.Status == StatusUnknown:
		c.rejection = RejectedUnknown
	case o.Status != StatusActive:
		c.rejection = RejectedNotActive
	case s.q.excludes(o.ID):
		c.rejection = RejectedExcluded
	case !o.Types.Has(s.q.Type):
		c.rejection = RejectedMessageType
	case o.ReceivesOnly:
		c.rejection = RejectedReceivesOnly
	case c.health.bind() == Unbound:
		c.rejection = RejectedUnbound
	case c.health.quality() == Unhealthy:
		c.rejection = RejectedUnhealthy
	case strategy == Cost && c.currency == 0:
		c.rejection = RejectedNoRate
	}
}

// rate finds the operator's own longest prefix with a rate in force.
func (s *search) rate(c *scored) {
	if !s.ratesReady {
		s.t.rates.walk(s.digits, &s.rates)
		s.ratesReady = true
	}
	for i := s.rates.n - 1; i >= 0; i-- {
		lo, hi := s.t.rates.rows(s.rates.node[i])
		rows := s.t.rateRows[lo:hi]
		at := 0
		if len(rows) > 16 {
			at = sort.Search(len(rows), func(j int) bool { return rows[j].operator >= c.operator })
		}
		for ; at < len(rows) && rows[at].operator <= c.operator; at++ {
			r := &rows[at]
			if r.operator == c.operator && r.kind == s.q.Type && s.t.spans[r.span].holds(s.now) {
				c.nanos, c.currency, c.rateDepth = r.nanos, r.currency, s.rates.depth[i]
				return
			}
		}
	}
}

// choose makes the usable candidates the answer.
func (s *search) choose(row *ruleRow, depth, usable int) {
	d := s.d
	d.Rule, d.Strategy, d.Prefix = row.id, row.strategy, e164.Prefix(s.digits[:depth])
	for i := range d.scored[:usable] {
		c := &d.scored[i]
		d.Choices = append(d.Choices, Choice{Operator: s.t.operators[c.operator].Operator, Price: s.t.price(c.currency, c.nanos)})
	}
	d.HealthUnknown = !d.scored[0].health.known(s.now)
}

// partition puts usable candidates first, keeping the order among each kind, and gives their number.
func partition(list []scored) (usable int) {
	for i := range list {
		if list[i].rejection != NotRejected {
			continue
		}
		if i > usable {
			c := list[i]
			copy(list[usable+1:i+1], list[usable:i])
			list[usable] = c
		}
		usable++
	}
	return usable
}
