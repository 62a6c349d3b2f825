package accesstest

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/certtest"
)

func newAuthority(t *testing.T) *certtest.Authority { return certtest.NewAuthority(t) }

// background are the beginnings of the names of tables that processes write by themselves.
var background = []string{
	"audit_", "outbox", "requests", "access_state", "decision_", "operator_health", "health_transitions",
}

// stored is everything that callers can change, without what the time changes by itself.
func (d *database) stored(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for table, rows := range d.tables(t) {
		if !slices.ContainsFunc(background, func(beginning string) bool { return strings.HasPrefix(table, beginning) }) {
			out.WriteString(table + "\n" + strings.Join(rows, "\n") + "\n")
		}
	}
	return out.String()
}

// tables gives every row of every table of the schema as text, by name of the table.
func (d *database) tables(t *testing.T) func(yield func(string, []string) bool) {
	t.Helper()
	if d.everything == "" {
		rows, err := d.conn.Query(t.Context(), "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'ops_routing' ORDER BY 1")
		require.NoError(t, err)
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		require.NotEmpty(t, names)
		parts := make([]string, len(names))
		for i, name := range names {
			// last_used_at is written once in a while.
			parts[i] = "SELECT '" + name + "' AS name, (to_jsonb(t) - 'last_used_at')::text AS body FROM " + pgx.Identifier{"ops_routing", name}.Sanitize() + " AS t"
		}
		d.everything = "SELECT name, array_agg(body ORDER BY body) FROM (" + strings.Join(parts, " UNION ALL ") + ") AS everything GROUP BY name ORDER BY name"
	}
	rows, err := d.conn.Query(t.Context(), d.everything)
	require.NoError(t, err)
	type table struct {
		name string
		rows []string
	}
	tables, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (found table, err error) {
		return found, row.Scan(&found.name, &found.rows)
	})
	require.NoError(t, err)
	return func(yield func(string, []string) bool) {
		for _, one := range tables {
			if !yield(one.name, one.rows) {
				return
			}
		}
	}
}
