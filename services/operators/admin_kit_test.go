package operators_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
)

// deskTime is when the tests of Admin take place.
var deskTime = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// desk is one Admin over a real store and a secret store that can be broken.
type desk struct {
	db     *bun.DB
	store  *shaky
	vault  *vault
	admin  *operators.Admin
	sweep  *operators.Orphans
	clock  *clock.Fake
	wakes  *atomic.Int64
	log    *syncBuffer
	sqlite string
}

type wakeCounter struct{ n *atomic.Int64 }

func (w wakeCounter) Wake() { w.n.Add(1) }

type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// onBothStores runs a test on both stores, migrated and empty.
func onBothStores(t *testing.T, test func(t *testing.T, d *desk)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) { test(t, newDesk(t, bunstoretest.Postgres(t, migrations.Postgres), "")) })
	t.Run("sqlite", func(t *testing.T) {
		url := bunstoretest.SQLite(t, migrations.SQLite)
		test(t, newDesk(t, url, strings.TrimPrefix(url, "sqlite:")))
	})
}

func openMigrated(t *testing.T, url, sqlite string) *bun.DB {
	t.Helper()
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(url)
	cfg.StatementTimeout = time.Minute
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	files := bunstore.Migrations{Files: migrations.Postgres, Dir: "postgres"}
	if sqlite != "" {
		files = bunstore.Migrations{Files: migrations.SQLite, Dir: "sqlite"}
	}
	m, err := bunstore.NewMigrator(db, files, clock.System())
	require.NoError(t, err)
	_, err = m.Up(t.Context())
	require.NoError(t, err)
	return db
}

func newDesk(t *testing.T, url, sqlite string) *desk {
	t.Helper()
	db := openMigrated(t, url, sqlite)
	d := &desk{db: db, clock: clock.NewFake(deskTime), wakes: new(atomic.Int64), log: new(syncBuffer), sqlite: sqlite}
	log := slog.New(slog.NewJSONHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d.store = &shaky{Store: database.New(db, bunstore.NewReader(db), bus.Encode)}
	d.vault = &vault{now: d.clock.Now, entries: map[uuid.UUID]*vaultEntry{}}
	d.admin = operators.NewAdmin(d.store, d.vault, wakeCounter{d.wakes}, d.clock.Now, log)
	d.sweep = operators.NewOrphans(d.store, d.vault, d.clock.Now, log)
	return d
}

// shaky is a store whose transactions and reads can be broken.
type shaky struct {
	*database.Store
	// around runs a transaction in its own way, when set. commit runs it and commits, undo runs it and takes it back.
	around func(commit, undo func() error) error
	// audit, when set, fails the audit of reads.
	audit error
	// stale makes every read one of a replica.
	stale bool
}

var errUndone = errors.New("undone")

func (s *shaky) InTx(ctx context.Context, do func(context.Context, operators.Tx) error) error {
	if s.around == nil {
		return s.Store.InTx(ctx, do)
	}
	return s.around(
		func() error { return s.Store.InTx(ctx, do) },
		func() error {
			err := s.Store.InTx(ctx, func(ctx context.Context, tx operators.Tx) error {
				if err := do(ctx, tx); err != nil {
					return err
				}
				return errUndone
			})
			if errors.Is(err, errUndone) {
				return nil
			}
			return err
		})
}

func (s *shaky) Audit(ctx context.Context, r operators.Request, e operators.Entry) error {
	if s.audit != nil {
		return s.audit
	}
	return s.Store.Audit(ctx, r, e)
}

func (s *shaky) Operator(ctx context.Context, id uuid.UUID) (operators.Operator, operators.Freshness, error) {
	o, fresh, err := s.Store.Operator(ctx, id)
	fresh.Stale = s.stale
	return o, fresh, err
}

func (s *shaky) LiveOperators(ctx context.Context) ([]operators.Operator, operators.Freshness, error) {
	all, fresh, err := s.Store.LiveOperators(ctx)
	fresh.Stale = s.stale
	return all, fresh, err
}

// errLost is what a caller sees of a connection that broke.
var errLost = fault.New(fault.Unavailable, bunstore.ReasonUnavailable, "The database cannot be reached.")

// canary is the password of most tests. It must turn up nowhere but in the vault.
const canary = "Canary-41f0#pw"

var (
	canaryText = secret.New(canary)
	someone    = operators.Request{Actor: "someone", TraceID: "trace-1"}
)

// askedAs is a request with an id.
func askedAs(id string) operators.Request {
	return operators.Request{Actor: "someone", ID: id, Fingerprint: "print of " + id}
}

func dryRequest() operators.Request {
	r := askedAs("dry")
	r.ValidateOnly = true
	return r
}

func alphaOperator() operators.Operator {
	return operators.Operator{Name: "Alpha", Host: "smpp.alpha.example", Port: 2775, SystemID: "alpha", MaxTPS: 100}
}

func operatorNamed(name string) operators.Operator {
	o := alphaOperator()
	o.Name, o.Host, o.SystemID = name, strings.ToLower(name)+".example", strings.ToLower(name)
	return o
}

// create makes an operator with the canary as its password.
func (d *desk) create(t *testing.T, o operators.Operator) operators.Operator {
	t.Helper()
	created, err := d.admin.CreateOperator(t.Context(), someone, o, canaryText)
	require.NoError(t, err)
	return created
}

func (d *desk) activate(t *testing.T, o operators.Operator) operators.Operator {
	t.Helper()
	active, _, err := d.admin.ActivateOperator(t.Context(), someone, operators.Target{ID: o.ID})
	require.NoError(t, err)
	return active
}

func (d *desk) get(t *testing.T, id uuid.UUID) operators.Operator {
	t.Helper()
	o, fresh, err := d.admin.GetOperator(t.Context(), id)
	require.NoError(t, err)
	require.Zero(t, fresh)
	return o
}

func (d *desk) count(t *testing.T, table string) int {
	t.Helper()
	n, err := d.db.NewSelect().Table(table).Count(t.Context())
	require.NoError(t, err)
	return int(n)
}

// state is what must not change when nothing is changed.
type deskState struct{ operators, audit, outbox, requests, version int }

func (d *desk) state(t *testing.T) deskState {
	t.Helper()
	s := deskState{d.count(t, "operators"), d.count(t, "audit_log"), d.count(t, "outbox"), d.count(t, "requests"), 0}
	require.NoError(t, d.db.NewRaw("SELECT config_version FROM config_state").Scan(t.Context(), &s.version))
	return s
}

func wantFault(t *testing.T, err error, kind fault.Kind, reason string) {
	t.Helper()
	require.Error(t, err)
	f := fault.From(err)
	require.Equal(t, kind.String()+" "+reason, f.Kind.String()+" "+f.Reason)
	require.NotContains(t, err.Error(), canary)
}

// noCanary searches everything that is kept or written for the password.
func (d *desk) noCanary(t *testing.T) {
	t.Helper()
	require.NotContains(t, d.log.String(), canary)
	if d.sqlite != "" {
		for _, name := range []string{d.sqlite, d.sqlite + "-wal"} {
			if file, err := os.ReadFile(name); err == nil {
				require.NotContains(t, string(file), canary, name)
			}
		}
		return
	}
	for _, table := range []string{"operators", "audit_log", "outbox", "requests"} {
		var rows []string
		require.NoError(t, d.db.NewRaw("SELECT CAST(t AS text) FROM ? AS t", bun.Ident(table)).Scan(t.Context(), &rows))
		for _, row := range rows {
			require.NotContains(t, row, canary, table)
		}
	}
}
