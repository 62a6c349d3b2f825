package database_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/access"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

func TestAnAccountIsCreatedChangedAndDeleted(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		began := k.version(t)
		created, err := k.accounts.Create(t.Context(), asked(admin), access.Account{Name: "Acme", Notes: "prepaid"})
		require.NoError(t, err)
		got, err := k.accounts.Get(t.Context(), admin, created.ID)
		require.NoError(t, err)
		require.Equal(t, created, got)
		require.Equal(t, began+1, k.version(t))

		k.clock.Advance(time.Minute)
		changed, err := k.accounts.Update(t.Context(), asked(admin), access.Target{ID: created.ID, ETag: created.ETag()},
			access.Account{Name: "Acme Ltd", Notes: "not named by the mask"}, []string{"name"})
		require.NoError(t, err)
		require.Equal(t, []string{"Acme Ltd", "prepaid"}, []string{changed.Name, changed.Notes})
		require.NotEqual(t, created.ETag(), changed.ETag())

		_, bound := k.key(t, admin, access.NewAPIKey{Account: created.ID})
		k.key(t, admin, access.NewAPIKey{Account: created.ID})
		unbound, _ := k.key(t, admin, access.NewAPIKey{})
		revoked, err := k.accounts.Delete(t.Context(), asked(admin), access.Target{ID: created.ID, ETag: changed.ETag()})
		require.NoError(t, err)
		require.Equal(t, 2, revoked)
		require.Equal(t, []string{unbound.KeyID.String()}, k.live(t, admin))
		_, err = k.accounts.Get(t.Context(), admin, created.ID)
		requireFault(t, err, fault.NotFound, access.ReasonNoSuchAccount)
		_, err = k.accounts.Delete(t.Context(), asked(admin), access.Target{ID: created.ID})
		requireFault(t, err, fault.NotFound, access.ReasonNoSuchAccount)
		require.Equal(t, []string{"account.create", "account.update", "api_key.create", "api_key.create", "api_key.create", "account.delete"}, k.actions(t))
		require.Equal(t, began+6, k.version(t))

		rows := k.audited(t)
		require.Equal(t, record{
			Actor: "jwt:admin", RequestID: "trace-1", Action: "account.create", Entity: "account", EntityID: created.ID.String(),
			After: rows[0].After, OccurredAt: rows[0].OccurredAt,
		}, rows[0])
		require.JSONEq(t, fmt.Sprintf(`{"account_id":%q,"name":"Acme","notes":"prepaid","version":1}`, created.ID), *rows[1].Before)
		require.JSONEq(t, fmt.Sprintf(`{"account_id":%q,"name":"Acme Ltd","notes":"prepaid","version":2}`, created.ID), *rows[1].After)
		require.Contains(t, *rows[5].After, `"revoked_key_ids":["`)
		for _, r := range rows {
			for _, json := range []*string{r.Before, r.After} {
				if json != nil {
					require.NotContains(t, *json, bound.Reveal())
					require.NotContains(t, *json, "mac")
				}
			}
		}
		// The name is free again, the id is not.
		k.account(t, "Acme Ltd")
		_, err = k.accounts.Create(t.Context(), asked(admin), access.Account{ID: created.ID, Name: "Again"})
		requireFault(t, err, fault.AlreadyExists, access.ReasonDuplicateAccount)
	})
}

