package release

import (
	"github.com/google/uuid"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/money"
)

// rulesReader decodes parts of rules. Its buffers serve one part after the other; only prefixes and candidates are
// made anew for each.
type rulesReader struct {
	progress
	row Rule

	prefixes                      prefixReader
	ids, types, strategies, flags []byte
	accounts, lists, spans        []uint32 // of each row
	accountIDs                    []byte
	spanTable                     []span
	listBodies                    [][]byte
	candidates                    [][]Candidate
	priorities, weights, nanos    []int64
}

// nextRule puts the next rule in place, or tells that there is none.
func (r *Reader) nextRule() (bool, error) {
	if r.err != nil {
		return false, r.err
	}
	return r.next(&r.rules.progress, &r.rules, rulesPart, r.head.Rules, "rules")
}

func (p *rulesReader) load(body []byte) error {
	var prefixes []byte
	p.ids, p.accountIDs, p.types, p.strategies, p.flags = nil, nil, nil, nil, nil
	p.spanTable, p.listBodies = p.spanTable[:0], p.listBodies[:0]
	p.accounts, p.spans, p.lists = p.accounts[:0], p.spans[:0], p.lists[:0]
	m := message{rest: body}
	for m.next(8, 10) {
		switch m.field {
		case 1:
			prefixes = m.bytes()
		case 2:
			p.ids = m.bytes()
		case 3:
			p.accountIDs = m.bytes()
		case 4:
			p.accounts = m.places(p.accounts, maxRows)
		case 5:
			p.types = m.bytes()
		case 6:
			p.strategies = m.bytes()
		case 7:
			p.flags = m.bytes()
		case 8:
			p.spanTable = m.span(p.spanTable)
		case 9:
			p.spans = m.places(p.spans, maxRows)
		case 10:
			if len(p.listBodies) == maxRows {
				return layout("there are too many lists of candidates")
			}
			p.listBodies = append(p.listBodies, m.bytes())
		case 11:
			p.lists = m.places(p.lists, maxRows)
		default:
			m.unknown()
		}
	}
	if m.err != nil {
		return m.err
	}
	rows := len(p.ids) / idSize
	if rows < 1 || rows > maxRows || len(p.ids)%idSize != 0 || len(p.accountIDs)%idSize != 0 || len(p.accounts) != rows ||
		len(p.types) != rows || len(p.strategies) != rows || len(p.flags) != rows || len(p.spans) != rows || len(p.lists) != rows {
		return layout("the columns of rules do not have the same length from 1 to %d", maxRows)
	}
	if err := p.loadCandidates(); err != nil {
		return err
	}
	if err := p.prefixes.load(prefixes, rows); err != nil {
		return err
	}
	p.at, p.rows = 0, rows
	return nil
}

// loadCandidates decodes all lists of a part into one piece of memory.
func (p *rulesReader) loadCandidates() error {
	total := 0
	for _, body := range p.listBodies {
		m := message{rest: body}
		if !m.next() || m.field != 1 {
			return layout("a list of candidates has no operators")
		}
		n := len(m.bytes())
		if m.err != nil || n == 0 || n%idSize != 0 || n/idSize > maxCandidates {
			return layout("a list of candidates has %d bytes of operators", n)
		}
		if total += n / idSize; total > maxPartCandidates+maxCandidates {
			return layout("there are more than %d candidates", maxPartCandidates+maxCandidates)
		}
	}
	all := make([]Candidate, total)
	p.candidates = p.candidates[:0]
	for _, body := range p.listBodies {
		n, err := p.readCandidates(body, all)
		if err != nil {
			return err
		}
		p.candidates = append(p.candidates, all[:n:n])
		all = all[n:]
	}
	return nil
}

