package database_test

import (
	"context"
	"io/fs"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/migrations"
	"trunkline/services/access"
	"trunkline/services/access/database"
	"trunkline/services/access/trail"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/pgtest"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC)

// trailKit is an audit log with what keeps it.
type trailKit struct {
	url   string
	db    *bun.DB
	audit *database.Audit
	clock *clock.Fake
}

func onBothTrails(t *testing.T, test func(t *testing.T, k trailKit)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) {
		test(t, newTrailKit(t, bunstoretest.Postgres(t, migrations.Postgres), migrations.Postgres, "postgres"))
	})
	t.Run("sqlite", func(t *testing.T) {
		test(t, newTrailKit(t, bunstoretest.SQLite(t, migrations.SQLite), migrations.SQLite, "sqlite"))
	})
}

func newTrailKit(t *testing.T, url string, files fs.FS, dir string) trailKit {
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
	return trailKit{url, db, database.NewAudit(db, bunstore.NewReader(db)), clock.NewFake(noon)}
}

// write appends n rows, a second apart.
func (k trailKit) write(t *testing.T, n int) []access.AuditRow {
	t.Helper()
	after := `{"name":"Nordlink"}`
	rows := make([]access.AuditRow, n)
	for i := range rows {
		rows[i] = access.AuditRow{
			ID: uuid.Must(uuid.NewV7()), At: k.clock.Advance(time.Second), Actor: "key:1", RequestID: "r",
			Action: "operator.update", Entity: "operator", EntityID: "o", After: &after,
		}
		if i%2 == 1 {
			rows[i].Action, rows[i].After, rows[i].Before = "operator_x.delete", nil, &after
		}
	}
	for some := range slices.Chunk(rows, 100) { // one call has a deadline
		require.NoError(t, k.audit.Append(t.Context(), some))
	}
	return rows
}

func (k trailKit) seal(t *testing.T) (n int) {
	t.Helper()
	n, _, _, err := k.audit.Seal(t.Context(), k.clock.Now())
	require.NoError(t, err)
	return n
}

func (k trailKit) prove(t *testing.T, known *access.AuditHash) access.AuditVerdict {
	t.Helper()
	v, err := trail.NewProver(k.audit, k.clock).Prove(t.Context(), known, func(int64) error { return nil })
	require.NoError(t, err)
	return v
}

func TestRowsAreSealedInTheOrderTheyWereFound(t *testing.T) {
	onBothTrails(t, func(t *testing.T, k trailKit) {
		require.Zero(t, k.seal(t), "an empty log")
		rows := k.write(t, 3)
		require.Equal(t, access.AuditVerdict{Unsealed: 3}, k.prove(t, nil))
		require.Equal(t, 3, k.seal(t))
		require.Zero(t, k.seal(t))
		k.write(t, 2)
		// A transaction that began before all others and commits last: its row has an early time and a late place.
		late := rows[0]
		late.ID, late.At = uuid.Must(uuid.NewV7()), noon
		require.NoError(t, k.audit.Append(t.Context(), []access.AuditRow{late}))
		require.Equal(t, 3, k.seal(t))
		v := k.prove(t, nil)
		require.Nil(t, v.Defect)
		require.EqualValues(t, 6, v.Verified)
		require.Zero(t, v.Unsealed)

		page, more, err := k.audit.Export(t.Context(), access.AuditFilter{Limit: 10})
		require.NoError(t, err)
		require.False(t, more)
		require.Equal(t, late.ID, page[0].ID)
		require.EqualValues(t, 4, page[0].Sequence)
		var head access.AuditHash
		for _, place := range []int{1, 2, 3, 0, 4, 5} { // as they were sealed
			head = page[place].Seal(page[place].Sequence, head)
			require.Equal(t, head, page[place].Hash)
		}
		require.Equal(t, head, v.Head)
	})
}

func TestTwoSealersMakeOneChain(t *testing.T) {
	k := newTrailKit(t, bunstoretest.Postgres(t, migrations.Postgres), migrations.Postgres, "postgres")
	k.write(t, 600)
	done := make(chan struct{}, 4)
	for range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for t.Context().Err() == nil {
				left, err := k.audit.Unsealed(t.Context())
				if err == nil && left == 0 {
					return
				}
				_, _, _, _ = k.audit.Seal(t.Context(), noon) // the one that loses has an error
			}
		}()
	}
	for range 4 {
		<-done
	}
	v := k.prove(t, nil)
	require.Nil(t, v.Defect)
	require.EqualValues(t, 600, v.Verified)
}

