package bunstore_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/migrations"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
)

const readerRole = "ops_routing_reader"

func product(db *bun.DB) bunstore.Migrations {
	if bunstore.DialectOf(db) == bunstore.Postgres {
		return bunstore.Migrations{Files: migrations.Postgres, Dir: "postgres", Roles: []string{readerRole}}
	}
	return bunstore.Migrations{Files: migrations.SQLite, Dir: "sqlite"}
}

func migrator(t *testing.T, db *bun.DB, m bunstore.Migrations) *bunstore.Migrator {
	t.Helper()
	out, err := bunstore.NewMigrator(db, m, clock.System())
	require.NoError(t, err)
	return out
}

func files(pairs map[string]string) bunstore.Migrations {
	fsys := fstest.MapFS{}
	for name, up := range pairs {
		fsys["m/"+name+".tx.up.sql"] = &fstest.MapFile{Data: []byte(up)}
		fsys["m/"+name+".tx.down.sql"] = &fstest.MapFile{Data: []byte("DROP TABLE " + name[strings.Index(name, "_")+1:])}
	}
	return bunstore.Migrations{Files: fsys, Dir: "m"}
}

func TestTheProductMigratesUpDownAndUpAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := open(t, settings(url))
		m := migrator(t, db, product(db))
		status, err := m.Status(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, status)
		require.False(t, status[0].Applied())

		first, err := m.Up(t.Context())
		require.NoError(t, err)
		require.Len(t, first, len(status))
		exec(t, db, "SELECT * FROM operators", "SELECT config_version FROM config_state")
		again, err := m.Up(t.Context())
		require.NoError(t, err)
		require.Empty(t, again)
		status, err = m.Status(t.Context())
		require.NoError(t, err)
		require.True(t, status[0].Applied())
		require.WithinDuration(t, time.Now(), status[0].AppliedAt, time.Minute)

		down, err := m.Down(t.Context())
		require.NoError(t, err)
		require.Len(t, down, len(first))
		_, err = db.ExecContext(t.Context(), "SELECT * FROM operators")
		require.Error(t, err)
		nothing, err := m.Down(t.Context())
		require.NoError(t, err)
		require.Empty(t, nothing)

		second, err := m.Up(t.Context())
		require.NoError(t, err)
		require.Equal(t, first, second)
	})
}

func TestTwoMigratorsAtOnceApplyEverythingOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		many := map[string]string{}
		for _, letter := range strings.Split("abcdefgh", "") {
			many["1"+string('0'+letter[0]-'a')+"_t"+letter] = "CREATE TABLE t" + letter + " (n integer)"
		}
		type result struct {
			names []string
			err   error
		}
		results := make(chan result)
		const runners = 4
		for range runners {
			db := open(t, settings(url))
			m := migrator(t, db, files(many))
			go func() {
				names, err := m.Up(context.Background())
				results <- result{names, err}
			}()
		}
		var all []string
		for range runners {
			r := <-results
			require.NoError(t, r.err)
			all = append(all, r.names...)
		}
		require.ElementsMatch(t, []string{"10_ta", "11_tb", "12_tc", "13_td", "14_te", "15_tf", "16_tg", "17_th"}, all)
	})
}

func TestAMigrationThatFailsLeavesNoTraceAndIsNamedByItsAbsence(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := open(t, settings(url))
		broken := files(map[string]string{
			"1_good": "CREATE TABLE good (n integer)",
			"2_bad":  "CREATE TABLE bad (n integer)\n--bun:split\nINSERT INTO nowhere VALUES (1)",
		})
		done, err := migrator(t, db, broken).Up(t.Context())
		require.Error(t, err)
		require.Equal(t, []string{"1_good"}, done)
		exec(t, db, "SELECT * FROM good")
		_, err = db.ExecContext(t.Context(), "SELECT * FROM bad")
		require.Error(t, err)

		repaired := files(map[string]string{"1_good": "", "2_bad": "CREATE TABLE bad (n integer)"})
		done, err = migrator(t, db, repaired).Up(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"2_bad"}, done)
		// The failed one began a group of its own.
		done, err = migrator(t, db, repaired).Down(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"2_bad"}, done)
	})
}

