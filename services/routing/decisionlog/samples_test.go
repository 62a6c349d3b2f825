package decisionlog_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/migrations"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/pgtest"
	"trunkline/services/routing"
	"trunkline/services/routing/decisionlog"
)

func samples(t *testing.T, k *decisionlog.Keeper, f routing.SampleFilter) (all []routing.Sample) {
	t.Helper()
	require.NoError(t, k.Samples(t.Context(), f, func(some []routing.Sample) error {
		all = append(all, some...)
		return nil
	}))
	return all
}

func TestARecordShowsOnlyTheStartOfItsNumber(t *testing.T) {
	for name, c := range map[string]struct {
		number e164.Number
		prefix string
		digits int32
	}{
		"country code of two digits":              {"+447911123456", "+447911", 12},
		"country code of one digit":               {"+12025550123", "+12025", 11},
		"the last four of a short number":         {"+3598812", "+359", 7},
		"the longest number":                      {"+359123456789012", "+3591234", 15},
		"what is no number tells its digits only": {"447911123456", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			one := logged(t, key, noon, c.number).GetDecisions()[0]
			require.Equal(t, c.prefix, one.GetNumberPrefix())
			require.Equal(t, c.digits, one.GetNumberDigits())
		})
	}
}

func TestSamplesAreReadNewestFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		for i := range 5 {
			at := noon.Add(time.Duration(i/2) * time.Minute) // two of a moment
			require.NoError(t, k.Store(t.Context(), logged(t, key, at, e164.Number(fmt.Sprintf("+4479111234%02d", i)))))
		}
		silent := logged(t, key, noon, number)
		silent.Decisions[0].NumberPrefix, silent.Decisions[0].NumberDigits = "", 0
		require.NoError(t, k.Store(t.Context(), silent))

		all := samples(t, k, routing.SampleFilter{Limit: 100})
		require.Len(t, all, 5, "who tells nothing of the number is left out")
		exported := map[string]time.Time{}
		for _, r := range export(t, k, routing.RecordFilter{}) {
			exported[r.GetDecisionId()] = r.GetDecideTime().AsTime()
		}
		for i, s := range all {
			require.Equal(t, routing.Sample{Decision: s.Decision, Account: account, Type: routing.Flash, Start: "447911", Digits: 12}, s)
			if i > 0 {
				before, this := exported[all[i-1].Decision.String()], exported[s.Decision.String()]
				require.True(t, this.Before(before) || this.Equal(before) && s.Decision.String() < all[i-1].Decision.String())
			}
		}
		require.Equal(t, all[:2], samples(t, k, routing.SampleFilter{Limit: 2}))
		require.Len(t, samples(t, k, routing.SampleFilter{Limit: 100, From: noon.Add(time.Minute)}), 3)
		require.Len(t, samples(t, k, routing.SampleFilter{Limit: 100, To: noon.Add(2 * time.Minute)}), 4)
		require.Len(t, samples(t, k, routing.SampleFilter{Limit: 100, From: noon.Add(time.Hour)}), 0)
		stop := errors.New("enough")
		require.ErrorIs(t, k.Samples(t.Context(), routing.SampleFilter{Limit: 9}, func([]routing.Sample) error { return stop }), stop)

		// What is erased is in no sample.
		gone := export(t, k, routing.RecordFilter{Number: "+447911123404"})
		require.Equal(t, gone[0].GetDecisionId(), all[0].Decision.String())
		_, err := k.Erase(t.Context(), routing.Erasure{Number: "+447911123404", Actor: "key:1", At: noon})
		require.NoError(t, err)
		require.Equal(t, all[1:], samples(t, k, routing.SampleFilter{Limit: 100}))
	})
}

func TestASampleStartsWithThePrefixThatDecided(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		for at, matched := range []string{"", "+447", "+4479111234", "+4479121234"} {
			batch := logged(t, key, noon.Add(time.Duration(-at)*time.Minute), number)
			batch.Decisions[0].MatchedPrefix = matched
			require.NoError(t, k.Store(t.Context(), batch))
		}
		var starts []e164.Prefix
		for _, s := range samples(t, k, routing.SampleFilter{Limit: 9}) {
			starts = append(starts, s.Start)
		}
		require.Equal(t, []e164.Prefix{"447911", "447911", "4479111234", "447911"}, starts)
	})
}

