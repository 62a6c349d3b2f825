package bunstore_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pgtest"
)

func TestAQueryWithoutAConditionSeesOneAccountOnly(t *testing.T) {
	const (
		mine  = "00000000-0000-7000-8000-00000000000a"
		other = "00000000-0000-7000-8000-00000000000b"
	)
	url := pgtest.Database(t)
	superuser := open(t, settings(url))
	_, err := migrator(t, superuser, product(superuser)).Up(t.Context())
	require.NoError(t, err)
	account := "INSERT INTO accounts (account_id, name, created_at, updated_at) VALUES "
	rule := `INSERT INTO routing_rules (rule_id, account_id, prefix, country, message_types, strategy, on_exhausted, active, created_at, updated_at) VALUES `
	key := `INSERT INTO api_keys (key_id, account_id, name, role, hint, pepper_id, mac, created_by, created_at) VALUES `
	rest := `, 'n', 'viewer', 'h', 'p', decode(repeat('00', 32), 'hex'), 'me', now())`
	exec(t, superuser,
		account+"('"+mine+"', 'mine', now(), now()), ('"+other+"', 'other', now(), now())",
		rule+"(gen_random_uuid(), '"+mine+"', '+1', '', 'SMS', 'COST', 'FAIL', true, now(), now())",
		rule+"(gen_random_uuid(), '"+other+"', '+2', '', 'SMS', 'COST', 'FAIL', true, now(), now())",
		rule+"(gen_random_uuid(), NULL, '+3', '', 'SMS', 'COST', 'FAIL', true, now(), now())",
		key+"(gen_random_uuid(), '"+mine+"'"+rest, key+"(gen_random_uuid(), '"+other+"'"+rest, key+"(gen_random_uuid(), NULL"+rest,
	)
	// The role that owns the tables is behind the wall as well as one that reads them; a superuser is not.
	owner := login(t, url, "owner", "NOSUPERUSER")
	give := func(to string) {
		for _, table := range []string{"accounts", "routing_rules", "api_keys"} {
			pgtest.Exec(t, url, "ALTER TABLE ops_routing."+table+" OWNER TO "+to)
		}
	}
	give(userOf(t, owner))
	t.Cleanup(func() { give(userOf(t, url)) })
	pgtest.Exec(t, url, "GRANT USAGE ON SCHEMA ops_routing TO "+userOf(t, owner))
	for name, role := range map[string]string{"owner": owner, "reader": login(t, url, "engine", "IN ROLE "+readerRole)} {
		t.Run(name, func(t *testing.T) {
			cfg := settings(role)
			cfg.MaxOpen, cfg.MaxIdle = 1, 1 // so that a setting that outlived its transaction would show
			db := open(t, cfg)
			texts := func(ctx context.Context, db bun.IDB, query string) (all []string) {
				require.NoError(t, db.NewRaw(query).Scan(ctx, &all))
				return all
			}
			const (
				accounts = "SELECT name FROM accounts ORDER BY name"
				rules    = "SELECT prefix FROM routing_rules ORDER BY prefix"
				keys     = "SELECT coalesce(account_id::text, 'none') FROM api_keys ORDER BY account_id"
			)
			all := func(ctx context.Context, db bun.IDB) error {
				require.Equal(t, []string{"mine", "other"}, texts(ctx, db, accounts))
				require.Equal(t, []string{"+1", "+2", "+3"}, texts(ctx, db, rules))
				require.Equal(t, []string{mine, other, "none"}, texts(ctx, db, keys))
				return nil
			}
			require.NoError(t, all(t.Context(), db))
			require.NoError(t, bunstore.ForAccount(t.Context(), db, uuid.Nil, all))
			require.NoError(t, bunstore.ForAccount(t.Context(), db, uuid.MustParse(mine), func(ctx context.Context, db bun.IDB) error {
				require.Equal(t, []string{"mine"}, texts(ctx, db, accounts))
				require.Equal(t, []string{"+1", "+3"}, texts(ctx, db, rules), "its own and those of everybody")
				require.Equal(t, []string{mine}, texts(ctx, db, keys), "keys of no account are not everybody's")
				return nil
			}))
			require.NoError(t, all(t.Context(), db))
			err := bunstore.ForAccount(t.Context(), db, uuid.MustParse(mine), func(ctx context.Context, db bun.IDB) error {
				_, err := db.NewRaw("UPDATE api_keys SET last_used_at = now()").Exec(ctx)
				return err
			})
			requireFault(t, bunstore.Fault(err), fault.FailedPrecondition, bunstore.ReasonReadOnly)
			require.NoError(t, all(t.Context(), db))
		})
	}
}

func TestForAccountRunsAsItIsOnSQLite(t *testing.T) {
	db := open(t, settings("sqlite::memory:"))
	ran := false
	require.NoError(t, bunstore.ForAccount(t.Context(), db, uuid.New(), func(_ context.Context, got bun.IDB) error {
		ran = true
		require.Same(t, db, got)
		return nil
	}))
	require.True(t, ran)
}
