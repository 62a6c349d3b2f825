package operators_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

const rateHeader = "prefix,price,currency,effective_from,effective_to,mcc,mnc\n"

// changes writes the changes of a diff as text.
func changes(d operators.RateDiff) []string {
	kinds := []string{"", "new", "raised", "lowered", "ended", "currency"}
	all := make([]string, 0, len(d.Changes))
	for _, c := range d.Changes {
		all = append(all, fmt.Sprintf("%s %s %s: %s -> %s from %s, line %d", kinds[c.Kind], c.Prefix, c.MessageType, c.Before, c.After,
			c.EffectiveFrom.Format(time.DateTime), c.Line))
	}
	return all
}

func TestWhatADeckChangesAndWhatIsStored(t *testing.T) {
	const before = rateHeader + "44,1,EUR,,,,\n45,1,EUR,,2027-06-01,,\n46,1,EUR,2027-01-01,,,\n47,1,EUR,,,234,10\n"
	later := noon.Add(time.Hour)
	for _, c := range []struct {
		name            string
		deck            operators.Deck
		changes, stored []string
		unchanged       int64
	}{
		{"raised, lowered, in another currency, new and the same", partial(rateHeader + "44,2,EUR,,,,\n45,0.5,EUR,,2027-06-01,,\n46,1,USD,2027-01-01,,,\n47,1,EUR,,,,\n48,1,EUR,,,,\n"), []string{
			"raised +44 SMS: 1.000000 EUR -> 2.000000 EUR from 2026-11-21 13:00:00, line 2",
			"currency +46 SMS: 1.000000 EUR -> 1.000000 USD from 2027-01-01 00:00:00, line 4",
			"new +48 SMS: no price -> 1.000000 EUR from 2026-11-21 13:00:00, line 6",
			"lowered +45 SMS: 1.000000 EUR -> 0.500000 EUR from 2026-11-21 13:00:00, line 3",
		}, []string{
			"+44 SMS 1.000000 EUR from 2026-11-21 12:00:00 to 2026-11-21 13:00:00",
			"+44 SMS 2.000000 EUR from 2026-11-21 13:00:00 to for ever",
			"+45 SMS 1.000000 EUR from 2026-11-21 12:00:00 to 2026-11-21 13:00:00",
			"+45 SMS 0.500000 EUR from 2026-11-21 13:00:00 to 2027-06-01 00:00:00",
			"+46 SMS 1.000000 USD from 2027-01-01 00:00:00 to for ever",
			"+47 SMS 1.000000 EUR [234/10] from 2026-11-21 12:00:00 to for ever",
			"+48 SMS 1.000000 EUR from 2026-11-21 13:00:00 to for ever",
		}, 1},
		{"a full deck ends what it does not name, also what has not begun", full(rateHeader + "44,1,EUR,,,,\n"), []string{
			"ended +45 SMS: 1.000000 EUR -> no price from 2026-11-21 13:00:00, line 0",
			"ended +46 SMS: 1.000000 EUR -> no price from 2027-01-01 00:00:00, line 0",
			"ended +47 SMS: 1.000000 EUR -> no price from 2026-11-21 13:00:00, line 0",
		}, []string{
			"+44 SMS 1.000000 EUR from 2026-11-21 12:00:00 to for ever",
			"+45 SMS 1.000000 EUR from 2026-11-21 12:00:00 to 2026-11-21 13:00:00",
			"+47 SMS 1.000000 EUR [234/10] from 2026-11-21 12:00:00 to 2026-11-21 13:00:00",
		}, 1},
		{"a full deck for later ends the others only then", full(rateHeader + "44,1,EUR,2027-03-01,,,\n48,1,EUR,2027-04-01,,,\n"), []string{
			"ended +45 SMS: 1.000000 EUR -> no price from 2027-03-01 00:00:00, line 0",
			"ended +46 SMS: 1.000000 EUR -> no price from 2027-03-01 00:00:00, line 0",
			"ended +47 SMS: 1.000000 EUR -> no price from 2027-03-01 00:00:00, line 0",
			"new +48 SMS: no price -> 1.000000 EUR from 2027-04-01 00:00:00, line 3",
		}, []string{
			"+44 SMS 1.000000 EUR from 2026-11-21 12:00:00 to for ever",
			"+45 SMS 1.000000 EUR from 2026-11-21 12:00:00 to 2027-03-01 00:00:00",
			"+46 SMS 1.000000 EUR from 2027-01-01 00:00:00 to 2027-03-01 00:00:00",
			"+47 SMS 1.000000 EUR [234/10] from 2026-11-21 12:00:00 to 2027-03-01 00:00:00",
			"+48 SMS 1.000000 EUR from 2027-04-01 00:00:00 to for ever",
		}, 1},
		{"a new price takes the place of the one that was to come", partial(rateHeader + "46,2,EUR,2026-12-01,,,\n"), []string{
			"raised +46 SMS: 1.000000 EUR -> 2.000000 EUR from 2027-01-01 00:00:00, line 2",
			"new +46 SMS: no price -> 2.000000 EUR from 2026-12-01 00:00:00, line 2",
		}, []string{
			"+44 SMS 1.000000 EUR from 2026-11-21 12:00:00 to for ever",
			"+45 SMS 1.000000 EUR from 2026-11-21 12:00:00 to 2027-06-01 00:00:00",
			"+46 SMS 2.000000 EUR from 2026-12-01 00:00:00 to for ever",
			"+47 SMS 1.000000 EUR [234/10] from 2026-11-21 12:00:00 to for ever",
		}, 0},
		{"another end and another network of the same price", partial(rateHeader + "44,1,EUR,,2027-01-01,,\n45,1,EUR,,,,\n47,1,EUR,,,234,20\n"), []string{
			"ended +44 SMS: 1.000000 EUR -> no price from 2027-01-01 00:00:00, line 2",
			"new +45 SMS: no price -> 1.000000 EUR from 2027-06-01 00:00:00, line 3",
		}, []string{
			"+44 SMS 1.000000 EUR from 2026-11-21 12:00:00 to 2027-01-01 00:00:00",
			"+45 SMS 1.000000 EUR from 2026-11-21 12:00:00 to for ever",
			"+46 SMS 1.000000 EUR from 2027-01-01 00:00:00 to for ever",
			"+47 SMS 1.000000 EUR [234/20] from 2026-11-21 12:00:00 to for ever",
		}, 2},
		{"a start in the past is now, and what is past is left out", partial(rateHeader + "44,2,EUR,2020-01-01,,,\n45,9,EUR,2020-01-01,2021-01-01,,\n"), []string{
			"raised +44 SMS: 1.000000 EUR -> 2.000000 EUR from 2026-11-21 13:00:00, line 2",
		}, []string{
			"+44 SMS 1.000000 EUR from 2026-11-21 12:00:00 to 2026-11-21 13:00:00",
			"+44 SMS 2.000000 EUR from 2026-11-21 13:00:00 to for ever",
			"+45 SMS 1.000000 EUR from 2026-11-21 12:00:00 to 2027-06-01 00:00:00",
			"+46 SMS 1.000000 EUR from 2027-01-01 00:00:00 to for ever",
			"+47 SMS 1.000000 EUR [234/10] from 2026-11-21 12:00:00 to for ever",
		}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newRateStore()
			require.Equal(t, int64(4), s.take(t, full(before), noon).New)
			before := s.version
			preview, err := s.importer(later).ImportRates(t.Context(), operators.Request{Actor: "ann", ValidateOnly: true, ID: "1"},
				operators.Deck{OperatorID: nordlink, Scope: c.deck.Scope, File: c.deck.File}, nil)
			require.NoError(t, err)
			require.Equal(t, before, s.version)
			require.False(t, preview.Applied)
			require.Zero(t, preview.ConfigVersion)
			require.Equal(t, 1, s.woken, "a preview wakes nobody")

			diff := s.take(t, c.deck, later)
			require.Equal(t, c.changes, changes(diff))
			require.Equal(t, c.unchanged, diff.Unchanged)
			require.ElementsMatch(t, c.stored, s.listed())
			require.Equal(t, before+1, diff.ConfigVersion)
			require.Equal(t, 2, s.woken)
			preview.Applied, preview.ConfigVersion = true, diff.ConfigVersion
			require.Equal(t, preview, diff, "the preview says what the import does")

			again := s.take(t, c.deck, later)
			require.Empty(t, again.Changes)
			require.Zero(t, again.ConfigVersion, "nothing was left to do")
			require.Len(t, s.entries, 2)
		})
	}
}

