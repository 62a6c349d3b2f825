package operatorsfx

import (
	"net/http"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/fx"

	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/gen/go/trunkline/releases/v1/releasesv1connect"
	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/operators/feed"
	"trunkline/services/operators/metrics"
	"trunkline/services/operators/rpc"
	"trunkline/services/operators/sessions"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
)

// services mounts what callers ask. The platform sorts the mounts by audience.
var services = fx.Provide(
	func() *rpc.OneImport { return new(rpc.OneImport) },
	func(m *metrics.Metrics) rpc.Observer { return m },
	func(h *database.Health) rpc.HealthReader { return h },
	func(b *sessions.Board) rpc.Board { return b },
	func(s *database.Store) rpc.RateReader { return s },
	func(s *database.Store) rpc.SnapshotReader { return s },
	rpc.NewOperators,
	rpc.NewRules,
	rpc.NewRates,
	func(relay *operators.Relay) *rpc.Outbox { return rpc.NewOutbox(relay) },
	feed.New,
	func(f *feed.Feed) *rpc.Events { return rpc.NewEvents(f) },
	newSystem,
	func(admin *operators.Admin, h rpc.HealthReader, s rpc.SnapshotReader, clk clock.Clock, o rpc.Observer) *rpc.Internal {
		return rpc.NewInternal(admin, h, s, clk, o)
	},
	platformfx.Mount(func(h *rpc.Operators) rpcserver.Mount {
		return mount(operatorsv1connect.OperatorServiceName, func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewOperatorServiceHandler(h, opts...)
		})
	}),
	platformfx.Mount(func(h *rpc.Rules) rpcserver.Mount {
		return mount(operatorsv1connect.RoutingRuleServiceName, func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewRoutingRuleServiceHandler(h, opts...)
		})
	}),
	platformfx.Mount(func(h *rpc.Rates) rpcserver.Mount {
		return mount(operatorsv1connect.RateServiceName, func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewRateServiceHandler(h, opts...)
		})
	}),
	platformfx.Mount(func(h *rpc.Outbox) rpcserver.Mount {
		return mount(operatorsv1connect.OutboxServiceName, func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewOutboxServiceHandler(h, opts...)
		})
	}),
	platformfx.Mount(func(h *rpc.Internal) rpcserver.Mount {
		return mount(operatorsv1connect.InternalOperatorServiceName, func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewInternalOperatorServiceHandler(h, opts...)
		})
	}),
	platformfx.Mount(func(h *rpc.Events) rpcserver.Mount {
		return mount(operatorsv1connect.EventServiceName, func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewEventServiceHandler(h, opts...)
		})
	}),
	platformfx.Mount(func(h *rpc.System) rpcserver.Mount {
		return mount(operatorsv1connect.SystemServiceName, func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewSystemServiceHandler(h, opts...)
		})
	}),
	platformfx.Mount(func(h *rpc.Releases) rpcserver.Mount {
		return mount(releasesv1connect.ReleaseServiceName, func(opts ...connect.HandlerOption) (string, http.Handler) {
			return releasesv1connect.NewReleaseServiceHandler(h, opts...)
		})
	}),
	platformfx.Limits(newLimits),
	platformfx.Identities(newIdentities),
)

func mount(name string, handler func(...connect.HandlerOption) (string, http.Handler)) rpcserver.Mount {
	return rpcserver.Mount{Name: name, Handler: handler}
}

const (
	// checkTimeout bounds a check of all rules.
	checkTimeout = 5 * time.Minute
	// releaseTimeout bounds what reads a whole release or more, and waits while another call does.
	releaseTimeout = 10 * time.Minute
	// replayCalls bounds how many replays may hold a file in memory. One runs, the others are told so.
	replayCalls = 2
)

func newLimits() map[string]rpcserver.Limits {
	limits := map[string]rpcserver.Limits{}
	for _, procedure := range rpc.ImportProcedures() {
		limits[procedure] = rpcserver.Limits{MaxBytes: rpc.ImportBytes}
	}
	// It reads everything there is, and waits while another check does.
	limits[operatorsv1connect.RoutingRuleServiceCheckRoutingRulesProcedure] = rpcserver.Limits{MaxBytes: rpc.ImportBytes, Timeout: checkTimeout}
	limits[releasesv1connect.ReleaseServiceCreateReleaseProcedure] = rpcserver.Limits{Timeout: releaseTimeout}
	limits[releasesv1connect.ReleaseServiceDiffReleaseProcedure] = rpcserver.Limits{Timeout: releaseTimeout}
	limits[releasesv1connect.ReleaseServiceReplayReleaseProcedure] = rpcserver.Limits{MaxBytes: rpc.ReplayBytes, MaxCalls: replayCalls, Timeout: releaseTimeout}
	limits[operatorsv1connect.EventServiceWatchEventsProcedure] = rpcserver.Limits{MaxCalls: rpc.MaxWatchers}
	return limits
}

// newIdentities tells who may call the internal API. Only connectors get passwords.
func newIdentities(c Config) map[string][]rpcserver.Identity {
	both := append(append([]rpcserver.Identity{}, c.Engines...), c.Connectors...)
	return map[string][]rpcserver.Identity{
		operatorsv1connect.InternalOperatorServiceGetOperatorCredentialsProcedure: c.Connectors,
		operatorsv1connect.InternalOperatorServiceListOperatorConfigsProcedure:    both,
		operatorsv1connect.InternalOperatorServiceGetOperatorHealthProcedure:      both,
	}
}