func TestAnOlderBinaryRefusesToTouchANewerDatabase(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := open(t, settings(url))
		newer := files(map[string]string{"1_one": "CREATE TABLE one (n integer)", "2_two": "CREATE TABLE two (n integer)"})
		older := files(map[string]string{"1_one": "CREATE TABLE one (n integer)"})
		_, err := migrator(t, db, newer).Up(t.Context())
		require.NoError(t, err)
		_, err = migrator(t, db, older).Up(t.Context())
		requireFault(t, err, fault.FailedPrecondition, bunstore.ReasonUnknownMigrations)
		_, err = migrator(t, db, older).Down(t.Context())
		requireFault(t, err, fault.FailedPrecondition, bunstore.ReasonUnknownMigrations)
		exec(t, db, "SELECT * FROM one", "SELECT * FROM two")
		require.False(t, check(t, migrator(t, db, older), "unknown").OK)
		require.True(t, check(t, migrator(t, db, newer), "unknown").OK)
	})
}

func TestFilesThatAreNotPairsAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, want string
		files      fstest.MapFS
	}{
		{"no files", "there are no migrations", fstest.MapFS{"x.txt": {}}},
		{"no down", "has no counterpart 1_a.tx.down.sql", fstest.MapFS{"1_a.tx.up.sql": {}}},
		{"no up", "has no counterpart 1_a.tx.up.sql", fstest.MapFS{"1_a.tx.down.sql": {}}},
		{"outside a transaction", "would not run in a transaction", fstest.MapFS{"1_a.up.sql": {}, "1_a.down.sql": {}}},
		{"no number", "unsupported migration name", fstest.MapFS{"a.tx.up.sql": {}, "a.tx.down.sql": {}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := bunstore.NewMigrator(nil, bunstore.Migrations{Files: c.files, Dir: "."}, clock.System())
			require.ErrorContains(t, err, c.want)
		})
	}
}

func check(t *testing.T, m *bunstore.Migrator, name string) bunstore.Check {
	t.Helper()
	for _, one := range m.Preflight(t.Context()) {
		if one.Name == name {
			return one
		}
	}
	require.Fail(t, "no such check", name)
	return bunstore.Check{}
}

func TestPreflightOnAFreshAndOnAMigratedDatabase(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := open(t, settings(url))
		m := migrator(t, db, product(db))
		for _, one := range m.Preflight(t.Context()) {
			require.True(t, one.OK, "%+v", one)
			require.NotEmpty(t, one.Detail)
		}
		require.Contains(t, check(t, m, "pending").Detail, "to apply: 20261121000001_routing")
		require.False(t, func() bool { s, _ := m.Status(t.Context()); return s[0].Applied() }(), "preflight must change nothing")
		_, err := m.Up(t.Context())
		require.NoError(t, err)
		require.Equal(t, "nothing to do", check(t, m, "pending").Detail)
	})
}

func TestPreflightSaysWhatALimitedRoleLacks(t *testing.T) {
	url := pgtest.Database(t)
	db := open(t, settings(login(t, url, "limited", "NOCREATEROLE")))
	m := migrator(t, db, bunstore.Migrations{Files: migrations.Postgres, Dir: "postgres", Roles: []string{"no_such_role"}})
	require.True(t, check(t, m, "connect").OK)
	require.Equal(t, "the role lacks CREATE on the database and CREATE on schema public", check(t, m, "rights").Detail)
	require.False(t, check(t, m, "roles").OK)
	require.Contains(t, check(t, m, "roles").Detail, "no_such_role")
}

func TestPreflightOfAReadOnlyConnection(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		require.NoError(t, open(t, settings(url)).PingContext(t.Context()))
		cfg := settings(url)
		cfg.ReadOnly = true
		db := open(t, cfg)
		require.False(t, check(t, migrator(t, db, product(db)), "writable").OK)
	})
}

func TestPreflightOfADeadServerReportsEveryCheckAndWaitsForNone(t *testing.T) {
	server := pgtest.Start(t)
	db := open(t, settings(server.URL()))
	m := migrator(t, db, product(db))
	server.Kill(t)
	report := m.Preflight(t.Context())
	require.Len(t, report, 8)
	require.Equal(t, bunstore.Check{Name: "connect", Detail: "The database cannot be reached."}, report[0])
	for _, one := range report[1:] {
		require.Equal(t, "not checked: the database does not answer", one.Detail)
		require.False(t, one.OK)
	}
}