func TestAccountsThatCannotBe(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		a, b := k.account(t, "Acme"), k.account(t, "Bolt")
		began := k.version(t)
		update := func(target access.Target, to access.Account, mask ...string) error {
			_, err := k.accounts.Update(t.Context(), asked(admin), target, to, mask)
			return err
		}
		create := func(a access.Account) error {
			_, err := k.accounts.Create(t.Context(), asked(admin), a)
			return err
		}
		for name, refused := range map[string]struct {
			err    error
			kind   fault.Kind
			reason string
		}{
			"a name that another has":          {create(access.Account{Name: "Acme"}), fault.AlreadyExists, access.ReasonDuplicateAccount},
			"a rename to it":                   {update(access.Target{ID: b.ID}, access.Account{Name: "Acme"}, "name"), fault.AlreadyExists, access.ReasonDuplicateAccount},
			"no name":                          {create(access.Account{}), fault.InvalidArgument, access.ReasonInvalidValue},
			"a name that begins with a space":  {create(access.Account{Name: " x"}), fault.InvalidArgument, access.ReasonInvalidValue},
			"a name with a line break":         {create(access.Account{Name: "a\nb"}), fault.InvalidArgument, access.ReasonInvalidValue},
			"notes with a zero":                {create(access.Account{Name: "x", Notes: "\x00"}), fault.InvalidArgument, access.ReasonInvalidValue},
			"an etag of before":                {update(access.Target{ID: a.ID, ETag: b.ETag()}, access.Account{Name: "x"}, "name"), fault.Aborted, access.ReasonETag},
			"an update of nothing":             {update(access.Target{ID: a.ID}, access.Account{Name: "x"}), fault.InvalidArgument, access.ReasonUpdateMask},
			"an update of a field that is set": {update(access.Target{ID: a.ID}, access.Account{}, "create_time"), fault.InvalidArgument, access.ReasonUpdateMask},
			"an update of nobody":              {update(access.Target{ID: uuid.New()}, access.Account{Name: "x"}, "name"), fault.NotFound, access.ReasonNoSuchAccount},
		} {
			t.Run(name, func(t *testing.T) { requireFault(t, refused.err, refused.kind, refused.reason) })
		}
		_, err := k.accounts.Create(t.Context(), access.Request{}, access.Account{Name: "x"})
		require.Error(t, err, "nobody changes anything")
		require.Equal(t, began, k.version(t))
		require.Len(t, k.audited(t), 2)
		require.NoError(t, update(access.Target{ID: a.ID}, access.Account{Name: "Acme", Notes: "n"}, "name", "notes"), "its own name")
	})
}

func TestOfTenCreatesOfOneNameOneWins(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		var group sync.WaitGroup
		var won, lost atomic.Int64
		for range 10 {
			group.Go(func() {
				_, err := k.accounts.Create(t.Context(), asked(admin), access.Account{Name: "Acme"})
				switch {
				case err == nil:
					won.Add(1)
				case fault.Is(err, access.ReasonDuplicateAccount):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		require.EqualValues(t, 1, won.Load())
		require.EqualValues(t, 9, lost.Load())
		require.Len(t, k.audited(t), 1)
	})
}

func TestARepeatedRequestChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		r := access.Request{Caller: admin, ID: "r-1", Fingerprint: "f-1"}
		first, err := k.accounts.Create(t.Context(), r, access.Account{Name: "Acme"})
		require.NoError(t, err)
		again, err := k.accounts.Create(t.Context(), r, access.Account{Name: "Acme"})
		require.NoError(t, err)
		require.Equal(t, first, again)
		require.Len(t, k.audited(t), 1)
		require.Equal(t, "r-1", k.audited(t)[0].RequestID)

		other := r
		other.Fingerprint = "f-2"
		_, err = k.accounts.Create(t.Context(), other, access.Account{Name: "Bolt"})
		requireFault(t, err, fault.InvalidArgument, access.ReasonRequestReused)
		k.clock.Advance(access.RequestLife)
		_, err = k.accounts.Create(t.Context(), other, access.Account{Name: "Bolt"})
		require.NoError(t, err, "a day later it is a new request")

		key := access.Request{Caller: admin, ID: "r-2", Fingerprint: "f-3"}
		made, text, err := k.keys.Create(t.Context(), key, access.NewAPIKey{Name: "n", Role: caller.Viewer, Account: first.ID})
		require.NoError(t, err)
		require.Len(t, text.Reveal(), access.KeyLength)
		same, none, err := k.keys.Create(t.Context(), key, access.NewAPIKey{Name: "n", Role: caller.Viewer, Account: first.ID})
		require.NoError(t, err)
		require.Equal(t, made, same)
		require.Empty(t, none.Reveal(), "it cannot be shown again")

		rotate := access.Request{Caller: admin, ID: "r-3", Fingerprint: "f-4"}
		made, _, err = k.keys.Rotate(t.Context(), rotate, made.KeyID, 0)
		require.NoError(t, err)
		same, none, err = k.keys.Rotate(t.Context(), rotate, made.KeyID, 0)
		require.NoError(t, err)
		require.Equal(t, made.KeyID, same.KeyID)
		require.Empty(t, none.Reveal())

		remove := access.Request{Caller: admin, ID: "r-4", Fingerprint: "f-5"}
		for range 2 {
			revoked, err := k.accounts.Delete(t.Context(), remove, access.Target{ID: first.ID})
			require.NoError(t, err)
			require.Equal(t, 1, revoked)
		}
	})
}

