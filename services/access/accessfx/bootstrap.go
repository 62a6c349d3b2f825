package accessfx

import (
	"context"

	"github.com/uptrace/bun"

	"trunkline/services/access"
	"trunkline/services/access/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
)

// Bootstrap makes the first API key straight in the database, for nobody has one to ask a server with. See
// access.KeyAdmin.Bootstrap.
func Bootstrap(ctx context.Context, db *bun.DB, pepper access.Pepper, wanted access.NewAPIKey, force bool) (access.APIKey, access.Key, error) {
	store := database.New(db, bunstore.NewReader(db))
	return access.NewKeyAdmin(store, pepper, clock.System().Now).Bootstrap(ctx, wanted, force)
}