func TestMoreThanTheStartOfANumberIsNotStored(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		for name, change := range map[string]func(r *routingv1.DecisionRecord){
			"a fifth digit after the country code": func(r *routingv1.DecisionRecord) { r.NumberPrefix = "+4479111" },
			"one of the last four digits":          func(r *routingv1.DecisionRecord) { r.NumberDigits = 9 },
			"fewer digits than its start":          func(r *routingv1.DecisionRecord) { r.NumberDigits = 3 },
			"a number with too many digits":        func(r *routingv1.DecisionRecord) { r.NumberDigits = 16 },
			"what is no prefix":                    func(r *routingv1.DecisionRecord) { r.NumberPrefix = "447911" },
		} {
			t.Run(name, func(t *testing.T) {
				batch := logged(t, key, noon, number)
				change(batch.GetDecisions()[0])
				require.Error(t, k.Store(t.Context(), batch))
			})
		}
		require.Empty(t, export(t, k, routing.RecordFilter{}))
	})
}

func TestManySamplesOfOneMomentComeOnceEach(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		k := decisionlog.NewKeeper(db, key)
		const rows = 2_500
		k.ReadSamplesBy(700)
		require.NoError(t, fill(t, db, rows))
		seen := map[uuid.UUID]bool{}
		for _, s := range samples(t, k, routing.SampleFilter{Limit: 1_000_000}) {
			seen[s.Decision] = true
		}
		require.Len(t, seen, rows)
		require.Len(t, samples(t, k, routing.SampleFilter{Limit: 1401}), 1401)
	})
}

// statements takes down what a keeper asks.
type statements struct{ asked []string }

func (s *statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (s *statements) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	s.asked = append(s.asked, e.Query)
}

// TestPagesOfSamplesAreNotSorted: also in a table that Postgres has no statistics of, where it thinks little of the index.
func TestPagesOfSamplesAreNotSorted(t *testing.T) {
	db := open(t, pgtest.Database(t), migrations.Postgres, "postgres")
	const rows = 20_000
	require.NoError(t, fill(t, db, rows))
	var heard statements
	k := decisionlog.NewKeeper(db.WithQueryHook(&heard), key)
	k.ReadSamplesBy(rows / 4)
	require.Len(t, samples(t, k, routing.SampleFilter{Limit: rows / 2}), rows/2)

	explained := 0
	require.NoError(t, db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		for _, statement := range heard.asked {
			switch {
			case strings.HasPrefix(statement, "SET LOCAL "):
				_, err := tx.ExecContext(ctx, statement)
				require.NoError(t, err)
			case strings.HasPrefix(statement, "SELECT "):
				var plan []string
				require.NoError(t, tx.NewRaw("EXPLAIN "+statement).Scan(ctx, &plan))
				require.NotContains(t, strings.Join(plan, "\n"), "Sort")
				explained++
			}
		}
		return nil
	}))
	require.Equal(t, 2, explained)
}

// fill makes decisions, a thousand of each moment.
func fill(t testing.TB, db *bun.DB, rows int) error {
	t.Helper()
	id, at, hash := "gen_random_uuid()", "timestamptz '2026-11-21T12:00:00Z' + n / 1000 * interval '1 microsecond'", "decode(repeat('ab', 32), 'hex')"
	if bunstore.DialectOf(db) == bunstore.SQLite {
		id = "lower(substr(hex(randomblob(16)), 1, 8) || '-0000-7000-8000-' || substr(hex(randomblob(16)), 1, 12))"
		// As they are written elsewhere: without zeros at the end.
		at, hash = "'2026-11-21 12:00:00.' || printf('%05d', n / 1000) || '1+00:00'", "zeroblob(32)"
	}
	_, err := db.NewRaw(`INSERT INTO decision_log (decision_id, decided_at, account_id, number_hash, hash_key_id, message_type,
		matched_prefix, config_version, rules_version, algo_version, latency_micros, number_prefix, number_digits)
		WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < ?)
		SELECT `+id+", "+at+", ?, "+hash+", 'k', 'SMS', '+44' || (n % 10000), 1, 1, 1, 10, '44' || (n % 10000), 12 FROM counted", rows, account).Exec(t.Context())
	return err
}
