package bunstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"trunkline/services/platform/fault"
)

// Limits of Preflight.
const (
	checkTimeout       = 5 * time.Second
	oldestPostgres     = 150000 // as server_version_num counts: 15.0
	largestSkew        = 5 * time.Second
	notCheckedNoAnswer = "not checked: the database does not answer"
)

// Check is one finding of Preflight.
type Check struct {
	// Name is stable: connect, version, writable, rights, roles, pending, unknown or clock.
	Name string
	// OK tells whether migrating may go ahead as far as this check is concerned.
	OK bool
	// Detail is a sentence for people.
	Detail string
}

// Preflight looks whether Up would work and changes nothing. Every check is
// there in every report, in the same order. Each has 5 s, and less when ctx ends.
func (m *Migrator) Preflight(ctx context.Context) []Check {
	checks := []struct {
		name string
		run  func(context.Context) (bool, string, error)
	}{
		{"connect", m.checkConnect},
		{"version", m.checkVersion},
		{"writable", m.checkWritable},
		{"rights", m.checkRights},
		{"roles", m.checkRoles},
		{"pending", m.checkPending},
		{"unknown", m.checkUnknown},
		{"clock", m.checkClock},
	}
	report := make([]Check, 0, len(checks))
	for _, check := range checks {
		if len(report) > 0 && !report[0].OK {
			report = append(report, Check{Name: check.name, Detail: notCheckedNoAnswer})
			continue
		}
		one, cancel := context.WithTimeout(ctx, checkTimeout)
		ok, detail, err := check.run(one)
		cancel()
		if err != nil {
			ok, detail = false, fault.From(Fault(err)).Message
		}
		report = append(report, Check{Name: check.name, OK: ok, Detail: detail})
	}
	return report
}

func (m *Migrator) checkConnect(ctx context.Context) (bool, string, error) {
	return true, DialectOf(m.db).String() + " answers", m.db.PingContext(ctx)
}

func (m *Migrator) checkVersion(ctx context.Context) (bool, string, error) {
	if DialectOf(m.db) == SQLite {
		var version string
		err := m.db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version)
		return true, "SQLite " + version + " is built in", err
	}
	var number int
	var text string
	err := m.db.QueryRowContext(ctx,
		"SELECT current_setting('server_version_num')::int, current_setting('server_version')").Scan(&number, &text)
	if number < oldestPostgres {
		return false, "PostgreSQL " + text + " is too old: 15 or newer is needed", err
	}
	return true, "PostgreSQL " + text, err
}

func (m *Migrator) checkWritable(ctx context.Context) (bool, string, error) {
	query := "SELECT query_only FROM pragma_query_only"
	if DialectOf(m.db) == Postgres {
		query = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool"
	}
	var readOnly bool
	if err := m.db.QueryRowContext(ctx, query).Scan(&readOnly); err != nil {
		return false, "", err
	}
	if readOnly {
		return false, "this connection or server takes no writes: use the primary, without read_only", nil
	}
	return true, "takes writes", nil
}

func (m *Migrator) checkRights(ctx context.Context) (bool, string, error) {
	if DialectOf(m.db) == SQLite {
		return true, "SQLite has no roles", nil
	}
	var inDatabase, inPublic bool
	err := m.db.QueryRowContext(ctx, `SELECT has_database_privilege(current_database(), 'CREATE'),
		has_schema_privilege('public', 'CREATE')`).Scan(&inDatabase, &inPublic)
	var missing []string
	if !inDatabase {
		missing = append(missing, "CREATE on the database")
	}
	if !inPublic {
		missing = append(missing, "CREATE on schema public")
	}
	if len(missing) > 0 {
		return false, "the role lacks " + strings.Join(missing, " and "), err
	}
	return true, "may create schemas and tables", err
}

func (m *Migrator) checkRoles(ctx context.Context) (bool, string, error) {
	if DialectOf(m.db) == SQLite || len(m.roles) == 0 {
		return true, "no roles are needed", nil
	}
	var mayCreate bool
	if err := m.db.QueryRowContext(ctx,
		"SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user").Scan(&mayCreate); err != nil {
		return false, "", err
	}
	var missing []string
	for _, role := range m.roles {
		var n int
		if err := m.db.NewRaw("SELECT count(*) FROM pg_roles WHERE rolname = ?", role).Scan(ctx, &n); err != nil {
			return false, "", err
		}
		if n == 0 {
			missing = append(missing, role)
		}
	}
	switch {
	case len(missing) == 0:
		return true, "the roles exist: " + strings.Join(m.roles, ", "), nil
	case mayCreate:
		return true, "will create the roles: " + strings.Join(missing, ", "), nil
	}
	return false, "cannot create roles: grant CREATEROLE, or create them first with NOLOGIN: " + strings.Join(missing, ", "), nil
}

func (m *Migrator) checkPending(ctx context.Context) (bool, string, error) {
	all, err := m.Status(ctx)
	var pending []string
	for _, one := range all {
		if !one.Applied() {
			pending = append(pending, one.Name)
		}
	}
	if len(pending) == 0 {
		return true, "nothing to do", err
	}
	return true, fmt.Sprintf("%d to apply: %s", len(pending), strings.Join(pending, ", ")), err
}

func (m *Migrator) checkUnknown(ctx context.Context) (bool, string, error) {
	exists, err := m.hasBookkeeping(ctx)
	if err != nil || !exists {
		return err == nil, "the database was not migrated yet", err
	}
	unknown, err := m.runner().MissingMigrations(ctx)
	if len(unknown) > 0 {
		return false, "applied by a newer binary: " + numbers(unknown), err
	}
	return true, "every applied migration is known", err
}

func (m *Migrator) checkClock(ctx context.Context) (bool, string, error) {
	if DialectOf(m.db) == SQLite {
		return true, "SQLite uses this machine's clock", nil
	}
	var theirs time.Time
	before := m.clock.Now()
	if err := m.db.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&theirs); err != nil {
		return false, "", err
	}
	after := m.clock.Now()
	// The server read its clock somewhere between the two readings here.
	skew := max(before.Sub(theirs), theirs.Sub(after), 0)
	if skew > largestSkew {
		return false, fmt.Sprintf("the clocks differ by %s, at most %s is allowed: check time synchronisation",
			skew.Round(time.Millisecond), largestSkew), nil
	}
	return true, "the clocks agree within " + largestSkew.String(), nil
}