func TestAPriceThatIsReplacedAtTheMomentOfItsStartLeavesNoEmptyPeriod(t *testing.T) {
	s := newRateStore()
	s.take(t, full(rateHeader+"44,1,EUR,,,,\n45,1,EUR,,,,\n46,1,EUR,,,,\n"), noon)
	s.take(t, full(rateHeader+"44,2,EUR,,,,\n46,1,EUR,2027-01-01,,,\n"), noon)
	require.ElementsMatch(t, []string{
		"+44 SMS 2.000000 EUR from 2026-11-21 12:00:00 to for ever", "+46 SMS 1.000000 EUR from 2026-11-21 12:00:00 to for ever",
	}, s.listed())
}

func TestPeriodsThatOverlapAreNotLeftSo(t *testing.T) {
	for _, deck := range []operators.Deck{partial(rateHeader + "44,3,EUR,2027-02-01,,,\n"), full(rateHeader + "45,3,EUR,2027-02-01,,,\n")} {
		s := newRateStore()
		s.take(t, full(rateHeader+"44,1,EUR,,2027-01-01,,\n44,2,EUR,2027-01-01,,,\n"), noon)
		for id, r := range s.rates {
			r.EffectiveTo = time.Time{} // as somebody with SQL may have left it
			s.rates[id] = r
		}
		s.take(t, deck, noon.Add(time.Hour))
	}
}

