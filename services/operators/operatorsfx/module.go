// Package operatorsfx wires the control plane: stores, use cases, the loops behind them, and the services.
package operatorsfx

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/uptrace/bun"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"

	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/operators/credentials"
	"trunkline/services/operators/database"
	"trunkline/services/operators/feed"
	"trunkline/services/operators/metrics"
	"trunkline/services/operators/sessions"
	"trunkline/services/operators/xlsx"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/release"
	"trunkline/services/platform/rpcserver"
)

// Module is the control plane of operators, rules and rates. It needs Config, platformfx.Database on a migrated
// database, a jetstream.Conn, a HealthCache, a Replayer and platformfx.Module.
var Module = fx.Module("operators",
	fx.Provide(
		metrics.New,
		newSecretStore,
		newCredentials,
		newStore,
		newRelay,
		newAdmin,
		newRuleAdmin,
		newImporter,
		newRateImporter,
		platformfx.Dependency(newSecretsDependency),
	),
	services,
	fx.Invoke(startStreams), // first: the loops below use the streams
	health,
	publication,
	fx.Invoke(startRelay, startFeed, startOrphans, startPurge),
)

// Standalone adds what operator-management needs when no engine shares its process.
var Standalone = fx.Module("operator-management",
	fx.Provide(
		func(reg prometheus.Registerer) (rpcserver.Metrics, error) {
			return rpcserver.NewMetrics(reg, "ops_grpc", nil)
		},
		func(m *metrics.Metrics) *bunstore.Observer { return &bunstore.Observer{Errors: m.DatabaseErrors} },
		platformfx.Dependency(func(s *database.Store) rpcserver.Dependency {
			return rpcserver.Dependency{Name: "database", Required: true, Check: func(ctx context.Context) error {
				_, _, _, err := s.ListOperators(ctx, operators.OperatorFilter{Limit: 1})
				return err
			}}
		}),
	),
)

func newStore(db *bun.DB, reader *bunstore.Reader) *database.Store {
	return database.New(db, reader, bus.Encode)
}

func newRelay(db *bun.DB, conn *jetstream.Conn, m *metrics.Metrics, reg prometheus.Registerer, tracer trace.Tracer, clk clock.Clock, log *slog.Logger) (*operators.Relay, error) {
	publisher := m.CountPublisher(bus.NewPublisher(conn, tracer))
	relay := operators.NewRelay(database.NewOutbox(db), publisher, clk.Now, log)
	conn.OnConnect(relay.Hasten)
	return relay, metrics.RegisterBacklog(reg, relay.Backlog)
}

func newAdmin(s *database.Store, c *credentials.Store, relay *operators.Relay, clk clock.Clock, log *slog.Logger) *operators.Admin {
	return operators.NewAdmin(s, c, relay, clk.Now, log)
}

func newRuleAdmin(c Config, s *database.Store, relay *operators.Relay, clk clock.Clock) (*operators.RuleAdmin, error) {
	ceiling, err := c.ceiling()
	if err != nil {
		return nil, err
	}
	return operators.NewRuleAdmin(s, relay, clk.Now, ceiling), nil
}

func newImporter(c Config, s *database.Store, relay *operators.Relay, clk clock.Clock, log *slog.Logger) (*operators.Importer, error) {
	ceiling, err := c.ceiling()
	if err != nil {
		return nil, err
	}
	return operators.NewImporter(s, relay, clk.Now, log, ceiling), nil
}

func newRateImporter(s *database.Store, relay *operators.Relay, clk clock.Clock, log *slog.Logger) *operators.RateImporter {
	return operators.NewRateImporter(s, xlsx.Workbooks{}, relay, clk.Now, log)
}

// streamsTimeout bounds how long a start waits for NATS; afterwards streams are
// made in the background.
const streamsTimeout = 2 * time.Second

func startStreams(lc fx.Lifecycle, conn *jetstream.Conn, log *slog.Logger) {
	lc.Append(fx.StartHook(func(ctx context.Context) error { return ensureStreams(ctx, conn, log) }))
}

func ensureStreams(ctx context.Context, conn *jetstream.Conn, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, streamsTimeout)
	defer cancel()
	_ = conn.AwaitConnected(ctx)
	err := conn.EnsureStreams(ctx, slices.Concat(bus.Streams(), sessions.Streams(), release.Streams()))
	if err == nil || errors.Is(err, jetstream.ErrUnavailable) {
		err = errors.Join(err, conn.EnsureBucket(ctx, release.Bucket, 0), conn.EnsureObjects(ctx, release.Store, 0))
	}
	if errors.Is(err, jetstream.ErrStreamMismatch) {
		return err
	}
	if err != nil {
		log.Warn("NATS is out of reach; events of changes wait in the outbox until it is back", "error", err)
	}
	return nil
}

func startRelay(lc fx.Lifecycle, relay *operators.Relay) { platformfx.Background(lc, relay.Run) }

func startFeed(lc fx.Lifecycle, f *feed.Feed) { platformfx.Background(lc, f.Run) }

func startOrphans(lc fx.Lifecycle, s *database.Store, c *credentials.Store, clk clock.Clock, log *slog.Logger) {
	platformfx.Background(lc, operators.NewOrphans(s, c, clk.Now, log).Run)
}

const (
	// purgeEvery is the time between two clearances of what nobody needs any more. Several processes may clear at once.
	purgeEvery = time.Hour
	// rateLife is how long a rate is kept after its end: an invoice of last year can still be explained.
	rateLife = 400 * 24 * time.Hour
)

func startPurge(lc fx.Lifecycle, s *database.Store, clk clock.Clock, log *slog.Logger) {
	platformfx.Background(lc, func(ctx context.Context) {
		tick := time.NewTicker(purgeEvery)
		defer tick.Stop()
		for {
			if _, err := s.PurgeRequests(ctx, clk.Now().Add(-operators.RequestLife)); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "remembered requests could not be cleared away", "error", err)
			}
			if purged, err := s.PurgeRates(ctx, clk.Now().Add(-rateLife)); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "rates that ended long ago could not be cleared away", "error", err)
			} else if purged > 0 {
				log.InfoContext(ctx, "rates that ended long ago were cleared away", "rates", purged)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}