// readCandidates decodes one list into the start of to, which has room for it.
func (p *rulesReader) readCandidates(body []byte, to []Candidate) (n int, err error) {
	var ids []byte
	p.priorities, p.weights, p.nanos = p.priorities[:0], p.weights[:0], p.nanos[:0]
	codes := 0
	m := message{rest: body}
	for m.next(5) {
		switch m.field {
		case 1:
			ids = m.bytes()
			n = len(ids) / idSize
		case 2:
			p.priorities = m.amounts(p.priorities, n)
		case 3:
			p.weights = m.amounts(p.weights, n)
		case 4:
			p.nanos = m.amounts(p.nanos, n)
		case 5:
			code := m.bytes()
			if codes == n {
				return 0, layout("a list of candidates has more currencies than operators")
			}
			if codes > 0 && len(code) == len(money.Currency{}) && money.Currency(code) == to[codes-1].Price.Currency {
				to[codes].Price.Currency = to[codes-1].Price.Currency // known already, as most are
			} else if to[codes].Price.Currency, err = currency(code, true); err != nil {
				return 0, err
			}
			codes++
		default:
			m.unknown()
		}
	}
	if m.err != nil {
		return 0, m.err
	}
	if len(p.priorities) != n || len(p.weights) != n || len(p.nanos) != n || codes != n {
		return 0, layout("the columns of candidates do not have the same length")
	}
	for i := range n {
		c := &to[i]
		c.Operator = uuid.UUID(ids[i*idSize : (i+1)*idSize])
		c.Priority, c.Weight, c.Price.Nanos = int32(p.priorities[i]), int32(p.weights[i]), p.nanos[i]
		if int64(c.Priority) != p.priorities[i] || int64(c.Weight) != p.weights[i] {
			return 0, layout("a candidate's priority or weight is out of range")
		}
		if err := c.check(); err != nil {
			return 0, layout("%w", err)
		}
	}
	return n, nil
}

// currency reads a code; an empty one is none, where that is allowed.
func currency(code []byte, optional bool) (money.Currency, error) {
	if optional && len(code) == 0 {
		return money.Currency{}, nil
	}
	c, err := money.ParseCurrency(string(code))
	if err != nil {
		return c, layout("a currency: %w", err)
	}
	return c, nil
}

// span adds a span to the table.
func (m *message) span(table []span) []span {
	body := m.bytes()
	if m.err != nil {
		return table
	}
	if len(table) == maxRows {
		m.err = layout("there are too many spans")
		return table
	}
	s, err := readSpan(body)
	if err != nil {
		m.err = err
	}
	return append(table, s)
}

// step puts the next row of the part in place.
func (p *rulesReader) step() error {
	i, row := p.at, &p.row
	before := *row
	account := uuid.Nil
	if at := int(p.accounts[i]); at > 0 {
		if at > len(p.accountIDs)/idSize {
			return layout("a rule names account %d of %d", at, len(p.accountIDs)/idSize)
		}
		account = uuid.UUID(p.accountIDs[(at-1)*idSize : at*idSize])
		if account == uuid.Nil {
			return layout("an account has no id")
		}
	}
	validity, err := place(p.spanTable, p.spans[i])
	if err != nil {
		return err
	}
	if int(p.lists[i]) >= len(p.candidates) {
		return layout("a rule names list %d of %d", p.lists[i], len(p.candidates))
	}
	prefix, same := p.prefixes.next()
	*row = Rule{
		ID: uuid.UUID(p.ids[i*idSize : (i+1)*idSize]), Account: account, Prefix: prefix,
		Types: MessageTypes(p.types[i]), Strategy: routingv1.RoutingStrategy(p.strategies[i]),
		FallThrough: p.flags[i]&fallThroughFlag != 0, Inactive: p.flags[i]&inactiveFlag != 0,
		From: moment(validity.from), To: moment(validity.to), Candidates: p.candidates[p.lists[i]],
	}
	switch {
	case row.ID == uuid.Nil:
		return layout("a rule has no id")
	case p.flags[i] > knownFlags:
		return layout("rule %s: its flags are %d", row.ID, p.flags[i])
	case same && compareWithinPrefix(&before, row) >= 0:
		return layout("the rules are not in order")
	}
	if err := checkTypes(row.Types); err != nil {
		return layout("rule %s: %w", row.ID, err)
	}
	if err := checkStrategy(row.Strategy); err != nil {
		return layout("rule %s: %w", row.ID, err)
	}
	p.at++
	return nil
}

// place looks up a row's span: 0 is always, others count from 1.
func place(table []span, at uint32) (span, error) {
	if at == 0 {
		return always, nil
	}
	if int(at) > len(table) {
		return always, layout("a row names span %d of %d", at, len(table))
	}
	return table[at-1], nil
}
