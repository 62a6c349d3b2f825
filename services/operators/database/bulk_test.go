package database_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/platform/bunstore/bunstoretest"
)

func TestAFileOfManyChunksImportsWithProgress(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		const prefixes = 2_500
		csv := bigFile(prefixes)
		var phases []int64
		last := int64(0)
		result, err := k.importer.ImportRules(t.Context(), someone, csv, func(done, total int64) {
			require.LessOrEqual(t, done, total)
			if len(phases) == 0 || phases[len(phases)-1] != total {
				phases = append(phases, total)
				last = 0
			}
			require.GreaterOrEqual(t, done, last)
			last = done
		})
		require.NoError(t, err)
		require.Equal(t, operators.Result{Created: prefixes, Applied: true, ConfigVersion: 3}, result)
		require.Equal(t, []int64{2*prefixes + 1, prefixes}, phases)
		require.EqualValues(t, prefixes, last)
		require.EqualValues(t, prefixes, k.rules(t, string(csv)).Unchanged)
		require.EqualValues(t, prefixes, k.rules(t, strings.ReplaceAll(string(csv), "0.01,", "0.02,")).Updated)
		for _, rule := range k.allRules(t) {
			require.Len(t, rule.Candidates, 2)
			require.EqualValues(t, 20_000_000, rule.Candidates[0].Price.Nanos)
		}
	})
}

// A full import of 30,000 prefixes with two candidates each, into an empty store.
func BenchmarkImport30000Prefixes(b *testing.B) {
	csv := bigFile(30_000)
	run := func(b *testing.B, k func() kit) {
		for b.Loop() {
			b.StopTimer()
			one := k()
			_, err := one.importer.ImportOperators(b.Context(), someone, []byte(three), nil)
			require.NoError(b, err)
			b.StartTimer()
			result, err := one.importer.ImportRules(b.Context(), someone, csv, nil)
			require.NoError(b, err)
			require.EqualValues(b, 30_000, result.Created)
		}
	}
	b.Run("postgres", func(b *testing.B) {
		run(b, func() kit {
			return newKit(b, bunstoretest.Postgres(b, migrations.Postgres), migrations.Postgres, "postgres")
		})
	})
	b.Run("sqlite", func(b *testing.B) {
		run(b, func() kit {
			return newKit(b, bunstoretest.SQLite(b, migrations.SQLite), migrations.SQLite, "sqlite")
		})
	})
}

func bigFile(prefixes int) []byte {
	var csv bytes.Buffer
	csv.WriteString(ruleHeader)
	for i := range prefixes {
		fmt.Fprintf(&csv, ",+44%d,GB,,PRIORITY,,Alpha,1,,0.01,EUR\n,+44%d,GB,,PRIORITY,,Beta,2,,,\n", 10_000+i, 10_000+i)
	}
	return csv.Bytes()
}
