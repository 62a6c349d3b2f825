package operators_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

// sink holds as many rates as it is asked to, made when they are read, and forgets what it is to store.
type sink struct {
	*rateStore
	holds, put int
}

func (s *sink) InTx(ctx context.Context, do func(context.Context, operators.Tx) error) error {
	return do(ctx, s)
}

func (s *sink) InBulk(ctx context.Context, b operators.Bulk) error { return parts(b)(ctx, s) }

func (s *sink) RatesFrom(_ context.Context, operator uuid.UUID, _ time.Time) ([]operators.Rate, error) {
	all := make([]operators.Rate, s.holds)
	for i := range all {
		all[i] = operators.Rate{
			ID: uuid.New(), OperatorID: operator, Prefix: e164.Prefix(fmt.Sprint(1_000_000 + i)), MCC: "234", MNC: "01", MessageType: operators.SMS,
			Price: money.Money{Nanos: 1, Currency: money.Currency{'E', 'U', 'R'}}, EffectiveFrom: noon,
		}
	}
	return all, nil
}

func (s *sink) StoreRates(_ context.Context, put []operators.Rate, gone []uuid.UUID, stored func(int64)) error {
	s.put = len(put)
	stored(int64(len(put) + len(gone)))
	return nil
}

// A deck that changes every price. What the store itself takes is bounded by its chunks, and what a workbook takes is tested in package xlsx.
func TestADeckOf250000PricesTakesBoundedMemory(t *testing.T) {
	const rates = 250_000
	var csv bytes.Buffer
	csv.WriteString("prefix,price,currency,message_type,mcc,mnc,effective_from,effective_to\n")
	for i := range rates {
		fmt.Fprintf(&csv, "+%d,0.0%d,EUR,SMS,234,01,2026-11-21T13:00:00Z,2030-01-01\n", 1_000_000+i, 1+i%9)
	}
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	s := &sink{rateStore: newRateStore(), holds: rates}
	importer := operators.NewRateImporter(s, noWorkbooks{}, s, func() time.Time { return noon }, slog.New(slog.DiscardHandler))
	before, peak, calls := live(), uint64(0), 0
	diff, err := importer.ImportRates(t.Context(), asking, operators.Deck{OperatorID: nordlink, Scope: operators.FullDeck, File: csv.Bytes()},
		func(done, total int64) {
			require.LessOrEqual(t, done, total)
			if calls++; calls%100 == 0 || done == total {
				peak = max(peak, live())
			}
		})
	require.NoError(t, err)
	require.Equal(t, 2*rates, s.put, "each present rate ends, and another begins")
	require.EqualValues(t, rates, diff.Raised)
	require.Greater(t, calls, rates/1000)
	took := peak - min(peak, before)
	t.Logf("the heap grew by %d MiB for a deck of %d MiB", took>>20, csv.Len()>>20)
	require.Positive(t, took)
	require.Less(t, took, uint64(200<<20))
}
