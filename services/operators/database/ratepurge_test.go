package database_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
)

func TestRatesThatEndedLongAgoArePurgedInBatches(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		operator := k.allOperators(t)[0].ID
		before := k.clock.Now().AddDate(0, 0, -400)
		type rate struct {
			bun.BaseModel `bun:"table:rates"`

			RateID, OperatorID            uuid.UUID
			Prefix, MessageType, Currency string
			PriceNanos                    int64
			EffectiveFrom                 time.Time
			EffectiveTo                   time.Time `bun:",nullzero"`
		}
		var rates []rate
		add := func(end time.Time) {
			rates = append(rates, rate{
				RateID: uuid.New(), OperatorID: operator, Prefix: fmt.Sprintf("+4%d", len(rates)), MessageType: "SMS", Currency: "EUR", PriceNanos: 1,
				EffectiveFrom: before.AddDate(-1, 0, 0), EffectiveTo: end,
			})
		}
		for range 5_001 { // one more than a batch
			add(before.Add(-time.Second))
		}
		for _, end := range []time.Time{before, before.Add(time.Second), k.clock.Now(), k.clock.Now().AddDate(1, 0, 0), {}} {
			add(end)
		}
		for first := 0; first < len(rates); first += 1000 {
			part := rates[first:min(first+1000, len(rates))]
			_, err := k.db.NewInsert().Model(&part).Exec(t.Context())
			require.NoError(t, err)
		}
		config, rules := k.versions(t)

		purged, err := k.store.PurgeRates(t.Context(), before)
		require.NoError(t, err)
		require.Equal(t, 5_001, purged)
		var left []uuid.UUID
		require.NoError(t, k.db.NewRaw("SELECT rate_id FROM rates").Scan(t.Context(), &left))
		var want []uuid.UUID
		for _, r := range rates[5_001:] {
			want = append(want, r.RateID)
		}
		require.ElementsMatch(t, want, left)
		nowConfig, nowRules := k.versions(t)
		require.Equal(t, []int64{config, rules}, []int64{nowConfig, nowRules}, "no engine has to read anything")

		purged, err = k.store.PurgeRates(t.Context(), before)
		require.NoError(t, err)
		require.Zero(t, purged)
	})
}
