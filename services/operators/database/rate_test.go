package database_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/platform/pgtest"
)

func TestADeckIsStoredReplacedAndEnded(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		diff := k.deck(t, "44,0.01,EUR,,234,01,,\n447,0.000000001,USD,FLASH,,,2027-01-01T12:00:00.000001Z,2028-01-01\n33,0,EUR,WAP,,,,\n")
		require.EqualValues(t, 3, diff.New)
		require.EqualValues(t, 3, diff.ConfigVersion)
		first := k.allRates(t)
		require.Equal(t, []string{
			"+33 WAP 0.000000 EUR [/] 2026-11-21 12:00:00 to for ever",
			"+44 SMS 0.010000 EUR [234/01] 2026-11-21 12:00:00 to for ever",
			"+447 FLASH 0.000000001 USD [/] 2027-01-01 12:00:00 to 2028-01-01 00:00:00",
		}, rateTexts(first))
		require.Equal(t, 1000, first[2].EffectiveFrom.Nanosecond(), "a moment is kept to the microsecond")
		require.Equal(t, time.UTC, first[2].EffectiveFrom.Location())
		require.Equal(t, k.id(t, "Alpha"), first[0].OperatorID)

		k.clock.Advance(time.Hour)
		diff = k.deck(t, "44,0.02,EUR,,234,02,,\n447,0.5,USD,FLASH,,,2027-01-01T12:00:00.000001Z,\n45,1,EUR,,,,,\n")
		require.Equal(t, []int64{1, 1, 1, 1}, []int64{diff.Raised - 1, diff.Ended, diff.New - 1, diff.ConfigVersion - 3})
		second := k.allRates(t)
		require.Equal(t, []string{
			"+33 WAP 0.000000 EUR [/] 2026-11-21 12:00:00 to 2026-11-21 13:00:00",
			"+44 SMS 0.010000 EUR [234/01] 2026-11-21 12:00:00 to 2026-11-21 13:00:00",
			"+44 SMS 0.020000 EUR [234/02] 2026-11-21 13:00:00 to for ever",
			"+447 FLASH 0.500000 USD [/] 2027-01-01 12:00:00 to for ever",
			"+45 SMS 1.000000 EUR [/] 2026-11-21 13:00:00 to for ever",
		}, rateTexts(second))
		require.Equal(t, first[2].ID, second[3].ID, "a price that is to come is replaced where it stands")

		k.clock.Advance(time.Hour)
		diff = k.deck(t, "44,0.02,EUR,,,,,\n45,1,EUR,,,,,\n")
		require.EqualValues(t, 2, diff.Unchanged)
		require.EqualValues(t, 1, diff.Ended)
		require.Len(t, k.allRates(t), 4, "a price that has not begun goes when it ends")
		config, rules := k.versions(t)
		require.EqualValues(t, 5, config)
		require.EqualValues(t, 4, rules, "engines read the rates again")
	})
}

func TestAnImportOfRatesIsRecordedToldAndNotRepeated(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		before := len(k.events(t))
		asked := someone
		asked.ID, asked.Fingerprint = "deck-1", "a"
		deck := k.whole(t, "44,1,EUR,,,,,\n")
		first, err := k.rateImporter().ImportRates(t.Context(), asked, deck, nil)
		require.NoError(t, err)
		again, err := k.rateImporter().ImportRates(t.Context(), asked, deck, nil)
		require.NoError(t, err)
		require.Equal(t, first.ConfigVersion, again.ConfigVersion)
		require.EqualValues(t, 1, again.New)
		other := asked
		other.Fingerprint = "b"
		_, err = k.rateImporter().ImportRates(t.Context(), other, deck, nil)
		requireFault(t, err, fault.InvalidArgument, operators.ReasonRequestReused)

		told := k.events(t)[before:]
		require.Len(t, told, 1)
		require.Equal(t, event{
			Subject: "operator.config.updated", Traceparent: someone.Traceparent, ConfigVersion: first.ConfigVersion, OccurredAt: k.clock.Now(),
		}, told[0])
		audit := k.audit(t)
		last := audit[len(audit)-1]
		require.Equal(t, "someone deck-1 rates.import operator "+deck.OperatorID.String(),
			strings.Join([]string{last.Actor, last.RequestID, last.Action, last.Entity, last.EntityID}, " "))
		var counts map[string]any
		require.NoError(t, json.Unmarshal([]byte(*last.After), &counts))
		require.EqualValues(t, 1, counts["new"])
		require.Equal(t, "FULL", counts["scope"])
	})
}

func TestAPreviewOfADeckStoresNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		wakes, audited := k.told.wakes.Load(), len(k.audit(t))
		asked := someone
		asked.ValidateOnly = true
		diff, err := k.rateImporter().ImportRates(t.Context(), asked, k.whole(t, "44,1,EUR,,,,,\n"), nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, diff.New)
		require.False(t, diff.Applied)
		require.Zero(t, diff.ConfigVersion)
		require.Empty(t, k.allRates(t))
		require.Len(t, k.audit(t), audited)
		require.Equal(t, wakes, k.told.wakes.Load())
	})
}

func TestTheRatesOfOthersAndOfTheDeadStay(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		deck := k.whole(t, "44,1,EUR,,,,,\n")
		deck.OperatorID = k.id(t, "Beta")
		_, err := k.rateImporter().ImportRates(t.Context(), someone, deck, nil)
		require.NoError(t, err)
		k.deck(t, "45,1,EUR,,,,,\n")
		require.Len(t, k.allRates(t), 2)

		_, err = k.db.NewRaw("UPDATE operators SET deleted_at = ? WHERE name = 'Beta'", k.clock.Now()).Exec(t.Context())
		require.NoError(t, err)
		_, err = k.rateImporter().ImportRates(t.Context(), someone, deck, nil)
		requireFault(t, err, fault.NotFound, operators.ReasonNoSuchOperator)
		deck.OperatorID = uuid.New()
		_, err = k.rateImporter().ImportRates(t.Context(), someone, deck, nil)
		requireFault(t, err, fault.NotFound, operators.ReasonNoSuchOperator)
	})
}

func TestRatesAreListedByOperatorPrefixAndMoment(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		var lines strings.Builder
		for i := range 30 {
			fmt.Fprintf(&lines, "44%02d,0.01,EUR,SMS,,,,\n44%02d,0.02,EUR,WAP,,,,2027-01-01\n44%02d,0.03,EUR,WAP,,,2027-01-01,\n", i, i, i)
		}
		lines.WriteString("4,1,EUR,,,,,\n44,1,EUR,,,,,\n45,1,EUR,,,,,\n999999999999999,1,EUR,,,,,\n")
		k.deck(t, lines.String())
		beta := k.whole(t, "44,2,EUR,,,,,\n")
		beta.OperatorID = k.id(t, "Beta")
		_, err := k.rateImporter().ImportRates(t.Context(), someone, beta, nil)
		require.NoError(t, err)

		all := k.allRates(t)
		require.Len(t, all, 95)
		require.True(t, slices.IsSortedFunc(all, func(a, b operators.Rate) int {
			return cmp.Or(bytes.Compare(a.OperatorID[:], b.OperatorID[:]), cmp.Compare(a.Prefix, b.Prefix),
				cmp.Compare(a.MessageType.String(), b.MessageType.String()), a.EffectiveFrom.Compare(b.EffectiveFrom))
		}))
		for _, c := range []struct {
			name   string
			filter operators.RateFilter
			want   func(operators.Rate) bool
		}{
			{"all", operators.RateFilter{}, func(operators.Rate) bool { return true }},
			{"of an operator", operators.RateFilter{OperatorID: beta.OperatorID}, func(r operators.Rate) bool { return r.OperatorID == beta.OperatorID }},
			{"of a prefix", operators.RateFilter{Prefix: "441"}, func(r operators.Rate) bool { return strings.HasPrefix(r.Prefix.Digits(), "441") }},
			{"of the longest prefix", operators.RateFilter{Prefix: "999999999999999"}, func(r operators.Rate) bool { return r.Prefix == "999999999999999" }},
			{"of a prefix that nobody has", operators.RateFilter{Prefix: "46"}, func(operators.Rate) bool { return false }},
			{"at a moment", operators.RateFilter{InForceAt: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}, func(r operators.Rate) bool {
				return r.InForce(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
			}},
			{"of all these", operators.RateFilter{OperatorID: k.id(t, "Alpha"), Prefix: "44", InForceAt: k.clock.Now()}, func(r operators.Rate) bool {
				return r.OperatorID == k.id(t, "Alpha") && strings.HasPrefix(r.Prefix.Digits(), "44") && r.InForce(k.clock.Now())
			}},
		} {
			t.Run(c.name, func(t *testing.T) {
				want := slices.DeleteFunc(slices.Clone(all), func(r operators.Rate) bool { return !c.want(r) })
				c.filter.Limit = 7
				got := []operators.Rate{}
				for {
					page, more, _, err := k.store.ListRates(t.Context(), c.filter)
					require.NoError(t, err)
					got = append(got, page...)
					if !more {
						break
					}
					require.Len(t, page, 7)
					key := page[len(page)-1].Key()
					c.filter.After = &key
				}
				require.Equal(t, want, got)
			})
		}
	})
}

