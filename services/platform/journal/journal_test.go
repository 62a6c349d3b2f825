package journal_test

import (
	"io/fs"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/migrations"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/journal"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC)

func onBoth(t *testing.T, test func(t *testing.T, db *bun.DB)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) {
		test(t, open(t, bunstoretest.Postgres(t, migrations.Postgres), migrations.Postgres, "postgres"))
	})
	t.Run("sqlite", func(t *testing.T) {
		test(t, open(t, bunstoretest.SQLite(t, migrations.SQLite), migrations.SQLite, "sqlite"))
	})
}

func open(t *testing.T, url string, files fs.FS, dir string) *bun.DB {
	t.Helper()
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(url)
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: files, Dir: dir}, clock.System())
	require.NoError(t, err)
	_, err = m.Up(t.Context())
	require.NoError(t, err)
	return db
}

func TestARequestIsKnownForADay(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		ctx, r := t.Context(), journal.Request{Actor: "a", ID: "1", Fingerprint: "x"}
		repeated := func(r journal.Request, now time.Time) (string, bool) {
			reply, yes, err := journal.Repeated(ctx, db, r, now)
			require.NoError(t, err)
			return reply, yes
		}
		_, yes := repeated(r, noon)
		require.False(t, yes)
		require.NoError(t, journal.Remember(ctx, db, r, "first", noon))
		reply, yes := repeated(r, noon.Add(journal.RequestLife-time.Second))
		require.True(t, yes)
		require.Equal(t, "first", reply)
		_, yes = repeated(r, noon.Add(journal.RequestLife))
		require.False(t, yes, "a day later it is a new one")
		_, yes = repeated(journal.Request{Actor: "b", ID: "1", Fingerprint: "x"}, noon)
		require.False(t, yes, "another actor's")
		_, _, err := journal.Repeated(ctx, db, journal.Request{Actor: "a", ID: "1", Fingerprint: "y"}, noon)
		require.True(t, fault.Is(err, journal.ReasonRequestReused))

		require.NoError(t, journal.Remember(ctx, db, r, "second", noon.Add(journal.RequestLife)))
		reply, _ = repeated(r, noon.Add(journal.RequestLife))
		require.Equal(t, "second", reply)
		n, err := journal.Forget(ctx, db, noon.Add(journal.RequestLife+time.Second))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		_, yes = repeated(r, noon.Add(journal.RequestLife))
		require.False(t, yes)
	})
}

func TestARequestWithoutIDIsNeverARepeat(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		r := journal.Request{Actor: "a", Fingerprint: "x"}
		for range 2 {
			require.NoError(t, journal.Remember(t.Context(), db, r, "reply", noon))
			_, yes, err := journal.Repeated(t.Context(), db, r, noon)
			require.NoError(t, err)
			require.False(t, yes)
		}
	})
}

func TestEntriesAreRowsOfTheAuditLog(t *testing.T) {
	onBoth(t, func(t *testing.T, db *bun.DB) {
		require.NoError(t, journal.Record(t.Context(), db))
		require.NoError(t, journal.Record(t.Context(), db,
			journal.Entry{At: noon, Actor: "a", RequestID: "r", Action: "x.create", Entity: "x", EntityID: "1", After: []byte("{}")},
			journal.Entry{At: noon, Actor: "b", Action: "x.import", Entity: "x"}))
		var rows []struct {
			OccurredAt                                 time.Time
			Actor, RequestID, Action, Entity, EntityID string
			Before, After                              *string
		}
		require.NoError(t, db.NewRaw("SELECT occurred_at, actor, request_id, action, entity, entity_id, before, after FROM audit_log ORDER BY actor").Scan(t.Context(), &rows))
		require.Len(t, rows, 2)
		require.Equal(t, noon.Truncate(time.Microsecond), rows[0].OccurredAt.UTC())
		require.Equal(t, []string{"a", "r", "x.create", "x", "1", "{}"},
			[]string{rows[0].Actor, rows[0].RequestID, rows[0].Action, rows[0].Entity, rows[0].EntityID, *rows[0].After})
		require.Nil(t, rows[0].Before)
		require.Nil(t, rows[1].After)
	})
}
