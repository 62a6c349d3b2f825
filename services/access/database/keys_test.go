package database_test

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/migrations"
	"trunkline/services/access"
	"trunkline/services/access/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
)

func TestAKeyIsMadeFoundAndRevoked(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		a := k.account(t, "Acme")
		key, text := k.key(t, admin, access.NewAPIKey{Name: "orchestrator", Role: caller.Operator, Account: a.ID, Lifetime: time.Hour})
		require.Equal(t, k.clock.Now().Add(time.Hour).Truncate(time.Microsecond), key.ExpiresAt)
		require.Equal(t, text.Hint(), key.Hint)
		read, err := k.store.LoadKeys(t.Context(), k.clock.Now())
		require.NoError(t, err)
		require.Equal(t, access.Snapshot{
			Version: access.KeysVersion{Number: k.version(t)}, Keys: []access.KeyRecord{key.KeyRecord}, Accounts: []uuid.UUID{a.ID},
		}, read)
		who, err := access.NewKeySet(read.Keys, k.pepper).Find(text.Reveal(), k.clock.Now())
		require.NoError(t, err)
		require.Equal(t, caller.Caller{Name: "key:" + key.KeyID.String(), Kind: caller.Key, Role: caller.Operator, Account: a.ID, Expires: key.ExpiresAt}, who)

		k.clock.Advance(time.Minute)
		revoked, err := k.keys.Revoke(t.Context(), asked(who), key.KeyID)
		require.NoError(t, err, "a key may revoke itself")
		require.Equal(t, k.clock.Now(), revoked.RevokedAt)
		began := k.version(t)
		k.clock.Advance(time.Minute)
		again, err := k.keys.Revoke(t.Context(), asked(admin), key.KeyID)
		require.NoError(t, err)
		require.Equal(t, revoked, again)
		require.Equal(t, began, k.version(t))
		require.Equal(t, []string{"account.create", "api_key.create", "api_key.revoke"}, k.actions(t))
		read, err = k.store.LoadKeys(t.Context(), k.clock.Now())
		require.NoError(t, err)
		_, err = access.NewKeySet(read.Keys, k.pepper).Find(text.Reveal(), k.clock.Now())
		requireFault(t, err, fault.Unauthenticated, access.ReasonRevoked)
		_, _, err = k.keys.Rotate(t.Context(), asked(admin), key.KeyID, 0)
		requireFault(t, err, fault.FailedPrecondition, access.ReasonKeyEnded)
	})
}

func TestAKeyIsRotated(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		key, _ := k.key(t, admin, access.NewAPIKey{Name: "n", Role: caller.Operator, Lifetime: 10 * time.Hour})
		k.clock.Advance(time.Hour)
		now := k.clock.Now()
		next, text, err := k.keys.Rotate(t.Context(), asked(admin), key.KeyID, 2*time.Hour)
		require.NoError(t, err)
		require.Len(t, text.Reveal(), access.KeyLength)
		require.Equal(t, []any{"n", caller.Operator, now.Add(10 * time.Hour)}, []any{next.Name, next.Role, next.ExpiresAt})
		require.Equal(t, []string{next.KeyID.String(), key.KeyID.String()}, k.live(t, admin))
		k.clock.Advance(2 * time.Hour)
		require.Equal(t, []string{next.KeyID.String()}, k.live(t, admin), "the overlap has passed")

		last, _, err := k.keys.Rotate(t.Context(), asked(admin), next.KeyID, 30*24*time.Hour)
		require.NoError(t, err)
		page, _, err := k.keys.List(t.Context(), admin, uuid.Nil, true, access.KeyFilter{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, next.ExpiresAt, page[1].ExpiresAt, "its own end counts when that is sooner")
		final, _, err := k.keys.Rotate(t.Context(), asked(admin), last.KeyID, 0)
		require.NoError(t, err)
		require.Equal(t, []string{final.KeyID.String(), next.KeyID.String()}, k.live(t, admin), "without an overlap it ends at once")
		require.Equal(t, []string{"api_key.create", "api_key.rotate", "api_key.rotate", "api_key.rotate"}, k.actions(t))
		row := k.audited(t)[1]
		require.Equal(t, key.KeyID.String(), row.EntityID)
		require.Contains(t, *row.After, next.KeyID.String())
		_, _, err = k.keys.Rotate(t.Context(), asked(admin), final.KeyID, 31*24*time.Hour)
		requireFault(t, err, fault.InvalidArgument, access.ReasonInvalidValue)
	})
}

