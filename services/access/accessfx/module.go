package accessfx

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/uptrace/bun"
	"go.uber.org/fx"

	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/access"
	"trunkline/services/access/database"
	"trunkline/services/access/metrics"
	"trunkline/services/access/redis"
	"trunkline/services/access/trail"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/telemetry"
)

// Developer is who calls a process that asks for no credential.
var Developer = caller.Caller{Name: "dev", Kind: caller.Development, Role: caller.Admin}

// Module is the edge of every process: it knows callers, bounds how much they call, and writes refusals into the audit
// log. It needs Config, a database, and platformfx.Module; an access.Shared makes limits hold over all processes.
var Module = fx.Module("access",
	fx.Provide(
		database.New,
		database.NewAudit,
		newWatcher,
		newIssuer,
		newAuthenticator,
		newLimits,
		newRecorder,
		newAdmit,
		newEnter,
		newDenied,
		platformfx.Reloads(func(i *issuer) platformfx.Reloadable { return platformfx.OnReload("access.jwt", i.set) }),
		platformfx.Reloads(func(l *Limits) platformfx.Reloadable { return platformfx.OnReload("access.limits", l.Set) }),
		fx.Annotate(newDependencies, fx.ResultTags(`group:"dependencies,flatten"`)),
	),
)

// watcher is nil inside in development. Where keys are not accepted it watches accounts, for tokens.
type watcher struct{ *access.Watcher }

func newWatcher(
	lc fx.Lifecycle, c Config, store *database.Store, clk clock.Clock, log *slog.Logger, reg prometheus.Registerer,
) (watcher, error) {
	current, former, _, err := c.Keys.peppers()
	if err != nil || c.Development {
		return watcher{}, err
	}
	w := access.NewWatcher(store, current, former, clk.Now, log)
	if err := metrics.RegisterKeys(reg, w); err != nil {
		return watcher{}, err
	}
	platformfx.Background(lc, w.Run)
	return watcher{w}, nil
}

func newAuthenticator(c Config, w watcher, issuer *issuer, log *slog.Logger) rpcserver.Authenticator {
	if c.Development {
		log.Warn("nobody is asked for a credential: every call is that of an admin")
		return rpcserver.Everybody(Developer)
	}
	var keys access.Keys
	if !c.Keys.Pepper.IsZero() {
		keys = w
	}
	return access.NewAuthenticator(keys, issuer)
}

// Limits bounds what callers ask of this process. It can be changed while the process runs.
type Limits struct {
	limiter   *access.Limiter
	inFlight  *access.InFlight
	admission *access.Admission
}

type limitsIn struct {
	fx.In
	Config     Config
	Shared     access.Shared `optional:"true"`
	Clock      clock.Clock
	Registerer prometheus.Registerer
}

func newLimits(in limitsIn) (*Limits, error) {
	l := &Limits{
		limiter:   access.NewLimiter(in.Config.Limits.Limits(), in.Shared, in.Clock.Now),
		inFlight:  access.NewInFlight(in.Config.Limits.InFlight()),
		admission: access.NewAdmission(in.Config.Limits.Admission()),
	}
	return l, metrics.RegisterLimits(in.Registerer, l.limiter, l.admission)
}

// Set replaces the limits, which were checked.
func (l *Limits) Set(c access.LimitConfig) error {
	l.limiter.SetLimits(c.Limits())
	l.inFlight.SetLimit(c.InFlight())
	l.admission.SetLimits(c.Admission())
	return nil
}

// newAdmit bounds each caller. In development all callers are one, which has no limits.
func newAdmit(c Config, l *Limits) rpcserver.Admit {
	return func(ctx context.Context, who caller.Caller, _ string) (func(), error) {
		if c.Development {
			return nil, nil
		}
		leave, err := l.inFlight.Enter(who.Name, who.Account)
		if err != nil {
			return nil, err
		}
		if err := l.limiter.Take(ctx, who.Name, who.Account, 1); err != nil {
			leave()
			return nil, err
		}
		return leave, nil
	}
}

// newEnter asks the limits first: they may wait for Redis for a moment, and no place is held meanwhile. The call has
// been charged as one item.
func newEnter(c Config, l *Limits) rpcserver.Enter {
	return func(ctx context.Context, who caller.Caller, procedure string, message any) (func(), error) {
		switch procedure {
		case operatorsv1connect.EventServiceWatchEventsProcedure, routingv1connect.DecisionServiceWatchTrafficProcedure:
			return nil, nil // they wait more than they work, and their services bound how many there are
		}
		if batch, ok := message.(*routingv1.BatchSelectOperatorsRequest); ok && !c.Development {
			if err := l.limiter.TakeRest(ctx, who.Name, who.Account, len(batch.GetRequests())); err != nil {
				return nil, err
			}
		}
		return l.admission.Enter(ctx)
	}
}

// SharedBuckets makes limits hold over all processes that share a Redis.
func SharedBuckets(scripts redis.Scripts) access.Shared { return redis.NewBuckets(scripts) }

func newRecorder(lc fx.Lifecycle, store *database.Audit, clk clock.Clock, log *slog.Logger, reg prometheus.Registerer) (*trail.Recorder, error) {
	r, err := trail.NewRecorder(store, clk, log, reg)
	if err != nil {
		return nil, err
	}
	platformfx.Background(lc, r.Run)
	return r, nil
}

func newDenied(r *trail.Recorder) rpcserver.Denied {
	return func(ctx context.Context, d rpcserver.Denial) {
		peer := ""
		if d.Peer.IsValid() {
			peer = d.Peer.String()
		}
		r.Denied(trail.Denial{
			Actor: d.Caller.Name, Known: d.Caller.Kind != caller.Nobody, Procedure: d.Procedure, Reason: d.Reason, Peer: peer, RequestID: telemetry.RequestID(ctx),
		})
	}
}

// newDependencies are optional, for a process goes on with what it has; but nobody should call before it has anything.
func newDependencies(c Config, w watcher, issuer *issuer) (found []rpcserver.Dependency) {
	if w.Watcher != nil {
		name := "api-keys"
		if c.Keys.Pepper.IsZero() {
			name = "accounts"
		}
		found = append(found,
			rpcserver.Dependency{Name: name, Check: w.Check},
			rpcserver.Dependency{Name: name + "-loaded", Required: true, Check: w.AwaitLoad})
	}
	if c.JWT.Enabled() {
		found = append(found, rpcserver.Dependency{Name: "jwks", Check: issuer.Check})
	}
	return found
}

// startSealer seals the audit log wherever this process leads.
func startSealer(lc fx.Lifecycle, db *bun.DB, store *database.Audit, clk clock.Clock, log *slog.Logger, reg prometheus.Registerer) error {
	sealer, err := trail.NewSealer(store, clk, log, reg)
	if err != nil {
		return err
	}
	leader := bunstore.NewLeader(db, log)
	platformfx.Background(lc, func(ctx context.Context) { leader.Run(ctx, trail.Office, sealer.Run) })
	return nil
}

// verifyLimit bounds a verification of the whole chain, exportLimit an export.
const (
	verifyLimit = 30 * time.Minute
	exportLimit = 30 * time.Minute
)
