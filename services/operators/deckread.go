package operators

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// deckLine is one price of a deck. It is kept small, because a deck may have a million.
type deckLine struct {
	prefix   e164.Prefix
	mcc, mnc string
	price    money.Money
	// from and to are in microseconds since 1970, or openStart and openEnd.
	from, to int64
	line     int32
	kind     MessageTypes
}

// compareKeys orders by what a price is for.
func (l *deckLine) compareKeys(other *deckLine) int {
	return cmp.Or(cmp.Compare(l.prefix, other.prefix), cmp.Compare(l.kind, other.kind))
}

// deckReader reads the lines of a deck.
type deckReader struct {
	Deck
	header deckHeader
	// strict refuses cells beyond the header.
	strict bool
	bad    *BadLines

	cells    [columnCount]string
	networks map[string]string
	lines    []deckLine
}

// read gives the lines of the deck, by prefix, message type and start, and the headers. Lines that cannot be taken are
// in bad. The error is a fault, or that of ctx.
func (d Deck) read(ctx context.Context, workbooks Workbooks, progress Progress) (lines []deckLine, headers []string, bad *BadLines, err error) {
	bad = new(BadLines)
	rows, err := d.open(ctx, workbooks, bad)
	if err != nil || rows == nil {
		return nil, nil, bad, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	header, headers, ok, err := d.header(rows, bad)
	if err != nil || !ok {
		return nil, headers, bad, err
	}
	_, text := rows.(*csvDeck)
	r := deckReader{Deck: d, header: header, strict: text, bad: bad, networks: make(map[string]string)}
	if err := r.all(ctx, rows, progress); err != nil {
		return nil, nil, nil, err
	}
	r.sort()
	return r.lines, headers, bad, nil
}

func (r *deckReader) all(ctx context.Context, rows RowReader, progress Progress) error {
	total, reported := rows.Lines(), int64(0)
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			progress.report(max(total, reported), max(total, reported))
			return nil
		}
		if err != nil {
			return err
		}
		if row.Line-reported >= progressStep {
			if err := ctx.Err(); err != nil {
				return err
			}
			reported = row.Line
			progress.report(reported, max(total, reported))
		}
		if row.Problem != "" {
			r.bad.add(row.Line, "", "%s", row.Problem)
			continue
		}
		r.row(row)
		switch {
		case len(r.lines) > MaxDeckRates:
			r.bad.end(row.Line, "the deck has more than %d prices: split it", MaxDeckRates)
			r.lines = nil
			return nil
		case row.Line >= MaxLines:
			r.bad.end(row.Line, "the deck has more than %d lines: split it", MaxLines-1)
			return nil
		}
	}
}

// row takes one row.
func (r *deckReader) row(row Row) {
	empty := true
	for c, place := range r.header.at {
		r.cells[c] = ""
		if place < 0 || place >= len(row.Cells) {
			continue
		}
		cell := strings.TrimSpace(row.Cells[place])
		switch {
		case len(cell) > MaxField:
			r.bad.add(row.Line, deckColumns[c], "must have at most %d bytes", MaxField)
			return
		case !utf8.ValidString(cell):
			r.bad.add(row.Line, deckColumns[c], "must be UTF-8")
			return
		}
		r.cells[c] = unguard(cell)
		empty = empty && cell == ""
	}
	if r.strict && overfull(row.Cells, r.header.width) {
		r.bad.add(row.Line, "", "the line has more fields than the header: quote fields that hold the separator, such as prices with a comma")
		return
	}
	if !empty {
		r.prices(row.Line)
	}
}

// overfull reports whether a row has cells beyond its header. In a text, a comma inside a price that is not quoted makes
// two cells out of one and moves all that follow.
func overfull(cells []string, width int) bool {
	return slices.ContainsFunc(cells[min(width, len(cells)):], func(cell string) bool { return strings.TrimSpace(cell) != "" })
}

// prices takes the prices of the present cells.
func (r *deckReader) prices(line int64) {
	bad := false
	check := func(c column, problem string) {
		if problem != "" {
			bad = true
			r.bad.add(line, deckColumns[c], "%s", problem)
		}
	}
	one := deckLine{line: int32(line), from: r.start(), to: openEnd}
	nanos, problem := parsePrice(r.cells[colPrice])
	check(colPrice, problem)
	currency, problem := r.currency()
	check(colCurrency, problem)
	one.price = money.Money{Nanos: nanos, Currency: currency}
	one.kind, problem = r.messageType()
	check(colMessageType, problem)
	check(colMCC, checkMCC(r.cells[colMCC]))
	check(colMNC, checkMNC(r.cells[colMCC], r.cells[colMNC]))
	one.mcc, one.mnc = r.network(colMCC), r.network(colMNC)
	if cell := r.cells[colFrom]; cell != "" {
		one.from, problem = parseMoment(cell)
		check(colFrom, problem)
	}
	if cell := r.cells[colTo]; cell != "" {
		one.to, problem = parseMoment(cell)
		check(colTo, problem)
		if problem == "" && one.to <= one.from {
			check(colTo, "must be after the start of the price")
		}
	}
	before := len(r.lines)
	check(colPrefix, parsePrefixes(r.cells[colCountryCode], r.cells[colPrefix], func(prefix e164.Prefix) {
		one.prefix = prefix
		r.lines = append(r.lines, one)
	}))
	if bad {
		r.lines = r.lines[:before]
	}
}

// start is when a line without a date begins to count.
func (r *deckReader) start() int64 {
	if r.EffectiveFrom.IsZero() {
		return openStart
	}
	return moment(r.EffectiveFrom).UnixMicro()
}

func (r *deckReader) currency() (money.Currency, string) {
	cell := r.cells[colCurrency]
	if cell == "" {
		if r.DefaultCurrency.IsZero() {
			return money.Currency{}, "must be given, since there is no default currency"
		}
		return r.DefaultCurrency, ""
	}
	currency, err := money.ParseCurrency(strings.ToUpper(cell))
	if err != nil {
		return currency, currencyProblem
	}
	return currency, ""
}

func (r *deckReader) messageType() (MessageTypes, string) {
	cell := r.cells[colMessageType]
	if cell == "" {
		return cmp.Or(r.DefaultType, SMS), ""
	}
	kind, err := parseMessageType(strings.ToUpper(cell))
	if err != nil {
		return 0, "must be " + alternatives(messageTypeNames[:])
	}
	return kind, ""
}

// network gives a code of which there is one copy for all lines: a cell is part of a whole row.
func (r *deckReader) network(c column) string {
	code := r.cells[c]
	if code == "" || len(code) > 3 {
		return ""
	}
	one, known := r.networks[code]
	if !known {
		one = strings.Clone(code)
		r.networks[one] = one
	}
	return one
}

// sort brings the lines into order, and notes those that stand in the deck twice.
func (r *deckReader) sort() {
	slices.SortFunc(r.lines, func(a, b deckLine) int {
		return cmp.Or(a.compareKeys(&b), cmp.Compare(a.from, b.from), cmp.Compare(a.line, b.line))
	})
	first := 0
	for i := 1; i < len(r.lines); i++ {
		one, other := &r.lines[first], &r.lines[i]
		if one.compareKeys(other) != 0 || one.from != other.from {
			first = i
			continue
		}
		r.bad.add(int64(other.line), deckColumns[colPrefix], "line %d has the same prefix %s, message type and start", one.line, other.prefix)
	}
}