func TestAnExportOfRatesImportsAsUnchanged(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.deck(t, "44,0.01,EUR,,234,01,,\n45,1,EUR,,,,,2027-01-01\n46,1,EUR,,,,2027-01-01,\n")
		k.clock.Advance(time.Hour)
		k.deck(t, "44,0.02,EUR,,234,01,,\n45,1,EUR,,,,,2027-01-01\n46,1,EUR,,,,2027-01-01,\n")
		k.clock.Advance(time.Hour)
		var file bytes.Buffer
		require.NoError(t, operators.WriteRates(&file, k.allRates(t)))
		deck := k.whole(t, "")
		deck.File = file.Bytes()
		diff, err := k.rateImporter().ImportRates(t.Context(), someone, deck, nil)
		require.NoError(t, err)
		require.EqualValues(t, 4, diff.Unchanged, "with the price of the past")
		require.Zero(t, diff.ConfigVersion)
		require.Empty(t, diff.Changes)
	})
}

func TestManyDecksAtOnceAreTakenOneAtATime(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		const decks = 6
		all := make([]operators.Deck, decks)
		for i := range all {
			all[i] = k.whole(t, fmt.Sprintf("44,%d,EUR,,,,,\n45,%d,EUR,,,,,\n", i+1, i+1))
		}
		done := make(chan struct{})
		for _, deck := range all {
			go func() {
				defer func() { done <- struct{}{} }()
				ctx, cancel := context.WithTimeout(context.Background(), 4*alongside)
				defer cancel()
				_, err := k.rateImporter().ImportRates(ctx, someone, deck, nil)
				for fault.Is(err, operators.ReasonImportRunning) {
					_, err = k.rateImporter().ImportRates(ctx, someone, deck, nil)
				}
				assert.NoError(t, err)
			}()
		}
		for range decks {
			<-done
		}
		inForce, _, _, err := k.store.ListRates(t.Context(), operators.RateFilter{InForceAt: k.clock.Now(), Limit: 100})
		require.NoError(t, err)
		require.Len(t, inForce, 2, "one price for each prefix, though all came at one moment")
		require.Equal(t, inForce[0].Price, inForce[1].Price, "both of one deck")
		require.Len(t, k.allRates(t), 2)
		config, _ := k.versions(t)
		require.EqualValues(t, 2+decks, config)
	})
}

func TestACallerWhoGoesAwayEndsTheImportOfADeck(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := k.rateImporter().ImportRates(ctx, someone, k.whole(t, manyRates(3_000, 1)), func(done, total int64) {
			if total == 3_000 && done >= 1_000 {
				cancel()
			}
		})
		require.Equal(t, fault.Canceled, fault.From(err).Kind)
		require.Empty(t, k.allRates(t))
		config, _ := k.versions(t)
		require.EqualValues(t, 2, config)
	})
}