func TestKeysThatCannotBe(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		a := k.account(t, "Acme")
		gone := k.account(t, "Gone")
		_, err := k.accounts.Delete(t.Context(), asked(admin), access.Target{ID: gone.ID})
		require.NoError(t, err)
		adminKey, _ := k.key(t, admin, access.NewAPIKey{Role: caller.Admin})
		operator := caller.Caller{Name: "jwt:operator", Role: caller.Operator}
		create := func(by caller.Caller, wanted access.NewAPIKey) error {
			wanted.Name = "n"
			if wanted.Role == caller.None {
				wanted.Role = caller.Viewer
			}
			_, _, err := k.keys.Create(t.Context(), asked(by), wanted)
			return err
		}
		for name, refused := range map[string]struct {
			err    error
			kind   fault.Kind
			reason string
		}{
			"a role above the caller's":          {create(operator, access.NewAPIKey{Role: caller.Admin}), fault.PermissionDenied, access.ReasonRoleTooLow},
			"an account that was deleted":        {create(admin, access.NewAPIKey{Account: gone.ID}), fault.FailedPrecondition, access.ReasonNoSuchAccount},
			"an account that never was":          {create(admin, access.NewAPIKey{Account: uuid.New()}), fault.FailedPrecondition, access.ReasonNoSuchAccount},
			"an account other than the caller's": {create(caller.Caller{Name: "x", Role: caller.Admin, Account: a.ID}, access.NewAPIKey{Account: gone.ID}), fault.PermissionDenied, access.ReasonAccountMismatch},
			"a life too short":                   {create(admin, access.NewAPIKey{Lifetime: time.Second}), fault.InvalidArgument, access.ReasonInvalidValue},
			"a life too long":                    {create(admin, access.NewAPIKey{Lifetime: access.MaxLifetime + 1}), fault.InvalidArgument, access.ReasonInvalidValue},
			"a role above all":                   {create(admin, access.NewAPIKey{Role: caller.Admin + 1}), fault.InvalidArgument, access.ReasonInvalidValue},
		} {
			t.Run(name, func(t *testing.T) { requireFault(t, refused.err, refused.kind, refused.reason) })
		}
		_, _, err = k.keys.Rotate(t.Context(), asked(operator), adminKey.KeyID, 0)
		requireFault(t, err, fault.PermissionDenied, access.ReasonRoleTooLow)
		_, err = k.keys.Revoke(t.Context(), asked(admin), uuid.New())
		requireFault(t, err, fault.NotFound, access.ReasonNoSuchKey)
	})
}

func TestABoundCallerDealsWithTheKeysOfItsAccountOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		a, b := k.account(t, "Acme"), k.account(t, "Bolt")
		bound := caller.Caller{Name: "key:1", Role: caller.Admin, Account: a.ID}
		mine, _ := k.key(t, bound, access.NewAPIKey{})
		require.Equal(t, a.ID, mine.Account)
		foreign, _ := k.key(t, admin, access.NewAPIKey{Account: b.ID})
		unbound, _ := k.key(t, admin, access.NewAPIKey{})
		require.Equal(t, []string{mine.KeyID.String()}, k.live(t, bound))
		_, _, err := k.keys.List(t.Context(), bound, b.ID, false, access.KeyFilter{Limit: 10})
		requireFault(t, err, fault.PermissionDenied, access.ReasonAccountMismatch)
		for _, other := range []access.APIKey{foreign, unbound} {
			_, err = k.keys.Revoke(t.Context(), asked(bound), other.KeyID)
			requireFault(t, err, fault.NotFound, access.ReasonNoSuchKey)
			_, _, err = k.keys.Rotate(t.Context(), asked(bound), other.KeyID, 0)
			requireFault(t, err, fault.NotFound, access.ReasonNoSuchKey)
		}
		_, err = k.keys.Revoke(t.Context(), asked(bound), mine.KeyID)
		require.NoError(t, err)
		page, _, err := k.keys.List(t.Context(), admin, b.ID, false, access.KeyFilter{Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []access.APIKey{foreign}, page)
	})
}