func TestTheLargestChangesComeFirstAndAllAreCounted(t *testing.T) {
	var before, after bytes.Buffer
	before.WriteString(rateHeader)
	after.WriteString(rateHeader)
	for i := range 3000 {
		fmt.Fprintf(&before, "%d,%d,EUR,,,,\n", 10_000+i, 3000-i)
		fmt.Fprintf(&after, "%d,%d,EUR,,,,\n", 10_000+i, 3001-i)
	}
	before.WriteString("20000,0,EUR,,,,\n20001,1,EUR,,,,\n20002,2,EUR,,,,\n")
	after.WriteString("20000,0.000000001,EUR,,,,\n20001,0.9,EUR,,,,\n20002,0.1,EUR,,,,\n")
	s := newRateStore()
	s.take(t, full(before.String()), noon)
	diff := s.take(t, partial(after.String()), noon.Add(1))
	require.EqualValues(t, 3001, diff.Raised)
	require.EqualValues(t, 2, diff.Lowered)
	require.Len(t, diff.Changes, operators.MaxRateChanges)
	require.Equal(t, e164.Prefix("20000"), diff.Changes[0].Prefix, "a price that was 0")
	require.Equal(t, e164.Prefix("12999"), diff.Changes[1].Prefix, "a price that is twice what it was")
	require.Equal(t, e164.Prefix("12998"), diff.Changes[2].Prefix)
	diff = s.take(t, partial(rateHeader+"20001,0.8,EUR,,,,\n20002,0.01,EUR,,,,\n"), noon.Add(time.Second))
	require.Equal(t, e164.Prefix("20002"), diff.Changes[0].Prefix, "lowered by most percent")
}

