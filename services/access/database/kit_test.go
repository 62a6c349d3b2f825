package database_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/services/access"
	"trunkline/services/access/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
)

// kit is accounts and keys over one store.
type kit struct {
	url      string
	db       *bun.DB
	store    *database.Store
	accounts *access.AccountAdmin
	keys     *access.KeyAdmin
	pepper   access.Pepper
	clock    *clock.Fake
}

// admin is who asks in tests, bound to no account.
var admin = caller.Caller{Name: "jwt:admin", Kind: caller.Token, Role: caller.Admin}

func asked(by caller.Caller) access.Request { return access.Request{Caller: by, TraceID: "trace-1"} }

// onBoth runs a test on both stores, migrated and empty.
func onBoth(t *testing.T, test func(t *testing.T, k kit)) {
	t.Helper()
	onBothTrails(t, func(t *testing.T, trail trailKit) { test(t, newKit(t, trail)) })
}

func newKit(t *testing.T, trail trailKit) kit {
	t.Helper()
	pepper, err := access.NewPepper(secret.New("0123456789abcdef0123456789abcdef"))
	require.NoError(t, err)
	store := database.New(trail.db, bunstore.NewReader(trail.db))
	return kit{
		url: trail.url, db: trail.db, store: store, pepper: pepper, clock: trail.clock,
		accounts: access.NewAccountAdmin(store, trail.clock.Now), keys: access.NewKeyAdmin(store, pepper, trail.clock.Now),
	}
}

func (k kit) account(t *testing.T, name string) access.Account {
	t.Helper()
	a, err := k.accounts.Create(t.Context(), asked(admin), access.Account{Name: name})
	require.NoError(t, err)
	return a
}

func (k kit) key(t *testing.T, by caller.Caller, wanted access.NewAPIKey) (access.APIKey, access.Key) {
	t.Helper()
	if wanted.Name == "" {
		wanted.Name = "orchestrator"
	}
	if wanted.Role == caller.None {
		wanted.Role = caller.Viewer
	}
	key, text, err := k.keys.Create(t.Context(), asked(by), wanted)
	require.NoError(t, err)
	return key, text
}

func (k kit) version(t *testing.T) int64 {
	t.Helper()
	version, err := k.store.KeysVersion(t.Context())
	require.NoError(t, err)
	require.False(t, version.Stale)
	return version.Number
}

// record is one row of the audit log.
type record struct {
	Actor, RequestID, Action, Entity, EntityID string
	Before, After                              *string
	OccurredAt                                 time.Time
}

func (k kit) audited(t *testing.T) []record {
	t.Helper()
	var all []record
	require.NoError(t, k.db.NewRaw(`SELECT actor, request_id, action, entity, entity_id, before, after, occurred_at
		FROM audit_log ORDER BY audit_id`).Scan(t.Context(), &all))
	return all
}

func (k kit) actions(t *testing.T) (all []string) {
	t.Helper()
	for _, r := range k.audited(t) {
		all = append(all, r.Action)
	}
	return all
}

func (k kit) live(t *testing.T, by caller.Caller) (ids []string) {
	t.Helper()
	page, more, err := k.keys.List(t.Context(), by, [16]byte{}, false, access.KeyFilter{Limit: 100})
	require.NoError(t, err)
	require.False(t, more)
	for _, key := range page {
		ids = append(ids, key.KeyID.String())
	}
	return ids
}

func (k kit) watcher() *access.Watcher {
	return access.NewWatcher(k.store, k.pepper, nil, k.clock.Now, slog.New(slog.DiscardHandler))
}

func requireFault(t *testing.T, err error, kind fault.Kind, reason string) {
	t.Helper()
	require.Error(t, err)
	f := fault.From(err)
	require.Equal(t, kind.String()+" "+reason, f.Kind.String()+" "+f.Reason)
}
