package database_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

func TestManyImportsAtOnceAllCountAndEachHasItsVersion(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		const imports = 8
		type outcome struct {
			result operators.Result
			err    error
		}
		outcomes := make(chan outcome)
		for i := range imports {
			importer := operators.NewImporter(k.store, &told{}, k.clock.Now, slog.New(slog.DiscardHandler), money.Money{})
			go func() {
				csv := fmt.Sprintf("%s,+44%d,,,PRIORITY,,Alpha,,,,\n,+33,,,PRIORITY,,Alpha,,,%d,EUR\n", ruleHeader, i, i)
				result, err := importer.ImportRules(context.Background(), someone, []byte(csv), nil)
				outcomes <- outcome{result, err}
			}()
		}
		seen := map[int64]bool{}
		var created, updated int64
		for range imports {
			o := <-outcomes
			require.NoError(t, o.err)
			require.False(t, seen[o.result.ConfigVersion], "two imports have version %d", o.result.ConfigVersion)
			seen[o.result.ConfigVersion] = true
			created += o.result.Created
			updated += o.result.Updated
		}
		require.EqualValues(t, imports+1, created)
		require.EqualValues(t, imports-1, updated)
		config, rules := k.versions(t)
		require.EqualValues(t, 2+imports, config)
		require.EqualValues(t, 1+imports, rules)
	})
}

func TestAnOperatorThatIsDeletedMeanwhileAbortsTheImport(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		store := &deletesBetween{Store: k.store, db: k.db}
		importer := operators.NewImporter(store, k.told, k.clock.Now, slog.New(slog.DiscardHandler), money.Money{})
		_, err := importer.ImportRules(t.Context(), someone, []byte(ruleHeader+",+44,,,PRIORITY,,Alpha,,,,\n"), nil)
		requireFault(t, err, fault.Aborted, operators.ReasonOperatorsChanged)
		require.Empty(t, k.allRules(t))
	})
}

type deletesBetween struct {
	*database.Store
	db *bun.DB
}

func (d *deletesBetween) InTx(ctx context.Context, do func(context.Context, operators.Tx) error) error {
	if _, err := d.db.NewRaw("UPDATE operators SET deleted_at = created_at WHERE name = 'Alpha'").Exec(ctx); err != nil {
		return err
	}
	return d.Store.InTx(ctx, do)
}

func TestARepeatedImportAnswersAsTheFirstAndStoresNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		r := operators.Request{Actor: "someone", ID: "import-1", Fingerprint: "f1"}
		first, err := k.importer.ImportOperators(t.Context(), r, []byte(three), nil)
		require.NoError(t, err)
		// The file would be refused by now: another operator has a connection of it.
		_, err = k.db.NewRaw("UPDATE operators SET name = 'Renamed' WHERE name = 'Alpha'").Exec(t.Context())
		require.NoError(t, err)
		events := k.events(t)
		first.Warnings = nil
		for range 2 {
			again, err := k.importer.ImportOperators(t.Context(), r, []byte(three), nil)
			require.NoError(t, err)
			require.Equal(t, first, again)
		}
		require.Equal(t, events, k.events(t))
		require.EqualValues(t, 1, k.told.wakes.Load())

		rules := []byte(ruleHeader + ",+44,,,PRIORITY,,Renamed,,,,\n")
		_, err = k.importer.ImportRules(t.Context(), r, rules, nil)
		require.NoError(t, err, "the fingerprint is the caller's to make; here it is the same")
		require.Empty(t, k.allRules(t))
		r.Fingerprint = "f2"
		_, err = k.importer.ImportRules(t.Context(), r, rules, nil)
		requireFault(t, err, fault.InvalidArgument, operators.ReasonRequestReused)

		// A file with bad lines stores nothing, so it is not remembered either.
		r.ID = "import-2"
		bad, err := k.importer.ImportRules(t.Context(), r, []byte(ruleHeader+",+44,,,COST,,Renamed,,,,\n"), nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, bad.BadLineCount)
		result, err := k.importer.ImportRules(t.Context(), r, rules, nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, result.Created)
		_, err = k.db.NewRaw("UPDATE operators SET deleted_at = created_at").Exec(t.Context())
		require.NoError(t, err)
		again, err := k.importer.ImportRules(t.Context(), r, rules, nil)
		require.NoError(t, err, "its operator is gone, and it was done before that")
		result.Warnings = nil
		require.Equal(t, result, again)
	})
}

func TestAnImportThatIsAskedForTwiceAtOnceHasOneEffect(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		const n = 6
		r := operators.Request{Actor: "someone", ID: "import-1", Fingerprint: "f1"}
		results, errs := make(chan operators.Result, n), make(chan error, n)
		for range n {
			go func() {
				result, err := k.importer.ImportOperators(context.Background(), r, []byte(three), nil)
				result.Warnings = nil
				results <- result
				errs <- err
			}()
		}
		want := operators.Result{Created: 3, WarningCount: 2, Applied: true, ConfigVersion: 2}
		for range n {
			require.NoError(t, <-errs)
			require.Equal(t, want, <-results)
		}
		require.Len(t, k.events(t), 1)
		require.Len(t, k.audit(t), 1)
	})
}
