package operators

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/money"
)

// ratePlan is what an import has to do.
type ratePlan struct {
	put  []Rate
	gone []uuid.UUID
	diff RateDiff
	bad  *BadLines
}

// rows is how many rows of the store change.
func (p *ratePlan) rows() int64 { return int64(len(p.put) + len(p.gone)) }

// period is one price of one prefix and message type, in microseconds since 1970; to is after from, or openEnd.
type period struct {
	from, to int64
	price    money.Money
	// line is that of the deck.
	line *deckLine
	// rate is the stored one, and stored its end as stored.
	rate   *Rate
	stored int64
}

// ratePlanner compares a deck with what is stored.
type ratePlanner struct {
	operator uuid.UUID
	at       int64
	ratePlan

	// The periods of one prefix and message type, and the moments at which they begin and end; kept to be used again.
	deck, present []period
	points        []int64
}

// planRates compares the lines of a deck, in order, with the rates that count now or later, and returns what to store.
// It puts present into order and changes nothing else. Lines that contradict each other are in bad.
func planRates(operator uuid.UUID, scope DeckScope, lines []deckLine, present []Rate, at time.Time) ratePlan {
	p := ratePlanner{operator: operator, at: at.UnixMicro(), ratePlan: ratePlan{bad: new(BadLines)}}
	slices.SortFunc(present, func(a, b Rate) int {
		return cmp.Or(a.compareKeys(b), a.EffectiveFrom.Compare(b.EffectiveFrom))
	})
	// A full deck takes effect when its first price begins to count.
	begin := int64(openEnd)
	for group := range deckGroups(lines) {
		p.resolve(group, true)
		if len(p.deck) > 0 {
			begin = min(begin, p.deck[0].from)
		}
	}
	if begin == openEnd {
		p.bad.add(1, "", "the deck holds no price that counts from now on: each has ended, or there is none")
	}
	if p.bad.Count() > 0 {
		return p.ratePlan
	}
	rest := present
	end := func(group []Rate) {
		if scope == FullDeck {
			p.deck = p.deck[:0]
			p.load(group)
			p.replace(begin)
		}
	}
	for group := range deckGroups(lines) {
		for len(rest) > 0 && compareRateToLine(rest[0], &group[0]) < 0 {
			n := groupLength(rest)
			end(rest[:n])
			rest = rest[n:]
		}
		n := 0
		if len(rest) > 0 && compareRateToLine(rest[0], &group[0]) == 0 {
			n = groupLength(rest)
		}
		p.resolve(group, false)
		if len(p.deck) > 0 {
			p.load(rest[:n])
			p.replace(p.deck[0].from)
		} else {
			// All of it is past: the deck says nothing about this price.
			end(rest[:n])
		}
		rest = rest[n:]
	}
	for len(rest) > 0 {
		n := groupLength(rest)
		end(rest[:n])
		rest = rest[n:]
	}
	p.diff.rank()
	return p.ratePlan
}

func (r Rate) compareKeys(other Rate) int {
	return cmp.Or(cmp.Compare(r.Prefix, other.Prefix), cmp.Compare(r.MessageType, other.MessageType))
}

func compareRateToLine(r Rate, l *deckLine) int {
	return cmp.Or(cmp.Compare(r.Prefix, l.prefix), cmp.Compare(r.MessageType, l.kind))
}

// groupLength is how many rates at the start of a sorted list are of one prefix and message type.
func groupLength(sorted []Rate) int {
	n := 1
	for n < len(sorted) && sorted[n].compareKeys(sorted[0]) == 0 {
		n++
	}
	return n
}

// deckGroups gives the lines of each prefix and message type.
func deckGroups(sorted []deckLine) iter.Seq[[]deckLine] {
	return func(yield func([]deckLine) bool) {
		for first := 0; first < len(sorted); {
			next := first + 1
			for next < len(sorted) && sorted[next].compareKeys(&sorted[first]) == 0 {
				next++
			}
			if !yield(sorted[first:next]) {
				return
			}
			first = next
		}
	}
}

// resolve brings the lines of a prefix and message type into p.deck: what counts from now on, none overlapping. Lines
// of the past are left out; the second time they are counted too.
func (p *ratePlanner) resolve(lines []deckLine, first bool) {
	p.deck = p.deck[:0]
	for i := range lines {
		l := &lines[i]
		from := l.from
		if from == openStart {
			from = p.at
		}
		p.deck = append(p.deck, period{from: from, to: l.to, price: l.price, line: l})
	}
	slices.SortFunc(p.deck, func(a, b period) int { return cmp.Compare(a.from, b.from) })
	kept := p.deck[:0]
	for i, one := range p.deck {
		if i+1 < len(p.deck) {
			next := p.deck[i+1]
			if one.to != openEnd && one.to > next.from && first {
				p.bad.add(int64(one.line.line), deckColumns[colTo],
					"must not be after the start of line %d, which has the same prefix %s and message type", next.line.line, one.line.prefix)
			}
			one.to = min(one.to, next.from)
		}
		if one.to <= p.at || one.to <= one.from {
			if !first {
				p.diff.Unchanged++
			}
			continue
		}
		one.from = max(one.from, p.at)
		kept = append(kept, one)
	}
	p.deck = kept
}

