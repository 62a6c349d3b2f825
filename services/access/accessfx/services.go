package accessfx

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/fx"

	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	"trunkline/services/access"
	"trunkline/services/access/database"
	"trunkline/services/access/rpc"
	"trunkline/services/access/trail"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
)

// Services is the part of access that operator-management has: accounts, keys, callers, the audit log and its seal. It needs
// Module and a database that takes writes.
var Services = fx.Module("access-services",
	fx.Provide(
		func(s *database.Store, w watcher, clk clock.Clock) *access.AccountAdmin {
			return access.NewAccountAdmin(watchedStore{s, w}, clk.Now)
		},
		newKeyAdmin,
		platformfx.Mount(newAccounts),
		platformfx.Mount(newKeys),
		platformfx.Mount(newAudit),
		platformfx.Mount(newCallers),
		platformfx.Limits(newStreamLimits),
	),
	fx.Invoke(startSealer, startPurge),
)

// reloadLimit bounds how long a change waits until this process holds to it. The change is made anyway.
const reloadLimit = 2 * time.Second

// watchedStore makes this process hold to its own changes by the time it answers; the others poll.
type watchedStore struct {
	*database.Store
	watcher watcher
}

// InTx is that of the store.
func (s watchedStore) InTx(ctx context.Context, do func(ctx context.Context, tx access.Tx) error) error {
	if err := s.Store.InTx(ctx, do); err != nil || s.watcher.Watcher == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reloadLimit)
	defer cancel()
	s.watcher.Reload(ctx)
	return nil
}

// purgeEvery is the time between two clearances of keys that ended long ago.
const purgeEvery = time.Hour

func startPurge(lc fx.Lifecycle, s *database.Store, clk clock.Clock, log *slog.Logger) {
	platformfx.Background(lc, func(ctx context.Context) {
		tick := time.NewTicker(purgeEvery)
		defer tick.Stop()
		for {
			if _, err := s.PurgeKeys(ctx, clk.Now().Add(-access.KeepEnded)); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "API keys that ended long ago could not be deleted; it is tried again", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// newKeyAdmin works without a pepper too, for what does not need one: a process that takes tokens only can still list
// and revoke keys, and makes none.
func newKeyAdmin(c Config, s *database.Store, w watcher, clk clock.Clock) (*access.KeyAdmin, error) {
	pepper, _, _, err := c.Keys.peppers()
	return access.NewKeyAdmin(watchedStore{s, w}, pepper, clk.Now), err
}

func newAccounts(a *access.AccountAdmin) rpcserver.Mount {
	return rpcserver.Mount{Name: accessv1connect.AccountServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return accessv1connect.NewAccountServiceHandler(rpc.NewAccounts(a), opts...)
	}}
}

func newKeys(k *access.KeyAdmin) rpcserver.Mount {
	return rpcserver.Mount{Name: accessv1connect.ApiKeyServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return accessv1connect.NewApiKeyServiceHandler(rpc.NewKeys(k), opts...)
	}}
}

func newAudit(store *database.Audit, clk clock.Clock) rpcserver.Mount {
	service := rpc.NewAudit(store, trail.NewProver(store, clk))
	return rpcserver.Mount{Name: accessv1connect.AuditServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return accessv1connect.NewAuditServiceHandler(service, opts...)
	}}
}

func newCallers() rpcserver.Mount {
	return rpcserver.Mount{Name: accessv1connect.CallerServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return accessv1connect.NewCallerServiceHandler(rpc.NewCallers(), opts...)
	}}
}

func newStreamLimits() map[string]rpcserver.Limits {
	return map[string]rpcserver.Limits{
		accessv1connect.AuditServiceVerifyAuditChainProcedure: {Timeout: verifyLimit},
		accessv1connect.AuditServiceExportAuditRowsProcedure:  {Timeout: exportLimit},
	}
}
