package database_test

import (
	"io/fs"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"google.golang.org/protobuf/encoding/protojson"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

// kit is one store with an importer over it.
type kit struct {
	db       *bun.DB
	store    *database.Store
	importer *operators.Importer
	told     *told
	clock    *clock.Fake
}

// told counts how often the relay was woken.
type told struct{ wakes atomic.Int64 }

func (t *told) Wake() { t.wakes.Add(1) }

// someone asks for what tests do.
var someone = operators.Request{Actor: "someone", TraceID: "trace-1", Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}

// onBoth runs a test on both stores, migrated and empty.
func onBoth(t *testing.T, test func(t *testing.T, k kit)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) {
		test(t, newKit(t, bunstoretest.Postgres(t, migrations.Postgres), migrations.Postgres, "postgres"))
	})
	t.Run("sqlite", func(t *testing.T) {
		test(t, newKit(t, bunstoretest.SQLite(t, migrations.SQLite), migrations.SQLite, "sqlite"))
	})
}

func newKit(t testing.TB, url string, files fs.FS, dir string) kit {
	t.Helper()
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(url)
	cfg.StatementTimeout = time.Minute
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: files, Dir: dir}, clock.System())
	require.NoError(t, err)
	_, err = m.Up(t.Context())
	require.NoError(t, err)
	k := kit{db: db, store: database.New(db, bunstore.NewReader(db), bus.Encode), told: &told{}, clock: clock.NewFake(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))}
	k.importer = operators.NewImporter(k.store, k.told, k.clock.Now, slog.New(slog.DiscardHandler), money.Money{})
	return k
}

const (
	operatorHeader = "name,host,port,system_id,bind_type,max_tps,message_types,status\n"
	ruleHeader     = "account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency\n"
	account        = "6f1c1a52-7f0e-4d0e-9d2e-0d5f4c1b2a3d"
)

const three = operatorHeader +
	"Alpha,a.example,2775,alpha,TRANSCEIVER,100,SMS|FLASH,ACTIVE\n" +
	"Beta,b.example,2775,beta,TRANSMITTER,50,,ACTIVE\n" +
	"Gamma,10.0.0.1,2776,gamma,RECEIVER,1,SMS,\n"

func (k kit) operators(t *testing.T, csv string) operators.Result {
	t.Helper()
	result, err := k.importer.ImportOperators(t.Context(), someone, []byte(csv), nil)
	require.NoError(t, err)
	return result
}

// rules imports a file of rules. What the conflict checker warns of is the subject of other tests.
func (k kit) rules(t *testing.T, csv string) operators.Result {
	t.Helper()
	result, err := k.importer.ImportRules(t.Context(), someone, []byte(csv), nil)
	require.NoError(t, err)
	result.Warnings, result.WarningCount = nil, 0
	return result
}

func (k kit) versions(t *testing.T) (config, rules int64) {
	t.Helper()
	require.NoError(t, k.db.NewRaw("SELECT config_version, rules_version FROM config_state").Scan(t.Context(), &config, &rules))
	return config, rules
}

func (k kit) allOperators(t *testing.T) []operators.Operator {
	t.Helper()
	all, _, err := k.store.LiveOperators(t.Context())
	require.NoError(t, err)
	return all
}

func (k kit) allRules(t *testing.T) []operators.Rule {
	t.Helper()
	all, more, _, err := k.store.ListRules(t.Context(), operators.RuleFilter{Limit: 100_000})
	require.NoError(t, err)
	require.False(t, more)
	return all
}

// event is what the outbox holds of one event.
type event struct {
	Subject, Traceparent string
	ConfigVersion        int64
	OccurredAt           time.Time
	OperatorID           string
	OperatorVersion      int64
	CredentialsChanged   bool
}

// events reads the outbox in the order of the relay.
func (k kit) events(t *testing.T) []event {
	t.Helper()
	var rows []struct{ Subject, Payload, Traceparent string }
	require.NoError(t, k.db.NewRaw("SELECT subject, payload, traceparent FROM outbox WHERE state = 'PENDING' ORDER BY created_at, event_id").
		Scan(t.Context(), &rows))
	all := make([]event, len(rows))
	for i, row := range rows {
		var message eventsv1.OperatorConfigEvent
		require.NoError(t, protojson.Unmarshal([]byte(row.Payload), &message))
		all[i] = event{
			Subject: row.Subject, Traceparent: row.Traceparent, ConfigVersion: message.GetConfigVersion(),
			OccurredAt: message.GetOccurredAt().AsTime(), OperatorID: message.GetOperatorId(),
			OperatorVersion: message.GetOperatorVersion(), CredentialsChanged: message.GetCredentialsChanged(),
		}
	}
	return all
}

// record is one row of the audit log.
type record struct {
	Actor, RequestID, Action, Entity, EntityID string
	Before, After                              *string
	OccurredAt                                 time.Time
}

func (k kit) audit(t *testing.T) []record {
	t.Helper()
	var all []record
	require.NoError(t, k.db.NewRaw(`SELECT actor, request_id, action, entity, entity_id, before, after, occurred_at
		FROM audit_log ORDER BY audit_id`).Scan(t.Context(), &all))
	for i := range all {
		all[i].OccurredAt = all[i].OccurredAt.UTC()
	}
	return all
}

func requireFault(t *testing.T, err error, kind fault.Kind, reason string) {
	t.Helper()
	require.Error(t, err)
	f := fault.From(err)
	require.Equal(t, kind.String()+" "+reason, f.Kind.String()+" "+f.Reason)
}
