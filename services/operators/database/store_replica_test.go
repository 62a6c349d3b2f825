package database_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace/noop"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/operators/credentials"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
	"trunkline/services/platform/secret"
	"trunkline/services/platform/secrets"
)

func TestOperatorsAreReadFromTheReplicaWhileThePrimaryIsDown(t *testing.T) {
	primary := pgtest.Start(t)
	k := newKit(t, primary.URL(), migrations.Postgres, "postgres")
	cfg := bunstore.DefaultConfig()
	replica := primary.StartReplica(t)
	cfg.URL, cfg.ReplicaURL = config.NewSecret(primary.URL()), config.NewSecret(replica.URL())
	reader, err := bunstore.OpenReader(t.Context(), cfg, k.db, bunstore.ReaderOptions{Clock: clock.System(), Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, reader.Close()) })
	ring, err := secrets.OpenKeyring(secrets.KeyringConfig{File: filepath.Join(t.TempDir(), "ring")}, nil, k.clock)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ring.Close()) })
	store, keeper := database.New(k.db, reader, bus.Encode), credentials.New(ring, noop.NewTracerProvider().Tracer(""))
	admin := operators.NewAdmin(store, keeper, k.told, k.clock.Now, slog.New(slog.DiscardHandler))

	alpha := operators.Operator{Name: "Alpha", Host: "a.example", Port: 2775, SystemID: "alpha", MaxTPS: 10}
	stored, err := admin.CreateOperator(t.Context(), someone, alpha, secret.New("password"))
	require.NoError(t, err)
	orphan := uuid.New()
	_, err = keeper.Put(t.Context(), orphan, secret.New("password"))
	require.NoError(t, err)
	k.clock.Advance(time.Hour)
	replica.CatchUp(t)
	primary.Kill(t)

	o, fresh, err := admin.GetOperator(t.Context(), stored.ID)
	require.NoError(t, err)
	require.True(t, fresh.Stale)
	require.Equal(t, stored, o)
	page, more, fresh, err := admin.ListOperators(t.Context(), operators.OperatorFilter{Search: "ALPHA", Limit: 1})
	require.NoError(t, err)
	require.True(t, fresh.Stale)
	require.False(t, more)
	require.Equal(t, []operators.Operator{stored}, page)
	_, fresh, err = admin.GetOperator(t.Context(), uuid.New())
	require.True(t, fresh.Stale)
	requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)

	target := operators.Target{ID: stored.ID}
	for name, change := range map[string]func() error{
		"create": func() error {
			alpha.Name, alpha.SystemID = "Beta", "beta"
			_, err := admin.CreateOperator(t.Context(), someone, alpha, secret.New("password"))
			return err
		},
		"update": func() error {
			_, _, err := admin.UpdateOperator(t.Context(), someone, stored, "", []string{"notes"})
			return err
		},
		"activate": func() error { _, _, err := admin.ActivateOperator(t.Context(), someone, target); return err },
		"delete":   func() error { _, _, err := admin.DeleteOperator(t.Context(), someone, target); return err },
		"rotate": func() error {
			_, err := admin.RotateCredentials(t.Context(), someone, target, secret.New("x"))
			return err
		},
		"read": func() error {
			_, password, err := admin.Credentials(t.Context(), someone, stored.ID)
			require.True(t, password.IsZero())
			return err
		},
		"import": func() error {
			_, err := k.importer.ImportOperators(t.Context(), someone, []byte(three), nil)
			return err
		},
	} {
		err := change()
		require.Error(t, err, name)
		requireFault(t, err, fault.Unavailable, bunstore.ReasonUnavailable)
	}
	taken, err := operators.NewOrphans(store, keeper, k.clock.Now, slog.New(slog.DiscardHandler)).Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, taken, "the replica may not know the newest rows")
	kept, err := keeper.List(t.Context())
	require.NoError(t, err)
	require.Len(t, kept, 2, "nothing was added and nothing taken away")
}
