package release

import (
	"github.com/google/uuid"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/money"
)

// ratesReader decodes parts of rates. Its buffers serve one part after the other; only prefixes are made anew.
type ratesReader struct {
	progress
	row Rate

	prefixes                     prefixReader
	ids, types                   []byte
	operators, currencies, spans []uint32 // of each row
	nanos                        []int64
	operatorIDs                  []byte
	currencyTable                []money.Currency
	spanTable                    []span
}

// nextRate puts the next rate in place, or tells that there is none. It passes over rules.
func (r *Reader) nextRate() (bool, error) {
	for more := true; more; {
		var err error
		if more, err = r.nextRule(); err != nil {
			return false, err
		}
	}
	return r.next(&r.rates.progress, &r.rates, ratesPart, r.head.Rates, "rates")
}

func (p *ratesReader) load(body []byte) error {
	var prefixes []byte
	p.ids, p.types, p.operatorIDs = nil, nil, nil
	p.operators, p.currencies, p.spans, p.nanos = p.operators[:0], p.currencies[:0], p.spans[:0], p.nanos[:0]
	p.currencyTable, p.spanTable = p.currencyTable[:0], p.spanTable[:0]
	m := message{rest: body}
	for m.next(7, 9) {
		switch m.field {
		case 1:
			prefixes = m.bytes()
		case 2:
			p.ids = m.bytes()
		case 3:
			p.operatorIDs = m.bytes()
		case 4:
			p.operators = m.places(p.operators, maxRows)
		case 5:
			p.types = m.bytes()
		case 6:
			p.nanos = m.amounts(p.nanos, maxRows)
		case 7:
			code, err := currency(m.bytes(), false)
			if err != nil || len(p.currencyTable) == maxFX {
				return layout("the currencies are not known, or too many")
			}
			p.currencyTable = append(p.currencyTable, code)
		case 8:
			p.currencies = m.places(p.currencies, maxRows)
		case 9:
			p.spanTable = m.span(p.spanTable)
		case 10:
			p.spans = m.places(p.spans, maxRows)
		default:
			m.unknown()
		}
	}
	if m.err != nil {
		return m.err
	}
	rows := len(p.ids) / idSize
	if rows < 1 || rows > maxRows || len(p.ids)%idSize != 0 || len(p.operatorIDs)%idSize != 0 || len(p.operators) != rows ||
		len(p.types) != rows || len(p.nanos) != rows || len(p.currencies) != rows || len(p.spans) != rows {
		return layout("the columns of rates do not have the same length from 1 to %d", maxRows)
	}
	if err := p.prefixes.load(prefixes, rows); err != nil {
		return err
	}
	p.at, p.rows = 0, rows
	return nil
}

// step puts the next row of the part in place.
func (p *ratesReader) step() error {
	i, row := p.at, &p.row
	before := *row
	operator, code := int(p.operators[i]), int(p.currencies[i])
	if operator >= len(p.operatorIDs)/idSize || code >= len(p.currencyTable) {
		return layout("a rate names an operator or a currency that is not there")
	}
	validity, err := place(p.spanTable, p.spans[i])
	if err != nil {
		return err
	}
	prefix, same := p.prefixes.next()
	*row = Rate{
		ID:       uuid.UUID(p.ids[i*idSize : (i+1)*idSize]),
		Operator: uuid.UUID(p.operatorIDs[operator*idSize : (operator+1)*idSize]), Prefix: prefix,
		Type: routingv1.MessageType(p.types[i]), Price: money.Money{Nanos: p.nanos[i], Currency: p.currencyTable[code]},
		From: moment(validity.from), To: moment(validity.to),
	}
	switch {
	case row.ID == uuid.Nil || row.Operator == uuid.Nil:
		return layout("a rate has no id or no operator")
	case row.Price.Nanos < 0:
		return layout("rate %s: its price is negative", row.ID)
	case same && compareRatesWithinPrefix(&before, row) >= 0:
		return layout("the rates are not in order")
	}
	if err := checkMessageType(row.Type); err != nil {
		return layout("rate %s: %w", row.ID, err)
	}
	p.at++
	return nil
}