// load brings the stored rates of a prefix and message type into p.present. Of two that overlap, the later one counts
// from its start on.
func (p *ratePlanner) load(rates []Rate) {
	p.present = p.present[:0]
	for i := range rates {
		r := &rates[i]
		one := period{from: r.EffectiveFrom.UnixMicro(), to: openEnd, price: r.Price, rate: r, stored: openEnd}
		if !r.EffectiveTo.IsZero() {
			one.to = r.EffectiveTo.UnixMicro()
			one.stored = one.to
		}
		if i+1 < len(rates) {
			one.to = min(one.to, rates[i+1].EffectiveFrom.UnixMicro())
		}
		p.present = append(p.present, one)
	}
}

// replace puts p.deck in the place of p.present from a moment on.
func (p *ratePlanner) replace(begin int64) {
	p.compare(begin)
	deck := p.deck
	for i := range p.present {
		one := &p.present[i]
		if one.from < begin {
			p.cut(one, begin, &deck)
			continue
		}
		same := slices.IndexFunc(deck, func(d period) bool { return d.from == one.from })
		if same < 0 {
			p.gone = append(p.gone, one.rate.ID)
			continue
		}
		p.update(one, deck[same].to, deck[same].price, deck[same].line)
		deck = slices.Delete(deck, same, same+1)
	}
	for _, d := range deck {
		p.put = append(p.put, Rate{
			ID: newID(), OperatorID: p.operator, Prefix: d.line.prefix, MCC: d.line.mcc, MNC: d.line.mnc, MessageType: d.line.kind,
			Price: d.price, EffectiveFrom: time.UnixMicro(d.from).UTC(), EffectiveTo: ending(d.to),
		})
	}
}

// cut ends a rate that began before. If the deck goes on with its price, it goes on too, and takes that line.
func (p *ratePlanner) cut(one *period, begin int64, deck *[]period) {
	if one.to > begin && len(*deck) > 0 && (*deck)[0].from == begin && (*deck)[0].price == one.price {
		p.update(one, (*deck)[0].to, one.price, (*deck)[0].line)
		*deck = (*deck)[1:]
		return
	}
	p.update(one, min(one.to, begin), one.price, nil)
}

// update stores a rate with another end, price or network, if they are others.
func (p *ratePlanner) update(one *period, to int64, price money.Money, line *deckLine) {
	next := *one.rate
	next.Price, next.EffectiveTo = price, ending(to)
	// A deck that does not tell the network leaves it.
	if line != nil && line.mcc != "" {
		next.MCC, next.MNC = line.mcc, line.mnc
	}
	if to != one.stored || next.Price != one.rate.Price || next.MCC != one.rate.MCC || next.MNC != one.rate.MNC {
		p.put = append(p.put, next)
	}
}

// ending is the time of the end of a period.
func ending(to int64) time.Time {
	if to == openEnd {
		return time.Time{}
	}
	return time.UnixMicro(to).UTC()
}

// compare counts what changes from a moment on.
func (p *ratePlanner) compare(begin int64) {
	p.points = append(p.points[:0], begin)
	for _, all := range [][]period{p.present, p.deck} {
		for _, one := range all {
			p.points = append(p.points, max(one.from, begin), one.to)
		}
	}
	slices.Sort(p.points)
	p.points = slices.Compact(p.points)
	changed := 0
	var lastBefore, lastAfter money.Money
	lastLine := -1
	for _, at := range p.points {
		if at < begin || at == openEnd {
			continue
		}
		before, after := priceAt(p.present, at), priceAt(p.deck, at)
		was, is := priceOf(p.present, before), priceOf(p.deck, after)
		if was != is && after >= 0 && after != lastLine {
			changed++
			lastLine = after
		}
		if was != is && (was != lastBefore || is != lastAfter) {
			p.diff.count(p.change(was, is, at, before, after))
		}
		lastBefore, lastAfter = was, is
	}
	p.diff.Unchanged += int64(len(p.deck) - changed)
}

// change describes what changes at a moment. before and after are the places of the periods, or -1.
func (p *ratePlanner) change(was, is money.Money, at int64, before, after int) RateChange {
	c := RateChange{Kind: changeKind(was, is), Before: was, After: is, EffectiveFrom: time.UnixMicro(at).UTC()}
	if before >= 0 {
		c.Prefix, c.MessageType = p.present[before].rate.Prefix, p.present[before].rate.MessageType
	}
	if after < 0 {
		// A price that ends within the deck ends by the line before.
		for i, one := range p.deck {
			if one.from <= at {
				after = i
			}
		}
	}
	if after >= 0 {
		line := p.deck[after].line
		c.Prefix, c.MessageType, c.Line = line.prefix, line.kind, int64(line.line)
	}
	return c
}

// priceAt gives the place of the period that holds a moment, or -1.
func priceAt(all []period, at int64) int {
	return slices.IndexFunc(all, func(one period) bool { return one.from <= at && at < one.to })
}

// priceOf gives the price of a period, or none.
func priceOf(all []period, place int) money.Money {
	if place < 0 {
		return money.Money{}
	}
	return all[place].price
}