// The server dies after the rates are written and before the commit.
func TestAServerThatDiesDuringAnImportOfADeckStoresNothing(t *testing.T) {
	server := pgtest.Start(t)
	k := newKit(t, server.URL(), migrations.Postgres, "postgres")
	k.operators(t, three)
	deck := k.whole(t, manyRates(2_500, 1))
	_, err := k.rateImporter().ImportRates(t.Context(), someone, deck, func(done, total int64) {
		if done == total && total == 2_500 {
			server.Kill(t)
		}
	})
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	_, _, _, err = k.store.ListRates(t.Context(), operators.RateFilter{Limit: 1})
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	_, _, err = k.store.FX(t.Context())
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	server.Restart(t)
	require.Empty(t, k.allRates(t))
	diff, err := k.rateImporter().ImportRates(t.Context(), someone, deck, nil)
	require.NoError(t, err)
	require.EqualValues(t, 2_500, diff.New)
}

func TestTheTableOfRatesGuardsItself(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		good := operators.Rate{
			ID: uuid.New(), OperatorID: k.id(t, "Alpha"), Prefix: "44", MessageType: operators.SMS, EffectiveFrom: k.clock.Now(),
			Price: money.Money{Nanos: 1, Currency: money.Currency{'E', 'U', 'R'}},
		}
		put := func(change func(*operators.Rate)) error {
			r := good
			r.ID = uuid.New()
			change(&r)
			return k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error {
				return tx.StoreRates(ctx, []operators.Rate{good, r}, nil, nil)
			})
		}
		requireFault(t, put(func(*operators.Rate) {}), fault.AlreadyExists, bunstore.ReasonDuplicate)
		requireFault(t, put(func(r *operators.Rate) { r.Prefix, r.EffectiveTo = "45", r.EffectiveFrom }), fault.InvalidArgument, bunstore.ReasonConstraint)
		requireFault(t, put(func(r *operators.Rate) { r.Prefix, r.MNC = "45", "01" }), fault.InvalidArgument, bunstore.ReasonConstraint)
		requireFault(t, put(func(r *operators.Rate) { r.Prefix, r.OperatorID = "45", uuid.New() }), fault.FailedPrecondition, bunstore.ReasonReference)
		require.Empty(t, k.allRates(t))
		require.NoError(t, put(func(r *operators.Rate) { r.Prefix = "45" }))

		// What goes makes place for what comes.
		next := good
		next.ID = uuid.New()
		require.NoError(t, k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error {
			return tx.StoreRates(ctx, []operators.Rate{next}, []uuid.UUID{good.ID}, nil)
		}))
		require.Len(t, k.allRates(t), 2)

		_, err := k.db.NewRaw("UPDATE rates SET currency = 'QQQ'").Exec(t.Context())
		require.NoError(t, err)
		_, _, _, err = k.store.ListRates(t.Context(), operators.RateFilter{Limit: 10})
		requireFault(t, err, fault.Internal, fault.ReasonInternal)
		require.NotContains(t, err.Error(), "QQQ")
	})
}

func TestTheTableOfExchangeRatesIsKept(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		fx, _, err := k.store.FX(t.Context())
		require.NoError(t, err)
		require.Empty(t, fx)
		euro, dollar := money.Currency{'E', 'U', 'R'}, money.Currency{'U', 'S', 'D'}
		for _, table := range []operators.FX{{euro: money.NanosPerUnit, dollar: 1}, {dollar: money.NanosPerUnit}, {}} {
			require.NoError(t, k.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error {
				if err := tx.ReplaceFX(ctx, table); err != nil {
					return err
				}
				inside, err := tx.FX(ctx)
				require.Equal(t, table, inside)
				return err
			}))
			fx, _, err := k.store.FX(t.Context())
			require.NoError(t, err)
			require.Equal(t, table, fx)
		}
		_, err = k.db.NewRaw("INSERT INTO fx_rates VALUES ('QQQ', 1)").Exec(t.Context())
		require.NoError(t, err)
		_, _, err = k.store.FX(t.Context())
		requireFault(t, err, fault.Internal, fault.ReasonInternal)
	})
}

