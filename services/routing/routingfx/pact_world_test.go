//go:build pact

package routingfx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"go.uber.org/fx"

	"trunkline/migrations"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rediscache"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
	"trunkline/services/routing"
	"trunkline/services/routing/bus"
)

// world is a whole routing engine in database mode, over a store and a bus of its own. The states of releases put one in
// release mode beside it.
type world struct {
	dir    string
	nats   *jetstream.EmbeddedServer
	apps   []*fx.App
	conn   *jetstream.Conn
	db     *bun.DB
	supply *routing.Supply
	health *routing.HealthView
	server *rpcserver.Server

	releases publication
	// word is what the engine in release mode said last, as far as the states waited for it.
	word jetstream.Message
}

func newWorld(ctx context.Context) (w *world, err error) {
	w = &world{}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if w.dir, err = os.MkdirTemp("", "pact-"); err != nil {
		return w, err
	}
	if w.nats, err = jetstream.Embedded(filepath.Join(w.dir, "nats"), ""); err != nil {
		return w, err
	}
	if err = w.run(ctx, DefaultConfig(), fx.Populate(&w.conn, &w.db, &w.supply, &w.health, &w.server)); err != nil {
		return w, err
	}
	if !w.supply.Await(ctx, 1) {
		return w, errors.New("the engine did not read its rules")
	}
	return w, nil
}

// run starts an engine that ends with the world.
func (w *world) run(ctx context.Context, engine Config, options ...fx.Option) error {
	platform := platformfx.DefaultConfig()
	platform.Server.Addr, platform.Server.Drain.Notice = "127.0.0.1:0", 0
	store := bunstore.DefaultConfig()
	store.URL = config.NewSecret("sqlite:" + filepath.Join(w.dir, "pact.db"))
	app := fx.New(
		fx.NopLogger,
		fx.Supply(slog.New(slog.DiscardHandler), platform, platformfx.Process{Name: "routing-engine"}, engine, store, jetstream.DefaultConfig(), w.nats),
		platformfx.Module, platformfx.Database, platformfx.NATS, Module, fx.Provide(rpcservertest.Everybody),
		fx.Provide(func(clk clock.Clock) (SharedCache, error) { return rediscache.NewMemory(1000, clk) }),
		fx.Decorate(migrate),
		fx.Options(options...),
	)
	w.apps = append(w.apps, app)
	return app.Start(ctx)
}

func migrate(db *bun.DB) (*bun.DB, error) {
	m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: migrations.SQLite, Dir: "sqlite"}, clock.System())
	if err == nil {
		_, err = m.Up(context.Background())
	}
	return db, err
}

// URL implements pacttest.World.
func (w *world) URL() string { return w.server.URL() }

// Close implements pacttest.World.
func (w *world) Close() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, app := range w.apps {
		err = errors.Join(err, app.Stop(ctx))
	}
	if w.nats != nil {
		err = errors.Join(err, w.nats.Shutdown())
	}
	return errors.Join(err, os.RemoveAll(w.dir))
}

// change writes to the store as operator-management does: rows and versions in one transaction, then an
// event. It returns when the engine serves the change.
func (w *world) change(ctx context.Context, write func(tx bun.Tx) error) error {
	var version int64
	err := w.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := write(tx); err != nil {
			return err
		}
		return tx.NewRaw("UPDATE config_state SET config_version = config_version + 1, rules_version = rules_version + 1 RETURNING config_version").Scan(ctx, &version)
	})
	if err != nil {
		return err
	}
	event, err := json.Marshal(map[string]any{"configVersion": fmt.Sprint(version)})
	if err != nil {
		return err
	}
	// The engine subscribes in the background, so an event right after its start may come too early.
	for ctx.Err() == nil {
		if err := w.conn.Publish(ctx, "operator.config.updated", event, ""); err != nil {
			return err
		}
		if w.serves(ctx, version) {
			return nil
		}
	}
	return fmt.Errorf("the engine does not serve version %d: %w", version, ctx.Err())
}

func (w *world) serves(ctx context.Context, version int64) bool {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	return w.supply.Await(ctx, version)
}

// say publishes the bind state of an operator and returns when the engine knows it.
func (w *world) say(ctx context.Context, operator uuid.UUID, bind routing.BindState, name string) error {
	event, err := json.Marshal(map[string]any{"operatorId": operator, "status": name, "occurredAt": time.Now().UTC()})
	if err != nil {
		return err
	}
	if err := w.conn.Publish(ctx, bus.HealthSubject+"."+operator.String(), event, ""); err != nil {
		return err
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for w.health.Get(operator).Bind != bind {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the engine does not know that %s is %s: %w", operator, name, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}
