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

// background are the tables that processes write by themselves.
var background = []string{
	"audit_chain", "audit_unsealed", "audit_log", "outbox", "requests", "access_state", "decision_log", "decision_log_default",
	"decision_outcomes", "decision_outcomes_default", "operator_health", "health_transitions", "health_transitions_default",
}

// stored is everything that callers can change, without what the time changes by itself.
func (d *database) stored(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for table, rows := range d.tables(t) {
		if !slices.Contains(background, table) {
			out.WriteString(table + "\n" + strings.Join(rows, "\n") + "\n")
		}
	}
	return out.String()
}

// tables gives every row of every table of the schema as text, by name of the table.
func (d *database) tables(t *testing.T) func(yield func(string, []string) bool) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'ops_routing' ORDER BY 1")
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.NotEmpty(t, names)
	texts := map[string][]string{}
	for _, name := range names {
		what := "to_jsonb(t)"
		if name == "api_keys" {
			what += " - 'last_used_at'"
		}
		rows, err := conn.Query(t.Context(), "SELECT ("+what+")::text FROM "+pgx.Identifier{"ops_routing", name}.Sanitize()+" AS t ORDER BY 1")
		require.NoError(t, err)
		texts[name], err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
	}
	return func(yield func(string, []string) bool) {
		for _, name := range names {
			if !yield(name, texts[name]) {
				return
			}
		}
	}
}