// Every number costs before and after a deck what the longest prefix of the deck says.
func TestANumberCostsWhatTheDeckSays(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.deck(t, "44,1,EUR,,,,,\n447,2,EUR,,,,,\n4479,3,EUR,,,,,2027-01-01\n")
		k.clock.Advance(time.Hour)
		k.deck(t, "44,5,EUR,,,,,\n447,2,EUR,,,,2027-01-01,\n45-46,9,EUR,,,,,\n")
		price := func(number e164.Number, at time.Time) int64 {
			all, _, _, err := k.store.ListRates(t.Context(), operators.RateFilter{InForceAt: at, Limit: 1000})
			require.NoError(t, err)
			longest, nanos := 0, int64(-1)
			for _, r := range all {
				if strings.HasPrefix(number.Digits(), r.Prefix.Digits()) && len(r.Prefix) > longest {
					longest, nanos = len(r.Prefix), r.Price.Nanos/money.NanosPerUnit
				}
			}
			return nanos
		}
		before, now, later := k.clock.Now().Add(-time.Minute), k.clock.Now(), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		// The second deck is whole and does not name 4479: from then on 447 counts there.
		for _, c := range []struct {
			number             e164.Number
			before, now, later int64
		}{
			{"+441000000", 1, 5, 5}, {"+447100000", 2, 2, 2}, {"+447900000", 3, 2, 2}, {"+451000000", -1, 9, 9}, {"+461000000", -1, 9, 9}, {"+471000000", -1, -1, -1},
		} {
			require.Equal(t, []int64{c.before, c.now, c.later}, []int64{price(c.number, before), price(c.number, now), price(c.number, later)}, "%s", c.number.Raw())
		}
	})
}

func TestADeckOfManyChunksIsComparedAsAWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		const rates = 3_500 // more than one statement writes
		require.EqualValues(t, rates, k.deck(t, manyRates(rates, 1)).New)
		k.clock.Advance(time.Hour)
		diff := k.deck(t, manyRates(rates, 1))
		require.EqualValues(t, rates, diff.Unchanged)
		require.Zero(t, diff.ConfigVersion)
		diff = k.deck(t, manyRates(rates-1, 1))
		require.EqualValues(t, rates-1, diff.Unchanged)
		require.EqualValues(t, 1, diff.Ended)
		require.Len(t, k.allRates(t), rates)
	})
}

// A first deck of 250,000 prices, one that changes all of them, and one that changes nothing.
func BenchmarkImport250000Rates(b *testing.B) {
	run := func(b *testing.B, k kit) {
		_, err := k.importer.ImportOperators(b.Context(), someone, []byte(three), nil)
		require.NoError(b, err)
		all, _, err := k.store.LiveOperators(b.Context())
		require.NoError(b, err)
		for b.Loop() {
			for step, cents := range []int{1, 2, 2} {
				start := time.Now()
				diff, err := k.rateImporter().ImportRates(b.Context(), someone, operators.Deck{
					OperatorID: all[0].ID, Scope: operators.FullDeck, File: []byte(deckHeader + manyRates(250_000, cents)),
				}, nil)
				require.NoError(b, err)
				require.Empty(b, diff.BadLines)
				b.ReportMetric(time.Since(start).Seconds(), []string{"s/first", "s/changed", "s/unchanged"}[step])
				k.clock.Advance(time.Hour)
			}
		}
	}
	b.Run("postgres", func(b *testing.B) {
		run(b, newKit(b, bunstoretest.Postgres(b, migrations.Postgres), migrations.Postgres, "postgres"))
	})
	b.Run("sqlite", func(b *testing.B) {
		run(b, newKit(b, bunstoretest.SQLite(b, migrations.SQLite), migrations.SQLite, "sqlite"))
	})
}
