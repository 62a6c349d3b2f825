package routingfx

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/uptrace/bun"
	"go.uber.org/fx"

	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/routing/decisionlog"
	"trunkline/services/routing/releases"
	"trunkline/services/routing/replay"
	"trunkline/services/routing/rpc"
)

// decisionLog is the log of an engine; it is nil inside when none is kept.
type decisionLog struct{ *decisionlog.Writer }

func (l decisionLog) streams() []jetstream.StreamSpec {
	if l.Writer == nil {
		return nil
	}
	return decisionlog.Streams()
}

func newDecisionLog(
	lc fx.Lifecycle, c Config, conn *jetstream.Conn, clk clock.Clock, log *slog.Logger, reg prometheus.Registerer,
) (decisionLog, error) {
	if c.DecisionLog.Key.IsZero() {
		return decisionLog{}, nil
	}
	writer, err := decisionlog.NewWriter(conn, decisionlog.NewHasher(c.DecisionLog.Key), clk.Now, log, reg)
	if err != nil {
		return decisionLog{}, err
	}
	platformfx.Background(lc, writer.Run)
	return decisionLog{writer}, nil
}

// Decisions keeps the log of decisions, shows it, and replays it through releases: the part of routing that
// operator-management has. It needs DecisionsConfig, a database that takes writes, a jetstream.Conn and platformfx.Module.
var Decisions = fx.Module("decisions",
	fx.Provide(
		newKeeper,
		newReplayer,
		newFeed,
		platformfx.Mount(newDecisionsMount),
		platformfx.Limits(newDecisionsLimits),
	),
	fx.Invoke(startKeeper, startRetention, startRollup),
)

// maxWatchers is how many may watch the traffic at the same time.
const maxWatchers = 100

func newKeeper(db *bun.DB, c DecisionsConfig) *decisionlog.Keeper {
	var keys []config.Secret
	for _, key := range []config.Secret{c.Key, c.FormerKey} {
		if !key.IsZero() {
			keys = append(keys, key)
		}
	}
	return decisionlog.NewKeeper(db, keys...)
}

// Replayer decides samples of traffic by releases. Decisions provides it.
type Replayer = replay.Replayer

func newReplayer(k *decisionlog.Keeper, clk clock.Clock) *Replayer {
	return replay.New(k, releases.Load, clk)
}

func newFeed(lc fx.Lifecycle, k *decisionlog.Keeper, clk clock.Clock, log *slog.Logger) *decisionlog.Feed {
	feed := decisionlog.NewFeed(k, clk, log)
	platformfx.Background(lc, feed.Run)
	return feed
}

func newDecisionsMount(k *decisionlog.Keeper, feed *decisionlog.Feed, clk clock.Clock) rpcserver.Mount {
	return rpcserver.Mount{
		Name: routingv1connect.DecisionServiceName,
		Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return routingv1connect.NewDecisionServiceHandler(rpc.NewDecisions(k, feed, clk), opts...)
		},
	}
}

func newDecisionsLimits() map[string]rpcserver.Limits {
	return map[string]rpcserver.Limits{
		routingv1connect.DecisionServiceEraseDecisionsProcedure: {Timeout: 90 * time.Second},
		routingv1connect.DecisionServiceWatchTrafficProcedure:   {MaxCalls: maxWatchers},
	}
}

func startKeeper(lc fx.Lifecycle, k *decisionlog.Keeper, conn *jetstream.Conn, log *slog.Logger) {
	life, end := context.WithCancel(context.Background())
	lc.Append(fx.StopHook(end))
	lc.Append(fx.StartHook(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, streamsTimeout)
		defer cancel()
		_ = conn.AwaitConnected(ctx) // EnsureStreams tells better what is wrong
		if err := conn.EnsureStreams(ctx, append(decisionlog.Streams(), jetstream.DeadLetterSpec())); errors.Is(err, jetstream.ErrStreamMismatch) {
			return err
		} else if err != nil {
			log.Warn("NATS is out of reach; the log of decisions waits for it", "error", err)
		}
		_, err := k.Consume(life, conn)
		return err
	}))
}

func startRetention(lc fx.Lifecycle, db *bun.DB, c DecisionsConfig, clk clock.Clock, log *slog.Logger) {
	platformfx.Background(lc, decisionlog.NewRetention(db, c.KeepDays, clk, log).Run)
}

func startRollup(lc fx.Lifecycle, k *decisionlog.Keeper, clk clock.Clock, log *slog.Logger) {
	platformfx.Background(lc, decisionlog.NewRollup(k, clk, log).Run)
}
