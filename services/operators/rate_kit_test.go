package operators_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
)

// The work on real stores is tested in package database, workbooks in package xlsx. Here a deck meets rates in memory, so
// that thousands of decks can be tried.

var (
	nordlink = uuid.MustParse("01980000-0000-7000-8000-000000000001")
	closed   = uuid.MustParse("01980000-0000-7000-8000-000000000002")
	noon     = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
)

// rateStore keeps rates in memory. What a failed transaction wrote is forgotten.
type rateStore struct {
	operators.Tx
	rates   map[uuid.UUID]operators.Rate
	fx      operators.FX
	replies map[string]string
	entries []operators.Entry
	version int64
	woken   int
	broken  error
}

func newRateStore() *rateStore {
	return &rateStore{rates: map[uuid.UUID]operators.Rate{}, replies: map[string]string{}, version: 1}
}

func (s *rateStore) InTx(ctx context.Context, do func(context.Context, operators.Tx) error) error {
	copied := *s
	copied.rates, copied.replies, copied.fx = maps.Clone(s.rates), maps.Clone(s.replies), maps.Clone(s.fx)
	if err := do(ctx, &copied); err != nil {
		return err
	}
	copied.woken = s.woken
	*s = copied
	return nil
}

func (s *rateStore) View(ctx context.Context, do func(context.Context, operators.Tx) error) error {
	copied := *s
	copied.rates, copied.replies, copied.fx = maps.Clone(s.rates), maps.Clone(s.replies), maps.Clone(s.fx)
	return do(ctx, &copied)
}

func (s *rateStore) InBulk(ctx context.Context, b operators.Bulk) error { return s.InTx(ctx, parts(b)) }

