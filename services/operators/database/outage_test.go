package database_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
)

func TestADeadServerIsUnavailableForEveryCall(t *testing.T) {
	server := pgtest.Start(t)
	k := newKit(t, server.URL(), migrations.Postgres, "postgres")
	k.operators(t, three)
	server.Kill(t)
	_, _, err := k.store.LiveOperators(t.Context())
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	_, _, err = k.store.Operator(t.Context(), uuid.New())
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	_, _, _, err = k.store.ListOperators(t.Context(), operators.OperatorFilter{Limit: 1})
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	_, err = k.store.PurgeRequests(t.Context(), time.Now())
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	requireFault(t, k.store.Audit(t.Context(), someone, operators.Entry{Action: "x"}), fault.Unavailable, bunstore.ReasonUnavailable)
	_, _, _, err = k.store.ListRules(t.Context(), operators.RuleFilter{Limit: 1})
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	_, err = k.importer.ImportOperators(t.Context(), someone, []byte(three), nil)
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	_, err = k.importer.ImportRules(t.Context(), someone, []byte(ruleHeader), nil)
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	require.EqualValues(t, 1, k.told.wakes.Load())

	server.Restart(t)
	require.EqualValues(t, 3, k.operators(t, three).Unchanged)
}

// The server dies after the rows are written and before the commit.
func TestAServerThatDiesDuringAnImportStoresNothing(t *testing.T) {
	server := pgtest.Start(t)
	k := newKit(t, server.URL(), migrations.Postgres, "postgres")
	_, err := k.importer.ImportOperators(t.Context(), someone, []byte(three), func(done, total int64) {
		if done == total && total == 3 {
			server.Kill(t)
		}
	})
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	require.Zero(t, k.told.wakes.Load())
	server.Restart(t)
	require.Empty(t, k.allOperators(t))
}

func TestACallerWhoGoesAwayEndsTheImport(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := k.importer.ImportRules(ctx, someone, bigFile(5_000), func(done, total int64) {
			if total == 5_000 && done >= 1_000 {
				cancel()
			}
		})
		require.Equal(t, fault.Canceled, fault.From(err).Kind)
		require.Empty(t, k.allRules(t))
		config, _ := k.versions(t)
		require.EqualValues(t, 2, config)
	})
}
