package database_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/migrations"
	"trunkline/services/access"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// copies adds keys like the one there is, with another value in one column.
func (k kit) copies(t *testing.T, n int, column string, value any) {
	t.Helper()
	_, err := k.db.NewRaw(`INSERT INTO api_keys (key_id, account_id, name, role, hint, pepper_id, mac, created_by, created_at, revoked_at, expires_at)
		SELECT `+k.newID()+`, account_id, name, role, hint, pepper_id, mac, created_by, created_at, `+
		map[string]string{"expires_at": "revoked_at, ?", "revoked_at": "?, expires_at"}[column]+`
		FROM `+series+`, (SELECT * FROM api_keys LIMIT 1) AS k`, value, n).Exec(t.Context())
	require.NoError(t, err)
}

// series is a table of n numbers.
const series = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n) AS n"

// newID makes a new id for each row of a statement.
func (k kit) newID() string {
	if bunstore.DialectOf(k.db) == bunstore.Postgres {
		return "gen_random_uuid()"
	}
	return "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
}

func TestKeysThatEndedPushNoLiveKeyOut(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		old, oldText := k.key(t, admin, access.NewAPIKey{})
		k.clock.Advance(time.Minute)
		ended := k.clock.Now().Add(time.Second)
		_, err := k.db.NewRaw("UPDATE api_keys SET created_at = ?", k.clock.Now()).Exec(t.Context()) // of the copies
		require.NoError(t, err)
		k.copies(t, access.MaxLiveKeys+1, "expires_at", ended)
		_, err = k.db.NewRaw("UPDATE api_keys SET created_at = ? WHERE key_id = ?", old.CreatedAt, old.KeyID).Exec(t.Context())
		require.NoError(t, err)
		k.clock.Advance(time.Hour)
		read, err := k.store.LoadKeys(t.Context(), k.clock.Now())
		require.NoError(t, err)
		require.False(t, read.Cut)
		require.Len(t, read.Keys, 1+10_000)
		_, err = access.NewKeySet(read.Keys, k.pepper).Find(oldText.Reveal(), k.clock.Now())
		require.NoError(t, err)

		read, err = k.store.LoadKeys(t.Context(), ended.Add(30*24*time.Hour))
		require.NoError(t, err)
		require.Len(t, read.Keys, 1, "nobody asks any more why these are refused")
		read, err = k.store.LoadKeys(t.Context(), ended.Add(-time.Microsecond))
		require.NoError(t, err)
		require.True(t, read.Cut, "while they live")
		require.Len(t, read.Keys, access.MaxLiveKeys)
	})
}

func TestNoAccountUsesUpTheRoomOfAll(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		a, b := k.account(t, "Acme"), k.account(t, "Bolt")
		bound := caller.Caller{Name: "key:1", Role: caller.Admin, Account: a.ID}
		key, _ := k.key(t, bound, access.NewAPIKey{})
		k.copies(t, access.MaxLiveKeysOfAccount-2, "expires_at", nil)
		k.copies(t, 5, "revoked_at", k.clock.Now())
		k.key(t, bound, access.NewAPIKey{}) // the last one
		_, _, err := k.keys.Create(t.Context(), asked(bound), access.NewAPIKey{Name: "n", Role: caller.Viewer})
		requireFault(t, err, fault.ResourceExhausted, access.ReasonTooManyKeys)
		_, _, err = k.keys.Create(t.Context(), asked(admin), access.NewAPIKey{Name: "n", Role: caller.Viewer, Account: a.ID})
		requireFault(t, err, fault.ResourceExhausted, access.ReasonTooManyKeys)
		_, _, err = k.keys.Rotate(t.Context(), asked(bound), key.KeyID, time.Hour)
		requireFault(t, err, fault.ResourceExhausted, access.ReasonTooManyKeys)
		_, _, err = k.keys.Rotate(t.Context(), asked(bound), key.KeyID, 0)
		require.NoError(t, err, "one goes, one comes")
		k.key(t, admin, access.NewAPIKey{Account: b.ID})
		k.key(t, admin, access.NewAPIKey{})
	})
}

