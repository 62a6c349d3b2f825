package routingfx_test

import (
	"fmt"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/pgtest"
	"trunkline/services/routing"
	"trunkline/services/routing/routingfx"
)

func TestAnEngineStartsWhileItsDatabaseIsDown(t *testing.T) {
	bothTables(t, func(t *testing.T, table string) {
		server := pgtest.Start(t)
		database(t, server.URL())
		server.Kill(t)
		m, control := management(t, engineIdentity)
		m.Answer(holds(rules(), 2))

		e := start(t, settings{table: table, database: server.URL(), control: control})
		e.follows(2)
		meta := e.answers("+447911123456", first, 2)
		require.Equal(t, routingv1.CacheResult_CACHE_RESULT_BYPASS, meta.GetCache())
		e.dependency("rules-from-database", "down", "RULES_FROM_OPERATOR_MANAGEMENT")
		e.dependency("rules", "up", "")
		e.dependency("operator-management", "up", "")
		e.dependency("database", "down", "DATABASE_UNAVAILABLE")
		status, body := e.page("/ready")
		require.Equal(t, 200, status, body)
		require.Contains(t, body, `"rules-from-database"`)
		_, metrics := e.page("/metrics")
		require.Contains(t, metrics, `routing_engine_config_source{source="operator_management"} 1`)
		require.Contains(t, metrics, `routing_engine_config_source{source="database"} 0`)

		// The configuration goes on changing meanwhile.
		m.Answer(holds(rules(suspended), 3))
		e.changed(3, fmt.Sprintf(`,"operatorId":"%s","operatorVersion":"2","credentialsChanged":true`, first))
		e.follows(3)
		e.answers("+447911123456", second, 3)

		// The database comes back from before the change: versions never go back.
		server.Restart(t)
		e.answers("+447911123456", second, 3)
		pgtest.Exec(t, server.URL(), suspendFirst)
		e.comesFrom(routing.FromDatabase)
		e.answers("+447911123456", second, 3)
		_, metrics = e.page("/metrics")
		require.Contains(t, metrics, `routing_engine_config_source{source="database"} 1`)
	})
}

func TestAnEngineWithoutDatabaseAndOperatorManagementIsNotReady(t *testing.T) {
	bothTables(t, func(t *testing.T, table string) {
		server := pgtest.Start(t)
		database(t, server.URL())
		server.Kill(t)
		m, control := management(t, engineIdentity)
		m.Answer(gone)

		e := start(t, settings{table: table, database: server.URL(), control: control})
		e.dependency("rules", "down", "DATABASE_UNAVAILABLE")
		e.dependency("operator-management", "down", "OPERATOR_MANAGEMENT_UNAVAILABLE")
		status, body := e.page("/ready")
		require.Equal(t, 503, status)
		require.Contains(t, body, "rules: DATABASE_UNAVAILABLE")
		_, err := e.ask("+447911123456")
		require.Equal(t, connect.CodeUnavailable, connect.CodeOf(err))

		m.Answer(holds(rules(), 2))
		e.supply.Changed(0) // it would look by itself, at most 30 s after the last try
		e.follows(2)
		e.answers("+447911123456", first, 2)
	})
}

func TestLookupsGoOnWhenPostgresIsKilled(t *testing.T) {
	server := pgtest.Start(t)
	database(t, server.URL())
	m, control := management(t, engineIdentity)
	m.Answer(holds(rules(), 2))
	e := start(t, settings{table: routingfx.TableDatabase, database: server.URL(), control: control})
	e.follows(2)
	e.answers("+447911123456", first, 2)

	server.Kill(t)
	e.answers("+447911123456", first, 2)
	require.Eventually(t, func() bool {
		_, err := e.ask("+4915112345678")
		return err == nil
	}, eventually, tick, "the first number that no cache holds makes the engine turn to operator-management")
	require.Equal(t, routingv1.CacheResult_CACHE_RESULT_BYPASS, e.answers("+4915112345678", first, 2).GetCache())
	m.Answer(holds(rules(suspended), 3))
	e.changed(3, "")
	e.follows(3)
	e.answers("+4915112345678", second, 3)

	server.Restart(t)
	pgtest.Exec(t, server.URL(), suspendFirst)
	e.comesFrom(routing.FromDatabase)
	e.answers("+4915112345678", second, 3)
}

func TestAnEngineOfAnotherIdentityIsToldSo(t *testing.T) {
	server := pgtest.Start(t)
	server.Kill(t)
	m, control := management(t, "spiffe://example.org/somebody-else")
	m.Answer(holds(rules(), 2))
	e := start(t, settings{table: routingfx.TableMemory, database: server.URL(), control: control})
	e.dependency("operator-management", "down", "OPERATOR_MANAGEMENT_REFUSED")
	e.dependency("rules", "down", "DATABASE_UNAVAILABLE")
	require.Zero(t, m.Sent())
}