func TestTheFiguresOfARequestThatIsRepeatedAreThoseOfTheFirst(t *testing.T) {
	s := newRateStore()
	asked := operators.Request{Actor: "ann", ID: "one"}
	deck := operators.Deck{OperatorID: nordlink, Scope: operators.FullDeck, File: []byte(rateHeader + "44,1,EUR,,,,\n45,1,EUR,,,,\n")}
	first, err := s.importer(noon).ImportRates(t.Context(), asked, deck, nil)
	require.NoError(t, err)
	deck.File = []byte("this is not read")
	second, err := s.importer(noon).ImportRates(t.Context(), asked, deck, nil)
	require.NoError(t, err)
	first.Changes, first.Headers = nil, nil
	require.Equal(t, first, second)
	require.EqualValues(t, 2, second.New)
	require.True(t, second.Applied)
	require.Len(t, s.entries, 1)
}

func TestAnImportIsRecordedWithItsFigures(t *testing.T) {
	s := newRateStore()
	diff := s.take(t, full(rateHeader+"44,1,EUR,,,,\n45,1,EUR,,,,\n"), noon)
	require.Len(t, s.entries, 1)
	e := s.entries[0]
	require.Equal(t, "rates.import operator "+nordlink.String(), e.Action+" "+e.Entity+" "+e.EntityID)
	require.JSONEq(t, `{"operator_id":"`+nordlink.String()+`","scope":"FULL","stored":2,"removed":0,
		"new":2,"raised":0,"lowered":0,"ended":0,"currency":0,"unchanged":0,"config_version":2}`, string(e.After))
	require.Nil(t, e.Before)
	require.Len(t, e.Events, 1)
	require.NotZero(t, e.Events[0].ID)
	e.Events[0].ID = nordlink
	require.Equal(t, operators.Event{ID: nordlink, Kind: operators.EventUpdated, ConfigVersion: diff.ConfigVersion, OccurredAt: noon}, e.Events[0])
	require.Equal(t, noon, e.At)
}

func TestNothingIsStoredForAnOperatorThatDoesNotLive(t *testing.T) {
	for _, id := range [][16]byte{closed, {9}} {
		s := newRateStore()
		deck := operators.Deck{OperatorID: id, Scope: operators.FullDeck, File: []byte(rateHeader + "44,1,EUR,,,,\n")}
		_, err := s.importer(noon).ImportRates(t.Context(), asking, deck, nil)
		require.Equal(t, fault.NotFound.String()+" "+operators.ReasonNoSuchOperator, fault.From(err).Kind.String()+" "+fault.From(err).Reason)
		require.Empty(t, s.rates)
	}
	s := newRateStore()
	s.broken = errors.New("broken")
	_, err := s.importer(noon).ImportRates(t.Context(), asking, operators.Deck{OperatorID: nordlink, Scope: operators.FullDeck, File: []byte(rateHeader + "44,1,EUR,,,,\n")}, nil)
	require.ErrorIs(t, err, s.broken)
	require.Zero(t, s.woken)
}

func TestProgressCountsLinesThenRates(t *testing.T) {
	var csv bytes.Buffer
	csv.WriteString(rateHeader)
	for i := range 3000 {
		fmt.Fprintf(&csv, "%d,1,EUR,,,,\n", 10_000+i)
	}
	var seen []string
	_, err := newRateStore().importer(noon).ImportRates(t.Context(), asking, operators.Deck{OperatorID: nordlink, Scope: operators.FullDeck, File: csv.Bytes()},
		func(done, total int64) { seen = append(seen, fmt.Sprintf("%d/%d", done, total)) })
	require.NoError(t, err)
	require.Equal(t, []string{"1000/3001", "2000/3001", "3000/3001", "3001/3001", "0/3000", "3000/3000"}, seen)
}