func TestPreflightNoticesAClockThatIsOff(t *testing.T) {
	db := open(t, settings(pgtest.Database(t)))
	for _, offset := range []time.Duration{-time.Minute, time.Minute} {
		m, err := bunstore.NewMigrator(db, product(db), clock.NewFake(time.Now().Add(offset)))
		require.NoError(t, err)
		found := check(t, m, "clock")
		require.False(t, found.OK)
		require.Contains(t, found.Detail, "the clocks differ by")
	}
}

// userOf gives the quoted role of a URL.
func userOf(t *testing.T, url string) string {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	return pgx.Identifier{cfg.User}.Sanitize()
}

// login creates a role of its own that may log in and returns the URL for it.
func login(t *testing.T, url, name, options string) string {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	role := name + "_" + strings.TrimPrefix(cfg.Database, "test_")
	quoted := pgx.Identifier{role}.Sanitize()
	pgtest.Exec(t, url, "CREATE ROLE "+quoted+" LOGIN "+options)
	t.Cleanup(func() { pgtest.Exec(t, url, "DROP OWNED BY "+quoted, "DROP ROLE "+quoted) })
	return strings.Replace(url, "postgres://postgres@", "postgres://"+role+"@", 1)
}

func TestTheReaderRoleReadsWhatIsRoutedByAndWritesNothing(t *testing.T) {
	url := pgtest.Database(t)
	owner := open(t, settings(url))
	_, err := migrator(t, owner, product(owner)).Up(t.Context())
	require.NoError(t, err)
	reader := open(t, settings(login(t, url, "engine", "IN ROLE "+readerRole)))

	for _, table := range []string{"operators", "routing_rules", "rule_candidates", "rates", "fx_rates", "config_state", "accounts", "api_keys", "access_state"} {
		exec(t, reader, "SELECT * FROM "+table)
		for _, write := range []string{"DELETE FROM " + table, "TRUNCATE " + table, "DROP TABLE " + table} {
			_, err := reader.ExecContext(t.Context(), write)
			requireFault(t, bunstore.Fault(err), fault.FailedPrecondition, bunstore.ReasonDenied)
		}
	}
	for _, write := range []string{
		"INSERT INTO fx_rates VALUES ('EUR', 1000000000)",
		"UPDATE config_state SET config_version = 99",
		"CREATE TABLE ops_routing.mine (n int)",
		"UPDATE access_state SET version = 99",
		"UPDATE api_keys SET revoked_at = NULL",
	} {
		_, err := reader.ExecContext(t.Context(), write)
		requireFault(t, bunstore.Fault(err), fault.FailedPrecondition, bunstore.ReasonDenied)
	}
	exec(t, reader, "UPDATE api_keys SET last_used_at = now()")
	// What the engine does not route by is closed, and so is what comes later until its migration opens it.
	exec(t, owner, "CREATE TABLE ops_routing.later (n int)")
	for _, table := range []string{"requests", "audit_log", "audit_chain", "outbox", "operator_health", "health_transitions", "later"} {
		_, err := reader.ExecContext(t.Context(), "SELECT * FROM "+table)
		requireFault(t, bunstore.Fault(err), fault.FailedPrecondition, bunstore.ReasonDenied)
	}
	exec(t, owner, "DROP TABLE ops_routing.later")
}

func TestAMigratorWithoutCreateroleWorksWhenTheReaderRoleExists(t *testing.T) {
	url := pgtest.Database(t)
	// Another database of the same server makes sure that the role is there.
	other := open(t, settings(pgtest.Database(t)))
	_, err := migrator(t, other, product(other)).Up(t.Context())
	require.NoError(t, err)

	limited := login(t, url, "deployer", "NOCREATEROLE")
	cfg, err := pgx.ParseConfig(limited)
	require.NoError(t, err)
	role := pgx.Identifier{cfg.User}.Sanitize()
	pgtest.Exec(t, url, "GRANT CREATE ON DATABASE "+pgx.Identifier{cfg.Database}.Sanitize()+" TO "+role, "GRANT CREATE ON SCHEMA public TO "+role)
	db := open(t, settings(limited))
	m := migrator(t, db, product(db))
	for _, one := range m.Preflight(t.Context()) {
		require.True(t, one.OK, "%+v", one)
	}
	_, err = m.Up(t.Context())
	require.NoError(t, err)
	_, err = m.Down(t.Context())
	require.NoError(t, err)
}