// parts runs a bulk in a transaction.
func parts(b operators.Bulk) func(context.Context, operators.Tx) error {
	return func(ctx context.Context, tx operators.Tx) error {
		for _, part := range []func(context.Context, operators.Tx) error{b.Plan, b.Write, b.Finish} {
			if err := part(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	}
}

func (s *rateStore) Wake() { s.woken++ }

func (s *rateStore) Operator(_ context.Context, id uuid.UUID) (operators.Operator, error) {
	switch id {
	case nordlink:
		return operators.Operator{ID: id}, nil
	case closed:
		return operators.Operator{ID: id, DeletedAt: noon}, nil
	}
	return operators.Operator{}, operators.NoSuchOperator()
}

func (s *rateStore) RatesFrom(_ context.Context, operator uuid.UUID, from time.Time) (all []operators.Rate, _ error) {
	for _, r := range s.rates {
		if r.OperatorID == operator && (r.EffectiveTo.IsZero() || r.EffectiveTo.After(from)) {
			all = append(all, r)
		}
	}
	return all, s.broken
}

func (s *rateStore) StoreRates(_ context.Context, put []operators.Rate, gone []uuid.UUID, stored func(int64)) error {
	for _, id := range gone {
		if _, there := s.rates[id]; !there {
			return fmt.Errorf("a rate is removed that is not there: %s", id)
		}
		delete(s.rates, id)
	}
	for _, r := range put {
		if old, there := s.rates[r.ID]; there && old.Key() != r.Key() {
			return fmt.Errorf("a rate becomes that of another key: %v", r)
		}
		s.rates[r.ID] = r
	}
	stored(int64(len(put) + len(gone)))
	return nil
}

func (s *rateStore) FX(context.Context) (operators.FX, error) { return maps.Clone(s.fx), s.broken }

func (s *rateStore) ReplaceFX(_ context.Context, fx operators.FX) error {
	s.fx = maps.Clone(fx)
	return nil
}

func (s *rateStore) Repeated(_ context.Context, r operators.Request, _ time.Time) (string, bool, error) {
	reply, done := s.replies[r.ID]
	return reply, done && r.ID != "", nil
}

func (s *rateStore) Remember(_ context.Context, r operators.Request, reply string, _ time.Time) error {
	s.replies[r.ID] = reply
	return nil
}

func (s *rateStore) Record(_ context.Context, _ operators.Request, e operators.Entry) error {
	s.entries = append(s.entries, e)
	return nil
}

func (s *rateStore) RaiseConfigVersion(context.Context, bool, time.Time) (int64, error) {
	s.version++
	return s.version, nil
}

// check requires what must hold after every import: no period is empty, and none overlaps another of its key.
func (s *rateStore) check(t require.TestingT) {
	type key struct {
		prefix e164.Prefix
		kind   operators.MessageTypes
	}
	of := make(map[key][]operators.Rate)
	for _, r := range s.rates {
		if r.OperatorID != nordlink || !r.EffectiveTo.IsZero() && !r.EffectiveFrom.Before(r.EffectiveTo) {
			require.Fail(t, "a rate of nobody, or an empty period", "%v", r)
		}
		of[key{r.Prefix, r.MessageType}] = append(of[key{r.Prefix, r.MessageType}], r)
	}
	for _, all := range of {
		slices.SortFunc(all, func(a, b operators.Rate) int { return a.EffectiveFrom.Compare(b.EffectiveFrom) })
		for i := 1; i < len(all); i++ {
			if all[i-1].EffectiveTo.IsZero() || all[i-1].EffectiveTo.After(all[i].EffectiveFrom) {
				require.Fail(t, "two rates overlap", "%v and %v", all[i-1], all[i])
			}
		}
	}
}

// noWorkbooks is for decks that are text.
type noWorkbooks struct{}

func (noWorkbooks) Open(context.Context, []byte, string) (operators.RowReader, error) {
	return nil, fault.New(fault.InvalidArgument, operators.ReasonDeckUnreadable, "opened as a workbook")
}

var asking = operators.Request{Actor: "ann"}

func (s *rateStore) importer(now time.Time) *operators.RateImporter {
	return operators.NewRateImporter(s, noWorkbooks{}, s, func() time.Time { return now }, slog.New(slog.DiscardHandler))
}

// take imports a deck at noon and requires that it was stored.
func (s *rateStore) take(t require.TestingT, deck operators.Deck, now time.Time) operators.RateDiff {
	deck.OperatorID = nordlink
	diff, err := s.importer(now).ImportRates(context.Background(), asking, deck, nil)
	require.NoError(t, err)
	require.Empty(t, diff.BadLines)
	require.True(t, diff.Applied)
	s.check(t)
	return diff
}

// badLines previews a deck of which lines are bad.
func badLines(t *testing.T, deck operators.Deck) []operators.BadLine {
	t.Helper()
	deck.OperatorID, deck.Scope = nordlink, operators.PartialDeck
	s := newRateStore()
	diff, err := s.importer(noon).ImportRates(t.Context(), asking, deck, nil)
	require.NoError(t, err)
	require.False(t, diff.Applied)
	require.Empty(t, s.rates)
	require.Empty(t, s.entries)
	return diff.BadLines
}

func full(csv string) operators.Deck {
	return operators.Deck{File: []byte(csv), Scope: operators.FullDeck}
}

func partial(csv string) operators.Deck {
	return operators.Deck{File: []byte(csv), Scope: operators.PartialDeck}
}

// listed writes the rates as text, one per line: prefix, type, price, network, start and end.
func (s *rateStore) listed() []string {
	all := make([]string, 0, len(s.rates))
	for _, r := range s.rates {
		end := "for ever"
		if !r.EffectiveTo.IsZero() {
			end = r.EffectiveTo.Format(time.DateTime)
		}
		network := ""
		if r.MCC != "" {
			network = " [" + r.MCC + "/" + r.MNC + "]"
		}
		all = append(all, fmt.Sprintf("%s %s %s%s from %s to %s", r.Prefix, r.MessageType, r.Price, network, r.EffectiveFrom.Format(time.DateTime), end))
	}
	return all
}