func TestKeysAreListedNewestFirstInPages(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		var want []string
		for i := range 5 {
			if i != 2 { // two of one moment
				k.clock.Advance(time.Second)
			}
			key, _ := k.key(t, admin, access.NewAPIKey{})
			want = append(want, key.KeyID.String())
		}
		var got []string
		filter := access.KeyFilter{Limit: 2}
		for more := true; more; {
			var page []access.APIKey
			var err error
			page, more, err = k.keys.List(t.Context(), admin, uuid.Nil, false, filter)
			require.NoError(t, err)
			for _, key := range page {
				got = append(got, key.KeyID.String())
				filter.AfterTime, filter.AfterID = key.CreatedAt, key.KeyID
			}
		}
		require.ElementsMatch(t, want, got)
		require.Equal(t, []string{want[4], want[3], want[0]}, []string{got[0], got[1], got[4]})
	})
}

func TestThereIsRoomForSoManyKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		key, _ := k.key(t, admin, access.NewAPIKey{})
		k.copies(t, access.MaxLiveKeys-1, "expires_at", nil)
		_, _, err := k.keys.Create(t.Context(), asked(admin), access.NewAPIKey{Name: "n", Role: caller.Viewer})
		requireFault(t, err, fault.ResourceExhausted, access.ReasonTooManyKeys)
		_, _, err = k.keys.Rotate(t.Context(), asked(admin), key.KeyID, time.Hour)
		requireFault(t, err, fault.ResourceExhausted, access.ReasonTooManyKeys)
		_, _, err = k.keys.Rotate(t.Context(), asked(admin), key.KeyID, 0)
		require.NoError(t, err, "one goes, one comes")
		read, err := k.store.LoadKeys(t.Context(), k.clock.Now())
		require.NoError(t, err)
		require.Len(t, read.Keys, access.MaxLiveKeys+1)
		require.False(t, read.Cut)
	})
}

func TestTheFirstKeyIsMadeOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		a := k.account(t, "Acme")
		k.key(t, admin, access.NewAPIKey{Role: caller.Admin, Account: a.ID}) // it cannot make others for everybody
		wanted := access.NewAPIKey{Name: "first", Role: caller.Admin}
		first, text, err := k.keys.Bootstrap(t.Context(), wanted, false)
		require.NoError(t, err)
		require.NotEmpty(t, text.Reveal())
		require.Equal(t, "bootstrap", first.CreatedBy)
		_, _, err = k.keys.Bootstrap(t.Context(), wanted, false)
		requireFault(t, err, fault.FailedPrecondition, access.ReasonAdminExists)
		_, _, err = k.keys.Bootstrap(t.Context(), wanted, true)
		require.NoError(t, err)
		rows := k.audited(t)
		require.Equal(t, []string{"bootstrap", "api_key.create"}, []string{rows[2].Actor, rows[2].Action})
	})
}

func TestAProcessWithoutAPepperMakesNoKeysAndStillEndsThem(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		key, _ := k.key(t, admin, access.NewAPIKey{})
		keys := access.NewKeyAdmin(k.store, access.Pepper{}, k.clock.Now)
		_, _, err := keys.Create(t.Context(), asked(admin), access.NewAPIKey{Name: "n", Role: caller.Viewer})
		requireFault(t, err, fault.FailedPrecondition, access.ReasonNoPepper)
		_, _, err = keys.Rotate(t.Context(), asked(admin), key.KeyID, 0)
		requireFault(t, err, fault.FailedPrecondition, access.ReasonNoPepper)
		_, err = keys.Revoke(t.Context(), asked(admin), key.KeyID)
		require.NoError(t, err)
	})
}

func TestTheLastUseOnlyMovesForward(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		key, _ := k.key(t, admin, access.NewAPIKey{})
		used := func() time.Time {
			page, _, err := k.keys.List(t.Context(), admin, uuid.Nil, true, access.KeyFilter{Limit: 1})
			require.NoError(t, err)
			return page[0].LastUsedAt
		}
		require.Zero(t, used())
		began := k.version(t)
		ids := []uuid.UUID{key.KeyID, uuid.New()}
		require.NoError(t, k.store.TouchKeys(t.Context(), ids, noon.Truncate(time.Minute)))
		require.NoError(t, k.store.TouchKeys(t.Context(), ids, noon.Add(-time.Hour)))
		require.NoError(t, k.store.TouchKeys(t.Context(), nil, noon))
		require.Equal(t, noon.Truncate(time.Minute), used())
		require.Equal(t, began, k.version(t), "nothing has to be read again")
	})
}