func TestTheSchemaRefusesWhatTheDomainRefuses(t *testing.T) {
	const (
		op = "INSERT INTO operators (operator_id, name, host, port, system_id, bind_type, max_tps, message_types, status, version, " +
			"created_at, updated_at, deleted_at) VALUES ('%s', '%s', '%s', %s, '%s', 'TRANSCEIVER', 10, 'SMS', 'ACTIVE', 1, '2026-01-01', '2026-01-01', %s)"
		rule = "INSERT INTO routing_rules (rule_id, account_id, prefix, country, message_types, strategy, on_exhausted, active, " +
			"valid_from, valid_to, created_at, updated_at, deleted_at) VALUES ('%s', %s, '%s', '', '%s', 'COST', 'FAIL', true, NULL, NULL, '2026-01-01', '2026-01-01', %s)"
		id1 = "00000000-0000-7000-8000-000000000001"
		id2 = "00000000-0000-7000-8000-000000000002"
		id3 = "00000000-0000-7000-8000-000000000003"
	)
	onBoth(t, func(t *testing.T, url string) {
		db := open(t, settings(url))
		_, err := migrator(t, db, product(db)).Up(t.Context())
		require.NoError(t, err)
		try := func(format string, args ...any) error {
			_, err := db.NewRaw(fmt.Sprintf(format, args...)).Exec(t.Context())
			return bunstore.Fault(err)
		}
		require.NoError(t, try(op, id1, "Alpha", "a.example", "2775", "sys", "NULL"))
		requireFault(t, try(op, id2, "Alpha", "b.example", "2775", "sys", "NULL"), fault.AlreadyExists, bunstore.ReasonDuplicate)
		requireFault(t, try(op, id2, "Beta", "a.example", "2775", "sys", "NULL"), fault.AlreadyExists, bunstore.ReasonDuplicate)
		require.NoError(t, try(op, id2, "Alpha", "a.example", "2775", "sys", "'2026-01-02'"), "a deleted one does not count")
		requireFault(t, try(op, id3, "Gamma", "g.example", "0", "sys", "NULL"), fault.InvalidArgument, bunstore.ReasonConstraint)
		requireFault(t, try(op, id3, "Gamma", "g.example", "1", "sixteen-chars-xx", "NULL"), fault.InvalidArgument, bunstore.ReasonConstraint)

		require.NoError(t, try(rule, id1, "NULL", "+44", "SMS", "NULL"))
		requireFault(t, try(rule, id2, "NULL", "+44", "SMS", "NULL"), fault.AlreadyExists, bunstore.ReasonDuplicate)
		require.NoError(t, try(rule, id2, "'"+id3+"'", "+44", "SMS", "NULL"), "an account's own rule beside the global one")
		for _, prefix := range []string{"44", "+", "+0", "+4x", "+1234567890123456", "+44 "} {
			requireFault(t, try(rule, id3, "NULL", prefix, "SMS", "NULL"), fault.InvalidArgument, bunstore.ReasonConstraint)
		}
		candidate := "INSERT INTO rule_candidates (rule_id, operator_id, priority, weight, price_nanos, currency) VALUES ('%s', '%s', %s, %s, %s, %s)"
		require.NoError(t, try(candidate, id1, id1, "1", "100", "0", "'EUR'"))
		requireFault(t, try(candidate, id1, id1, "2", "100", "NULL", "NULL"), fault.AlreadyExists, bunstore.ReasonDuplicate)
		requireFault(t, try(candidate, id2, id1, "1", "100", "5", "NULL"), fault.InvalidArgument, bunstore.ReasonConstraint)
		requireFault(t, try(candidate, id2, id3, "1", "100", "NULL", "NULL"), fault.FailedPrecondition, bunstore.ReasonReference)
		requireFault(t, try("INSERT INTO config_state (only_row, config_version, rules_version, updated_at) VALUES (false, 1, 1, '2026-01-01')"), fault.InvalidArgument, bunstore.ReasonConstraint)
		requireFault(t, try("INSERT INTO config_state (only_row, config_version, rules_version, updated_at) VALUES (true, 1, 1, '2026-01-01')"), fault.AlreadyExists, bunstore.ReasonDuplicate)
	})
}

func TestAMigratorOnDiskIsSeenByTheNextProcess(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	db := open(t, settings(url))
	_, err := migrator(t, db, product(db)).Up(t.Context())
	require.NoError(t, err)
	require.NoError(t, db.Close())
	next := open(t, settings(url))
	done, err := migrator(t, next, product(next)).Up(t.Context())
	require.NoError(t, err)
	require.Empty(t, done)
}
