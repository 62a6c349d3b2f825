package routingfx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/migrations"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/certtest"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/pgtest"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rediscache"
	"trunkline/services/platform/rpcclient"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
	"trunkline/services/routing"
	"trunkline/services/routing/routingfx"
	"trunkline/services/routing/routingtest"
)

const (
	eventually = 60 * time.Second
	tick       = 10 * time.Millisecond

	engineIdentity = "spiffe://example.org/routing-engine"
	account        = "00000000-0000-0000-0000-000000000001"
)

var first, second = routingtest.UID(1), routingtest.UID(2)

// rules is the world of these tests: numbers that start with +44 or +49 go to the first operator, or else to the
// second.
func rules(change ...func(rs *routingtest.RuleSet)) *routingtest.RuleSet {
	rs := &routingtest.RuleSet{}
	for i, id := range []uuid.UUID{first, second} {
		rs.Operators = append(rs.Operators, routing.Operator{
			ID: id, Name: fmt.Sprintf("Operator %d", i+1), Host: fmt.Sprintf("smsc%d.example.net", i+1), Port: 2775, SystemID: "tl", TPSLimit: 10,
			Types: routing.AllMessageTypes, Status: routing.StatusActive,
		})
	}
	for n, prefix := range []string{"44", "49"} {
		rs.Rules = append(rs.Rules, routing.Rule{
			ID: routingtest.UID(uint64(10 + n)), Prefix: e164.Prefix(prefix), Strategy: routing.Failover,
			Candidates: []routing.Candidate{{Operator: first, Priority: 1, Weight: 100}, {Operator: second, Priority: 2, Weight: 100}},
		})
	}
	for _, c := range change {
		c(rs)
	}
	return rs
}

func suspended(rs *routingtest.RuleSet) { rs.Operators[0].Status = routing.StatusSuspended }

// insertRules is the same world in SQL, as version 2 of the configuration.
var insertRules = fmt.Sprintf(`SET search_path TO ops_routing;
INSERT INTO operators (operator_id, name, host, port, system_id, bind_type, max_tps, message_types, status, created_at, updated_at)
	VALUES ('%[1]s', 'Operator 1', 'smsc1.example.net', 2775, 'tl', 'TRANSCEIVER', 10, 'SMS,FLASH,WAP', 'ACTIVE', now(), now()),
	('%[2]s', 'Operator 2', 'smsc2.example.net', 2775, 'tl', 'TRANSCEIVER', 10, 'SMS,FLASH,WAP', 'ACTIVE', now(), now());
INSERT INTO routing_rules (rule_id, prefix, message_types, strategy, on_exhausted, active, created_at, updated_at)
	VALUES ('%[3]s', '+44', '', 'FAILOVER', 'FAIL', true, now(), now()), ('%[4]s', '+49', '', 'FAILOVER', 'FAIL', true, now(), now());
INSERT INTO rule_candidates (rule_id, operator_id, priority, weight)
	SELECT r.rule_id, o.operator_id, o.port - 2774, 100 FROM routing_rules r CROSS JOIN operators o WHERE o.name = 'Operator 1'
	UNION ALL SELECT r.rule_id, o.operator_id, 2, 100 FROM routing_rules r CROSS JOIN operators o WHERE o.name = 'Operator 2';
UPDATE config_state SET config_version = 2, rules_version = 2;`, first, second, routingtest.UID(10), routingtest.UID(11))

// suspendFirst suspends the first operator; the configuration gets the next version.
const suspendFirst = `SET search_path TO ops_routing; UPDATE operators SET status = 'SUSPENDED' WHERE name = 'Operator 1'; UPDATE config_state SET config_version = config_version + 1;`

const touch = `UPDATE ops_routing.config_state SET config_version = config_version + 1`

// database gives a migrated database that holds the rules.
func database(t *testing.T, url string) {
	t.Helper()
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(url)
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: migrations.Postgres, Dir: "postgres"}, clock.System())
	require.NoError(t, err)
	_, err = m.Up(t.Context())
	require.NoError(t, err)
	pgtest.Exec(t, url, insertRules)
}

