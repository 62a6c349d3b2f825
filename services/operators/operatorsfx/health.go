package operatorsfx

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/uptrace/bun"
	"go.uber.org/fx"

	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/operators/healthcache"
	"trunkline/services/operators/metrics"
	"trunkline/services/operators/sessions"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
)

// HealthCache is where engines read health that events did not bring: Redis, or memory in a process that is alone.
type HealthCache interface{ healthcache.Store }

// health reduces the reports of connectors. One process at a time does it.
var health = fx.Options(
	fx.Provide(
		database.NewHealth,
		sessions.NewMetrics,
		newHealthCache,
		newBoard,
		newConsumer,
	),
	fx.Invoke(startConsumer, startAlarm, startBoard, startPartitions),
)

func newHealthCache(store HealthCache, clk clock.Clock, reg prometheus.Registerer, log *slog.Logger) (*healthcache.Cache, error) {
	return healthcache.New(store, sessions.EncodeHealth, clk, reg, log)
}

func newBoard(conn *jetstream.Conn, m *metrics.Metrics, log *slog.Logger) *sessions.Board {
	return sessions.NewBoard(conn, m.Published, log)
}

func startBoard(lc fx.Lifecycle, board *sessions.Board) { platformfx.Background(lc, board.Listen) }

func newConsumer(
	conn *jetstream.Conn, store *database.Health, board *sessions.Board, cache *healthcache.Cache, m *sessions.Metrics, clk clock.Clock, log *slog.Logger,
) *sessions.Consumer {
	return sessions.NewConsumer(conn, operators.NewIngest(store, board, cache, m, clk.Now, log), m, log)
}

func startConsumer(lc fx.Lifecycle, db *bun.DB, consumer *sessions.Consumer, log *slog.Logger) {
	leader := bunstore.NewLeader(db, log)
	platformfx.Background(lc, func(ctx context.Context) { leader.Run(ctx, sessions.Office, consumer.Run) })
}

// alarmPing bounds the question whether the database is down; a loss waits for it.
const alarmPing = 500 * time.Millisecond

func startAlarm(lc fx.Lifecycle, db *bun.DB, conn *jetstream.Conn, log *slog.Logger) {
	alarm := sessions.NewAlarm(conn, func(ctx context.Context) bool {
		ctx, cancel := context.WithTimeout(ctx, alarmPing)
		defer cancel()
		return db.PingContext(ctx) != nil
	}, log)
	platformfx.Background(lc, alarm.Run)
}

func startPartitions(lc fx.Lifecycle, db *bun.DB, c Config, clk clock.Clock, reg prometheus.Registerer, log *slog.Logger) error {
	partitions, err := database.NewPartitions(db, c.HealthLog, clk, reg, log)
	if err == nil {
		platformfx.Background(lc, partitions.Run)
	}
	return err
}