func TestThereIsRoomForSoManyAccounts(t *testing.T) {
	// On one store: SQLite under the race detector takes half a minute for so many rows.
	k := newKit(t, newTrailKit(t, bunstoretest.Postgres(t, migrations.Postgres), migrations.Postgres, "postgres"))
	a := k.account(t, "Acme")
	add := func(n int, name string) {
		_, err := k.db.NewRaw(`INSERT INTO accounts (account_id, name, created_at, updated_at) SELECT `+k.newID()+`, ? || i, ?, ? FROM `+series,
			name, noon.Add(time.Hour), noon, n).Exec(t.Context())
		require.NoError(t, err)
	}
	add(access.MaxLiveAccounts-1, "a")
	_, err := k.accounts.Create(t.Context(), asked(admin), access.Account{Name: "n"})
	requireFault(t, err, fault.ResourceExhausted, access.ReasonTooManyAccounts)
	read, err := k.store.LoadAccounts(t.Context())
	require.NoError(t, err)
	require.False(t, read.Cut)
	require.Contains(t, read.Accounts, a.ID)
	add(1, "b")
	read, err = k.store.LoadAccounts(t.Context())
	require.NoError(t, err)
	require.True(t, read.Cut)
	require.Len(t, read.Accounts, access.MaxLiveAccounts)
	require.NotContains(t, read.Accounts, a.ID, "the oldest one")
}

func TestKeysThatEndedLongAgoAreDeleted(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		live, _ := k.key(t, admin, access.NewAPIKey{})
		k.copies(t, 3, "expires_at", noon.Add(-time.Hour))
		k.copies(t, 4, "revoked_at", noon.Add(-time.Hour))
		k.copies(t, 2, "expires_at", noon.Add(time.Hour))
		began := k.version(t)
		for _, want := range []int{7, 0} {
			n, err := k.store.PurgeKeys(t.Context(), noon)
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		require.Equal(t, began, k.version(t))
		_, err := k.store.PurgeKeys(t.Context(), noon.Add(2*time.Hour))
		require.NoError(t, err)
		page, _, err := k.keys.List(t.Context(), admin, uuid.Nil, true, access.KeyFilter{Limit: 100})
		require.NoError(t, err)
		require.Equal(t, []access.APIKey{live}, page)
	})
}

func TestARepeatShowsNoRowOfAnotherAccount(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		a, b := k.account(t, "Acme"), k.account(t, "Bolt")
		again := access.Request{Caller: admin, ID: "r", Fingerprint: "f"}
		request := func(id string) access.Request { again.ID = id; return again }
		key, _, err := k.keys.Create(t.Context(), request("create"), access.NewAPIKey{Name: "n", Role: caller.Viewer, Account: a.ID})
		require.NoError(t, err)
		_, _, err = k.keys.Rotate(t.Context(), request("rotate"), key.KeyID, time.Hour)
		require.NoError(t, err)
		_, err = k.keys.Revoke(t.Context(), request("revoke"), key.KeyID)
		require.NoError(t, err)
		_, err = k.accounts.Create(t.Context(), request("account"), access.Account{Name: "Coil"})
		require.NoError(t, err)
		_, err = k.accounts.Update(t.Context(), request("update"), access.Target{ID: a.ID}, access.Account{Notes: "n"}, []string{"notes"})
		require.NoError(t, err)

		again.Caller.Account = b.ID // the same name, bound anew
		_, _, err = k.keys.Create(t.Context(), request("create"), access.NewAPIKey{Name: "n", Role: caller.Viewer})
		requireFault(t, err, fault.NotFound, access.ReasonNoSuchKey)
		_, _, err = k.keys.Rotate(t.Context(), request("rotate"), key.KeyID, time.Hour)
		requireFault(t, err, fault.NotFound, access.ReasonNoSuchKey)
		_, err = k.keys.Revoke(t.Context(), request("revoke"), key.KeyID)
		requireFault(t, err, fault.NotFound, access.ReasonNoSuchKey)
		_, err = k.accounts.Create(t.Context(), request("account"), access.Account{Name: "Coil"})
		requireFault(t, err, fault.NotFound, access.ReasonNoSuchAccount)
		_, err = k.accounts.Update(t.Context(), request("update"), access.Target{ID: a.ID}, access.Account{Notes: "n"}, []string{"notes"})
		requireFault(t, err, fault.NotFound, access.ReasonNoSuchAccount)
	})
}
