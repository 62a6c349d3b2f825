package database_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/platform/pgtest"
)

func TestRulesAndReleasesAreReadFromTheReplicaWhileThePrimaryIsDown(t *testing.T) {
	primary := pgtest.Start(t)
	k := newKit(t, primary.URL(), migrations.Postgres, "postgres")
	k.operators(t, three)
	k.rules(t, ruleHeader+",+44,GB,,PRIORITY,,Alpha,1,,,\n")
	stored := k.allRules(t)[0]
	release := k.add(t, aRelease("a"), []byte("x"))
	replica := primary.StartReplica(t)
	replica.CatchUp(t)

	cfg := bunstore.DefaultConfig()
	cfg.URL, cfg.ReplicaURL = config.NewSecret(primary.URL()), config.NewSecret(replica.URL())
	reader, err := bunstore.OpenReader(t.Context(), cfg, k.db, bunstore.ReaderOptions{Clock: clock.System(), Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, reader.Close()) })
	store := database.New(k.db, reader, bus.Encode)
	admin := operators.NewRuleAdmin(store, k.told, k.clock.Now, money.Money{})
	primary.Kill(t)

	rule, fresh, err := admin.GetRule(t.Context(), stored.ID)
	require.NoError(t, err)
	require.True(t, fresh.Stale)
	require.Equal(t, stored, rule)
	page, more, fresh, err := admin.ListRules(t.Context(), operators.RuleFilter{Limit: 10})
	require.NoError(t, err)
	require.True(t, fresh.Stale)
	require.False(t, more)
	require.Equal(t, []operators.Rule{stored}, page)
	_, fresh, err = admin.GetRule(t.Context(), uuid.New())
	require.True(t, fresh.Stale)
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	result, err := admin.CheckRules(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 1, result.Rules)
	readRelease := func(id uuid.UUID) (found operators.Release, err error) {
		fresh, err := store.ReadReleases(t.Context(), func(ctx context.Context, r operators.ReleaseReader) (err error) {
			found, err = r.Release(ctx, id)
			return err
		})
		require.True(t, fresh.Stale)
		return found, err
	}
	found, err := readRelease(release.ID)
	require.NoError(t, err)
	require.Equal(t, release, found)
	_, err = readRelease(uuid.New())
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	for _, change := range []func() error{
		func() error { _, _, err := admin.CreateRule(t.Context(), someone, stored); return err },
		func() error {
			_, _, err := admin.UpdateRule(t.Context(), someone, stored, "", []string{"country"})
			return err
		},
		func() error {
			_, err := admin.DeleteRule(t.Context(), someone, operators.Target{ID: stored.ID})
			return err
		},
	} {
		requireFault(t, change(), fault.Unavailable, bunstore.ReasonUnavailable)
	}
}

// A rule that is found and gone at once must not be deleted twice.
func TestARuleIsRemovedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		k.operators(t, three)
		k.rules(t, ruleHeader+",+44,GB,,PRIORITY,,Alpha,1,,,\n")
		rule := k.allRules(t)[0]
		rule.UpdatedAt = rule.UpdatedAt.Add(time.Minute)
		remove := func(ctx context.Context, tx operators.Tx) error { return tx.RemoveRule(ctx, rule) }
		require.NoError(t, k.store.InTx(t.Context(), remove))
		requireFault(t, k.store.InTx(t.Context(), remove), fault.NotFound, operators.ReasonNoSuchRule)
	})
}