func TestNothingChangesWhenTheAuditRowCannotBeWritten(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		a := k.account(t, "Acme")
		key, _ := k.key(t, admin, access.NewAPIKey{Account: a.ID})
		began := k.version(t)
		_, err := k.db.NewRaw("ALTER TABLE audit_log RENAME TO audit_log_away").Exec(t.Context())
		require.NoError(t, err)
		for name, change := range map[string]func(ctx context.Context) error{
			"create": func(ctx context.Context) error {
				_, err := k.accounts.Create(ctx, asked(admin), access.Account{Name: "Bolt"})
				return err
			},
			"update": func(ctx context.Context) error {
				_, err := k.accounts.Update(ctx, asked(admin), access.Target{ID: a.ID}, access.Account{Name: "Other"}, []string{"name"})
				return err
			},
			"delete": func(ctx context.Context) error {
				_, err := k.accounts.Delete(ctx, asked(admin), access.Target{ID: a.ID})
				return err
			},
			"create a key": func(ctx context.Context) error {
				_, _, err := k.keys.Create(ctx, asked(admin), access.NewAPIKey{Name: "n", Role: caller.Viewer})
				return err
			},
			"revoke": func(ctx context.Context) error { _, err := k.keys.Revoke(ctx, asked(admin), key.KeyID); return err },
			"rotate": func(ctx context.Context) error {
				_, _, err := k.keys.Rotate(ctx, asked(admin), key.KeyID, 0)
				return err
			},
		} {
			require.Error(t, change(t.Context()), name)
		}
		require.Equal(t, began, k.version(t))
		got, err := k.accounts.Get(t.Context(), admin, a.ID)
		require.NoError(t, err)
		require.Equal(t, a, got)
		require.Equal(t, []string{key.KeyID.String()}, k.live(t, admin))
	})
}

func TestAccountsAreListedByNameInPages(t *testing.T) {
	onBoth(t, func(t *testing.T, k kit) {
		var mine access.Account
		for _, name := range []string{"Delta", "Alpha", "Charlie", "Bravo", "50% off"} {
			mine = k.account(t, name)
		}
		names := func(who caller.Caller, f access.AccountFilter) (all []string, more bool) {
			page, more, err := k.accounts.List(t.Context(), who, f)
			require.NoError(t, err)
			for _, a := range page {
				all = append(all, a.Name)
			}
			return all, more
		}
		first, more := names(admin, access.AccountFilter{Limit: 3})
		require.Equal(t, []string{"50% off", "Alpha", "Bravo"}, first)
		require.True(t, more)
		page, _, err := k.accounts.List(t.Context(), admin, access.AccountFilter{Limit: 3})
		require.NoError(t, err)
		rest, more := names(admin, access.AccountFilter{Limit: 3, AfterName: "Bravo", AfterID: page[2].ID})
		require.Equal(t, []string{"Charlie", "Delta"}, rest)
		require.False(t, more)
		found, _ := names(admin, access.AccountFilter{Limit: 10, Search: "AL"})
		require.Equal(t, []string{"Alpha"}, found)
		found, _ = names(admin, access.AccountFilter{Limit: 10, Search: "%"})
		require.Equal(t, []string{"50% off"}, found)
		bound := caller.Caller{Name: "key:1", Role: caller.Viewer, Account: mine.ID}
		found, _ = names(bound, access.AccountFilter{Limit: 10})
		require.Equal(t, []string{"50% off"}, found, "only its own")
		_, err = k.accounts.Get(t.Context(), bound, mine.ID)
		require.NoError(t, err)
		_, err = k.accounts.Get(t.Context(), bound, page[1].ID)
		requireFault(t, err, fault.NotFound, access.ReasonNoSuchAccount)
	})
}