// management runs the internal API of operator-management, and gives the settings of an engine with an identity. That
// of engines may ask.
func management(t *testing.T, identity string) (*routingtest.Management, rpcclient.Config) {
	t.Helper()
	m := &routingtest.Management{}
	ca, server, client := certtest.NewAuthority(t), certtest.NewFiles(t), certtest.NewFiles(t)
	server.Write(t, ca.Issue(t, "127.0.0.1"), ca)
	client.Write(t, ca.Issue(t, identity), ca)
	running := rpcservertest.Start(t, func(c *rpcserver.Config, o *rpcserver.Options) {
		*c = rpcserver.InternalConfig{Addr: c.Addr, TLS: rpcserver.MutualTLSConfig{CertFile: server.Cert, KeyFile: server.Key, ClientCAFile: server.CA}}.Listener(*c)
		o.Audience = optionsv1.Audience_AUDIENCE_INTERNAL
		o.Identities = map[string][]rpcserver.Identity{
			operatorsv1connect.InternalOperatorServiceListOperatorConfigsProcedure: {engineIdentity},
			operatorsv1connect.InternalOperatorServiceGetOperatorHealthProcedure:   {engineIdentity},
		}
	}, rpcserver.Mount{
		Name: operatorsv1connect.InternalOperatorServiceName,
		Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewInternalOperatorServiceHandler(m, opts...)
		},
	})
	cfg := rpcclient.DefaultConfig()
	cfg.URL = running.URL
	cfg.TLS = rpcclient.TLSConfig{CertFile: client.Cert, KeyFile: client.Key, CAFile: client.CA}
	return m, cfg
}

// holds makes operator-management answer with the rules.
func holds(rs *routingtest.RuleSet, version int64) func(a *routingtest.Answers) {
	return func(a *routingtest.Answers) {
		a.Configs, a.End = rs.Configs(routing.Versions{Config: version, Rules: 2}, 1), nil
	}
}

// gone makes it fail.
func gone(a *routingtest.Answers) {
	*a = routingtest.Answers{
		End:    connect.NewError(connect.CodeUnavailable, io.ErrUnexpectedEOF),
		Health: func([]string) ([]*operatorsv1.OperatorHealth, error) { return nil, io.ErrUnexpectedEOF },
	}
}

// engine is a whole routing engine.
type engine struct {
	t      *testing.T
	supply *routing.Supply
	view   *routing.HealthView
	conn   *jetstream.Conn
	url    string
	client routingv1connect.RoutingServiceClient
	stop   func()
}

type settings struct {
	table    string
	database string
	control  rpcclient.Config
	cache    routingfx.SharedCache // nil is memory
	nats     string                // "" is a server of its own in the process
	release  routingfx.ReleaseConfig
}

// options is the engine as a process has it.
func (s settings) options(t *testing.T) fx.Option {
	t.Helper()
	bus, server := jetstream.DefaultConfig(), fx.Options()
	if s.nats != "" {
		bus.URLs = []string{s.nats}
	} else {
		nats, err := jetstream.Embedded(filepath.Join(t.TempDir(), "nats"), "")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, nats.Shutdown()) })
		server = fx.Supply(nats)
	}
	platform := platformfx.DefaultConfig()
	platform.Server.Addr, platform.Server.Drain.Notice = "127.0.0.1:0", 0
	store := bunstore.DefaultConfig()
	store.URL = config.NewSecret(s.database)
	cfg := routingfx.DefaultConfig()
	cfg.Table, cfg.HealthPoll = s.table, time.Second
	if s.release.Folder != "" {
		cfg.Release = s.release
	}
	if s.control.URL != "" {
		cfg.Control = s.control
	}
	if s.cache == nil {
		var err error
		s.cache, err = rediscache.NewMemory(1000, clock.System())
		require.NoError(t, err)
	}
	return fx.Options(
		fx.NopLogger, server,
		fx.Supply(slog.New(slog.NewTextHandler(t.Output(), nil)), platform, platformfx.Process{Name: "routing-engine"}, cfg, store, bus),
		fx.Provide(func() routingfx.SharedCache { return s.cache }),
		platformfx.Database, platformfx.NATS, routingfx.Module, platformfx.Module, fx.Provide(rpcservertest.Everybody),
	)
}