// oracle is what a prefix costs at a moment, by the words of the documentation.
type oracle struct {
	t     *rapid.T
	lines []deckRow
	begin time.Time // when the first price of the deck begins to count
	now   time.Time
	full  bool
}

type deckRow struct {
	prefix   e164.Prefix
	kind     operators.MessageTypes
	price    money.Money
	from, to time.Time // zero is not given
}

func (o oracle) price(before *rateStore, prefix e164.Prefix, kind operators.MessageTypes, at time.Time) money.Money {
	named, first := false, time.Time{}
	var price money.Money
	var rows []deckRow
	for _, row := range o.lines {
		if row.prefix == prefix && row.kind == kind {
			rows = append(rows, row)
		}
	}
	for i, row := range rows {
		end := row.to
		if i+1 < len(rows) && (end.IsZero() || rows[i+1].from.Before(end)) {
			end = rows[i+1].from
		}
		if !end.IsZero() && !end.After(o.now) {
			continue
		}
		from := row.from
		if from.Before(o.now) {
			from = o.now
		}
		if !named {
			named, first = true, from
		}
		if !at.Before(from) && (end.IsZero() || at.Before(end)) {
			price = row.price
		}
	}
	switch {
	case named && !at.Before(first):
		return price
	case !named && o.full && !at.Before(o.begin):
		return money.Money{}
	}
	return before.price(prefix, kind, at)
}

func (s *rateStore) price(prefix e164.Prefix, kind operators.MessageTypes, at time.Time) (price money.Money) {
	for _, r := range s.rates {
		if r.Prefix == prefix && r.MessageType == kind && r.InForce(at) {
			price = r.Price
		}
	}
	return price
}

var (
	drawnPrefixes = []e164.Prefix{"44", "447", "4479", "45"}
	drawnKinds    = []operators.MessageTypes{operators.SMS, operators.WAP}
)

// drawDeck gives a deck without contradictions around a moment, and what is in it.
func drawDeck(t *rapid.T, now time.Time) (operators.Deck, oracle) {
	o := oracle{t: t, now: now, full: rapid.Bool().Draw(t, "full")}
	var csv bytes.Buffer
	csv.WriteString("prefix,price,currency,message_type,effective_from,effective_to\n")
	for _, prefix := range drawnPrefixes {
		for _, kind := range drawnKinds {
			days := rapid.SliceOfNDistinct(rapid.IntRange(-3, 6), 0, 3, rapid.ID).Draw(t, "starts")
			slices.Sort(days)
			for i, day := range days {
				row := deckRow{prefix: prefix, kind: kind, from: now.AddDate(0, 0, day)}
				row.price = money.Money{Nanos: rapid.Int64Range(0, 3).Draw(t, "price"), Currency: rapid.SampledFrom([]money.Currency{{'E', 'U', 'R'}, {'U', 'S', 'D'}}).Draw(t, "currency")}
				if rapid.Bool().Draw(t, "ends") {
					row.to = row.from.AddDate(0, 0, rapid.IntRange(1, 4).Draw(t, "days"))
					if i+1 < len(days) && row.to.After(now.AddDate(0, 0, days[i+1])) {
						row.to = now.AddDate(0, 0, days[i+1])
					}
				}
				o.lines = append(o.lines, row)
				from, to := row.from.Format(time.RFC3339), ""
				if !row.to.IsZero() {
					to = row.to.Format(time.RFC3339)
				}
				if day == 0 && rapid.Bool().Draw(t, "now") {
					from = ""
				}
				fmt.Fprintf(&csv, "%s,%s,%s,%s,%s,%s\n", prefix, row.price.Decimal(), row.price.Currency, kind, from, to)
				counts := row.to.IsZero() || row.to.After(now)
				if i+1 < len(days) {
					counts = counts && days[i+1] > 0
				}
				if begin := row.from; counts {
					if begin.Before(now) {
						begin = now
					}
					if o.begin.IsZero() || begin.Before(o.begin) {
						o.begin = begin
					}
				}
			}
		}
	}
	deck := operators.Deck{File: csv.Bytes(), Scope: operators.PartialDeck}
	if o.full {
		deck.Scope = operators.FullDeck
	}
	return deck, o
}

