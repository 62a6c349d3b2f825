package accessfx

import (
	"net/http"

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

// Services is the part of access that operator-management has: accounts, keys, the audit log and its seal. It needs
// Module and a database that takes writes.
var Services = fx.Module("access-services",
	fx.Provide(
		func(s *database.Store, clk clock.Clock) *access.AccountAdmin {
			return access.NewAccountAdmin(s, clk.Now)
		},
		newKeyAdmin,
		platformfx.Mount(newAccounts),
		platformfx.Mount(newKeys),
		platformfx.Mount(newAudit),
		platformfx.Limits(newStreamLimits),
	),
	fx.Invoke(startSealer),
)

// newKeyAdmin works without a pepper too, for what does not need one: a process that takes tokens only can still list
// and revoke keys, and makes none.
func newKeyAdmin(c Config, s *database.Store, clk clock.Clock) (*access.KeyAdmin, error) {
	pepper, _, _, err := c.Keys.peppers()
	return access.NewKeyAdmin(s, pepper, clk.Now), err
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

func newStreamLimits() map[string]rpcserver.Limits {
	return map[string]rpcserver.Limits{
		accessv1connect.AuditServiceVerifyAuditChainProcedure: {Timeout: verifyLimit},
		accessv1connect.AuditServiceExportAuditRowsProcedure:  {Timeout: exportLimit},
	}
}