func TestAKeyOfADeletedAccountIsRefusedAlsoWhenItWasNotRevoked(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		a := k.account(t, "Acme")
		_, text := k.key(t, admin, access.NewAPIKey{Account: a.ID})
		_, err := k.accounts.Delete(t.Context(), asked(admin), access.Target{ID: a.ID})
		require.NoError(t, err)
		_, err = k.db.NewRaw("UPDATE api_keys SET revoked_at = NULL").Exec(t.Context())
		require.NoError(t, err)
		read, err := k.store.LoadKeys(t.Context(), k.clock.Now())
		require.NoError(t, err)
		require.Empty(t, read.Accounts)
		_, err = access.NewKeySet(read.Keys, k.pepper).Find(text.Reveal(), k.clock.Now())
		requireFault(t, err, fault.Unauthenticated, access.ReasonRevoked)
	})
}

func TestARevokedKeyIsRefusedInUse(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		key, text := k.key(t, admin, access.NewAPIKey{})
		w := k.watcher()
		_, err := w.Find(text.Reveal())
		requireFault(t, err, fault.Unavailable, access.ReasonKeysNotLoaded)
		require.Error(t, w.Check(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		defer func() { cancel(); <-done }()
		accepted := func() bool { _, err := w.Find(text.Reveal()); return err == nil }
		require.Eventually(t, accepted, 60*time.Second, 5*time.Millisecond)

		// Others use the key while it is revoked; nobody is let in again after the first refusal.
		use := make(chan error, 4)
		for range cap(use) {
			go func() {
				pause := time.NewTicker(time.Millisecond)
				defer pause.Stop()
				for accepted() {
					<-pause.C
				}
				_, err := w.Find(text.Reveal())
				use <- err
			}()
		}
		_, err = k.keys.Revoke(t.Context(), asked(admin), key.KeyID)
		require.NoError(t, err)
		for range cap(use) {
			requireFault(t, <-use, fault.Unauthenticated, access.ReasonRevoked)
		}
		require.NoError(t, w.Check(t.Context()))
		cancel()
		<-done
		page, _, err := k.keys.List(t.Context(), admin, uuid.Nil, true, access.KeyFilter{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, noon.Truncate(time.Minute), page[0].LastUsedAt, "stored at the end")
	})
}

func TestAnEngineReadsKeysAndSaysWhenTheyWereUsed(t *testing.T) {
	k := newKit(t, newTrailKit(t, bunstoretest.Postgres(t, migrations.Postgres), migrations.Postgres, "postgres"))
	key, _ := k.key(t, admin, access.NewAPIKey{})
	role := "engine_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	_, err := k.db.ExecContext(t.Context(), "CREATE ROLE "+role+" LOGIN IN ROLE ops_routing_reader")
	require.NoError(t, err)
	t.Cleanup(func() { pgtest.Exec(t, k.url, "DROP OWNED BY "+role, "DROP ROLE "+role) })
	address, err := url.Parse(k.url)
	require.NoError(t, err)
	address.User = url.User(role)
	cfg := bunstore.DefaultConfig()
	cfg.URL, cfg.ReadOnly = config.NewSecret(address.String()), true
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })

	engine := database.New(db, bunstore.NewReader(db))
	read, err := engine.LoadKeys(t.Context(), k.clock.Now())
	require.NoError(t, err)
	require.Equal(t, []access.KeyRecord{key.KeyRecord}, read.Keys)
	require.Equal(t, k.version(t), read.Version.Number)
	_, err = engine.LoadAccounts(t.Context())
	require.NoError(t, err)
	require.NoError(t, engine.TouchKeys(t.Context(), []uuid.UUID{key.KeyID}, noon.Truncate(time.Minute)))
	_, err = access.NewKeyAdmin(engine, k.pepper, k.clock.Now).Revoke(t.Context(), asked(admin), key.KeyID)
	require.Error(t, err, "it changes nothing else")
	page, _, err := k.keys.List(t.Context(), admin, uuid.Nil, false, access.KeyFilter{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, noon.Truncate(time.Minute), page[0].LastUsedAt)
}