// Decks one after the other, each held against the words of the documentation: for each number and moment the price is
// what they say, the past is what it was, and importing a deck again changes nothing.
func TestDecksChangeExactlyWhatTheySay(t *testing.T) {
	numbers := []e164.Number{"+44100000000", "+44710000000", "+44791000000", "+45100000000", "+46100000000"}
	rapid.Check(t, func(t *rapid.T) {
		s, now := newRateStore(), noon
		for range rapid.IntRange(1, 4).Draw(t, "decks") {
			deck, want := drawDeck(t, now)
			if want.begin.IsZero() {
				continue // refused: it holds no price
			}
			before := newRateStore()
			for id, r := range s.rates {
				before.rates[id] = r
			}
			diff := s.take(t, deck, now)
			for hours := -24 * 12; hours <= 24*12; hours += 12 {
				at := now.Add(time.Duration(hours) * time.Hour)
				for _, prefix := range append(drawnPrefixes, "46") {
					for _, kind := range drawnKinds {
						is, was := s.price(prefix, kind, at), before.price(prefix, kind, at)
						should := was // the past is not rewritten
						if !at.Before(now) {
							should = want.price(before, prefix, kind, at)
						}
						if is != should {
							t.Fatalf("%s %s at %s: %s became %s, not %s", prefix, kind, at, was, is, should)
						}
						if was != is && !explained(diff, prefix, kind, was, is, at) {
							t.Fatalf("%s %s at %s: %s -> %s is not in %v", prefix, kind, at, was, is, changes(diff))
						}
					}
				}
				for _, number := range numbers {
					for _, kind := range drawnKinds {
						should := longest(number, func(p e164.Prefix) money.Money {
							if at.Before(now) {
								return before.price(p, kind, at)
							}
							return want.price(before, p, kind, at)
						})
						if is := longest(number, func(p e164.Prefix) money.Money { return s.price(p, kind, at) }); is != should {
							t.Fatalf("%s %s at %s costs %s, not %s", number.Raw(), kind, at, is, should)
						}
					}
				}
			}
			version := s.version
			again := s.take(t, deck, now)
			require.Empty(t, again.Changes)
			require.EqualValues(t, len(want.lines), again.Unchanged)
			require.Equal(t, version, s.version)

			var export bytes.Buffer
			require.NoError(t, operators.WriteRates(&export, s.list()))
			again = s.take(t, operators.Deck{File: export.Bytes(), Scope: deck.Scope}, now)
			require.Zero(t, again.ConfigVersion, "an export imports as unchanged")
			now = now.AddDate(0, 0, rapid.IntRange(0, 4).Draw(t, "days until the next"))
		}
	})
}

// explained reports whether a change of the diff says that the price becomes another at or before the moment.
func explained(diff operators.RateDiff, prefix e164.Prefix, kind operators.MessageTypes, was, is money.Money, at time.Time) bool {
	return slices.ContainsFunc(diff.Changes, func(c operators.RateChange) bool {
		return c.Prefix == prefix && c.MessageType == kind && c.Before == was && c.After == is && !c.EffectiveFrom.After(at)
	})
}

func longest(number e164.Number, price func(e164.Prefix) money.Money) money.Money {
	digits := number.Digits()
	for n := len(digits); n > 0; n-- {
		if m := price(e164.Prefix(digits[:n])); !m.IsZero() {
			return m
		}
	}
	return money.Money{}
}

func (s *rateStore) list() []operators.Rate {
	all := make([]operators.Rate, 0, len(s.rates))
	for _, r := range s.rates {
		all = append(all, r)
	}
	return all
}