// start runs the engine until the test ends.
func start(t *testing.T, s settings) *engine {
	t.Helper()
	e := &engine{t: t}
	var server *rpcserver.Server
	app := fx.New(s.options(t), fx.Populate(&e.supply, &e.view, &e.conn, &server))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, app.Start(ctx))
	e.stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, app.Stop(ctx))
	})
	t.Cleanup(e.stop)
	e.url = server.URL()
	e.client = routingv1connect.NewRoutingServiceClient(http.DefaultClient, e.url)
	return e
}

func (e *engine) ask(to string) (*routingv1.SelectOperatorResponse, error) {
	return e.client.SelectOperator(e.t.Context(), &routingv1.SelectOperatorRequest{To: to, AccountId: account, MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS})
}

// answers asks for a number and wants an operator at a version.
func (e *engine) answers(to string, operator uuid.UUID, version int64) *routingv1.DecisionMeta {
	e.t.Helper()
	got, err := e.ask(to)
	require.NoError(e.t, err)
	require.Equal(e.t, operator.String(), got.GetOperatorId())
	require.Equal(e.t, version, got.GetMeta().GetConfigVersion())
	return got.GetMeta()
}

// changed publishes the event of a change.
func (e *engine) changed(version int64, more string) {
	e.t.Helper()
	event := fmt.Sprintf(`{"configVersion":"%d"%s}`, version, more)
	require.NoError(e.t, e.conn.Publish(e.t.Context(), "operator.config.updated", []byte(event), ""))
}

// follows returns when the version is in force.
func (e *engine) follows(version int64) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), eventually)
	defer cancel()
	require.True(e.t, e.supply.Await(ctx, version), "version %d is not in force", version)
}

func (e *engine) comesFrom(origin routing.Origin) {
	e.t.Helper()
	require.Eventually(e.t, func() bool { return e.supply.Origin() == origin }, eventually, tick)
}

// synced returns when events reach the engine: it follows one that changes nothing.
func (e *engine) synced(databaseURL string, version int64) {
	e.t.Helper()
	pgtest.Exec(e.t, databaseURL, touch)
	require.Eventually(e.t, func() bool {
		e.changed(version, "")
		ctx, cancel := context.WithTimeout(e.t.Context(), time.Second)
		defer cancel()
		return e.supply.Await(ctx, version)
	}, eventually, tick)
}

func (e *engine) page(path string) (status int, body string) {
	e.t.Helper()
	res, err := http.Get(e.url + path)
	require.NoError(e.t, err)
	defer func() { require.NoError(e.t, res.Body.Close()) }()
	text, err := io.ReadAll(res.Body)
	require.NoError(e.t, err)
	return res.StatusCode, string(text)
}

// dependency waits until the page of details shows a state of one, and the reason of its last failure unless that is
// of no interest.
func (e *engine) dependency(name, state, reason string) {
	e.t.Helper()
	require.Eventually(e.t, func() bool {
		_, body := e.page("/health/detailed")
		var page struct {
			Dependencies []struct {
				Name, State string
				LastError   string `json:"last_error"`
			}
		}
		require.NoError(e.t, json.NewDecoder(strings.NewReader(body)).Decode(&page))
		for _, d := range page.Dependencies {
			if d.Name == name {
				return d.State == state && (reason == "" || d.LastError == reason)
			}
		}
		return false
	}, eventually, 100*time.Millisecond, "%s is not %s", name, state)
}

func bothTables(t *testing.T, test func(t *testing.T, table string)) {
	for _, table := range []string{routingfx.TableMemory, routingfx.TableDatabase} {
		t.Run(table, func(t *testing.T) { test(t, table) })
	}
}