// TestTamperingIsNamed changes the log as somebody would who is its owner and takes the triggers away.
func TestTamperingIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		postgres, sqlite []string
		reason           string
		sequence         int64
	}{
		"a row was changed": {
			[]string{`UPDATE audit_log SET actor = 'nobody' WHERE audit_id = (SELECT audit_id FROM audit_chain WHERE sequence = 3)`}, nil,
			access.DefectRowChanged, 3,
		},
		"a row was taken out": {
			[]string{
				`ALTER TABLE audit_chain DROP CONSTRAINT audit_chain_audit_id_fkey`,
				`DELETE FROM audit_log WHERE audit_id = (SELECT audit_id FROM audit_chain WHERE sequence = 3)`,
			},
			[]string{`PRAGMA foreign_keys = OFF`, `DELETE FROM audit_log WHERE audit_id = (SELECT audit_id FROM audit_chain WHERE sequence = 3)`},
			access.DefectRowMissing, 3,
		},
		"a row and its link were taken out": {
			[]string{
				`CREATE TEMP TABLE gone AS SELECT audit_id FROM audit_chain WHERE sequence = 3`,
				`DELETE FROM audit_chain WHERE sequence = 3`, `DELETE FROM audit_log WHERE audit_id IN (SELECT audit_id FROM gone)`,
			}, nil,
			access.DefectLinkMissing, 3,
		},
		"the first link was taken out": {[]string{`DELETE FROM audit_chain WHERE sequence = 1`}, nil, access.DefectLinkMissing, 1},
		"a seal was taken from the end, and its row waits for ever": {
			[]string{`DELETE FROM audit_chain WHERE sequence = 5`}, nil, access.DefectSealOverdue, 0,
		},
		"the end was cut off": {
			[]string{
				`CREATE TEMP TABLE gone AS SELECT audit_id FROM audit_chain WHERE sequence = 5`,
				`DELETE FROM audit_chain WHERE sequence = 5`, `DELETE FROM audit_log WHERE audit_id IN (SELECT audit_id FROM gone)`,
			}, nil,
			access.DefectHeadMissing, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBothTrails(t, func(t *testing.T, k trailKit) {
				k.write(t, 5)
				require.Equal(t, 5, k.seal(t))
				head := k.prove(t, nil).Head
				statements, triggers := c.postgres, []string{
					"ALTER TABLE audit_log DISABLE TRIGGER USER", "ALTER TABLE audit_chain DISABLE TRIGGER USER",
				}
				if strings.HasPrefix(k.url, "sqlite:") {
					triggers = []string{"DROP TRIGGER audit_log_no_update", "DROP TRIGGER audit_log_no_delete", "DROP TRIGGER audit_chain_no_delete"}
					if c.sqlite != nil {
						statements = c.sqlite
					}
				}
				conn, err := k.db.Conn(t.Context())
				require.NoError(t, err)
				defer conn.Close()
				for _, statement := range append(triggers, statements...) {
					_, err := conn.ExecContext(t.Context(), statement)
					require.NoError(t, err, statement)
				}
				k.clock.Advance(access.SealOverdue + time.Minute)
				v := k.prove(t, &head)
				require.NotNil(t, v.Defect)
				require.Equal(t, c.reason, v.Defect.Reason)
				require.Equal(t, c.sequence, v.Defect.Sequence)
				require.NotEmpty(t, v.Defect.Message)
			})
		})
	}
}

func TestARowThatWaitsTooLongIsNamed(t *testing.T) {
	onBothTrails(t, func(t *testing.T, k trailKit) {
		old := k.write(t, 1)[0] // it says that it happened long ago, and has come just now
		k.clock.Set(time.Now())
		require.Nil(t, k.prove(t, nil).Defect)
		k.clock.Advance(access.SealOverdue + time.Minute)
		require.Equal(t, access.DefectSealOverdue, k.prove(t, nil).Defect.Reason)
		require.Equal(t, old.ID, k.prove(t, nil).Defect.ID)
		require.Equal(t, 1, k.seal(t))
		require.Nil(t, k.prove(t, nil).Defect)
	})
}

func TestATryAgainAddsWhatIsMissing(t *testing.T) {
	onBothTrails(t, func(t *testing.T, k trailKit) {
		rows := k.write(t, 2)
		more := append(rows, rows[0])
		more[2].ID = uuid.Must(uuid.NewV7())
		require.NoError(t, k.audit.Append(t.Context(), more), "the commit of the first try got no answer")
		require.Equal(t, 3, k.seal(t))
	})
}

func TestTheLogTakesRowsAndNothingElse(t *testing.T) {
	onBothTrails(t, func(t *testing.T, k trailKit) {
		k.write(t, 2)
		k.seal(t)
		statements := []string{
			"UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log", "UPDATE audit_chain SET sequence = 9", "DELETE FROM audit_chain",
		}
		if !strings.HasPrefix(k.url, "sqlite:") {
			statements = append(statements, "TRUNCATE audit_log CASCADE", "TRUNCATE audit_chain")
		}
		for _, statement := range statements {
			_, err := k.db.ExecContext(t.Context(), statement)
			require.ErrorContains(t, err, "never changed", statement)
		}
		require.Nil(t, k.prove(t, nil).Defect)
	})
}

func TestAnEngineAddsRowsThroughItsReadOnlyConnection(t *testing.T) {
	k := newTrailKit(t, bunstoretest.Postgres(t, migrations.Postgres), migrations.Postgres, "postgres")
	role := "engine_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	_, err := k.db.ExecContext(t.Context(), "CREATE ROLE "+role+" LOGIN PASSWORD 'x' IN ROLE ops_routing_reader")
	require.NoError(t, err)
	t.Cleanup(func() { pgtest.Exec(t, k.url, "DROP OWNED BY "+role, "DROP ROLE "+role) })
	cfg := bunstore.DefaultConfig()
	cfg.URL, cfg.ReadOnly = config.NewSecret(withUser(t, k.url, role)), true
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer db.Close()
	engine := k
	engine.audit = database.NewAudit(db, bunstore.NewReader(db))
	rows := engine.write(t, 2)
	require.NoError(t, engine.audit.Append(t.Context(), rows), "again, after a commit without an answer")
	require.Equal(t, 2, k.seal(t))

	// A temporary table that has the name of the queue catches nothing and runs nothing as the owner.
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	for _, statement := range []string{
		"SET default_transaction_read_only = off",
		"CREATE TEMP TABLE audit_unsealed (audit_id uuid, waiting_since timestamptz)",
		"INSERT INTO audit_log (audit_id, occurred_at, actor, request_id, action, entity, entity_id) VALUES (gen_random_uuid(), now(), 'x', '', 'x', 'x', '')",
	} {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	require.Equal(t, 1, k.seal(t))
	for _, statement := range []string{"SELECT * FROM audit_log", "SELECT * FROM audit_chain", "DELETE FROM audit_unsealed"} {
		_, err = db.ExecContext(t.Context(), statement)
		require.Error(t, err, statement)
	}
}

func TestFiltersChooseRows(t *testing.T) {
	onBothTrails(t, func(t *testing.T, k trailKit) {
		rows := k.write(t, 6)
		ids := func(f access.AuditFilter, read func(context.Context, access.AuditFilter) ([]access.AuditRow, bool, error)) (out []uuid.UUID) {
			f.Limit = 2
			for {
				page, more, err := read(t.Context(), f)
				require.NoError(t, err)
				for _, r := range page {
					out = append(out, r.ID)
				}
				if !more {
					return out
				}
				f.AfterTime, f.AfterID = page[len(page)-1].At, page[len(page)-1].ID
			}
		}
		for name, c := range map[string]struct {
			filter access.AuditFilter
			want   []int
		}{
			"all":                                 {access.AuditFilter{}, []int{0, 1, 2, 3, 4, 5}},
			"one action":                          {access.AuditFilter{Action: "operator.update"}, []int{0, 2, 4}},
			"a group of actions":                  {access.AuditFilter{Action: "operator."}, []int{0, 2, 4}},
			"an underscore stands for itself":     {access.AuditFilter{Action: "operato_."}, nil},
			"the beginning of a word is no group": {access.AuditFilter{Action: "operator"}, nil},
			"another actor":                       {access.AuditFilter{Actor: "key:2"}, nil},
			"an entity":                           {access.AuditFilter{Entity: "operator", EntityID: "o"}, []int{0, 1, 2, 3, 4, 5}},
			"from one moment to before another":   {access.AuditFilter{From: rows[1].At, To: rows[3].At}, []int{1, 2}},
		} {
			t.Run(name, func(t *testing.T) {
				var forward, backward []uuid.UUID
				for _, i := range c.want {
					forward = append(forward, rows[i].ID)
					backward = append([]uuid.UUID{rows[i].ID}, backward...)
				}
				require.Equal(t, forward, ids(c.filter, k.audit.Export))
				require.Equal(t, backward, ids(c.filter, k.audit.List))
			})
		}
	})
}

func TestTheSealerRunsByItself(t *testing.T) {
	onBothTrails(t, func(t *testing.T, k trailKit) {
		k.write(t, 700) // more than one batch
		sealer, err := trail.NewSealer(k.audit, clock.System(), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- sealer.Run(ctx) }()
		require.Eventually(t, func() bool { return k.prove(t, nil).Verified == 700 }, 60*time.Second, 20*time.Millisecond)
		cancel()
		require.NoError(t, <-done)
	})
}

// withUser is the URL for another user.
func withUser(t *testing.T, text, user string) string {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	u.User = url.UserPassword(user, "x")
	return u.String()
}
