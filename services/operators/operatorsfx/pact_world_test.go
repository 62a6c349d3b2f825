//go:build pact

package operatorsfx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/fx"

	"trunkline/services/operators/demo"
	"trunkline/services/operators/operatorsfx"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
)

// world is a whole operator-management process with a store and a bus of its own.
type world struct {
	dir      string
	nats     *jetstream.EmbeddedServer
	app      *fx.App
	conn     *jetstream.Conn
	importer *operatorsfx.Importer
	server   *rpcserver.Server
	event    *jetstream.Message
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
	platform := platformfx.DefaultConfig()
	platform.Server.Addr, platform.Server.Drain.Notice = "127.0.0.1:0", 0
	store := bunstore.DefaultConfig()
	store.URL = config.NewSecret("sqlite:" + filepath.Join(w.dir, "pact.db"))
	w.app = fx.New(
		fx.NopLogger,
		fx.Supply(slog.New(slog.DiscardHandler), platform, platformfx.Process{Name: "operator-management"}, store, jetstream.DefaultConfig(), w.nats),
		platformfx.Module, platformfx.Database, platformfx.NATS, fx.Decorate(migrated),
		operatorsfx.Module, operatorsfx.Standalone,
		fx.Populate(&w.conn, &w.importer, &w.server),
	)
	if err = w.app.Start(ctx); err != nil {
		return w, err
	}
	// The engines make this stream, and none runs here.
	return w, w.conn.EnsureStreams(ctx, []jetstream.StreamSpec{{
		Name: "OPERATOR_HEALTH", Subjects: []string{"operator.health.>"}, MaxAge: time.Hour, MaxPerSubject: 1,
	}})
}

// URL implements pacttest.World.
func (w *world) URL() string { return w.server.URL() }

// Close implements pacttest.World.
func (w *world) Close() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if w.app != nil {
		err = w.app.Stop(ctx)
	}
	if w.nats != nil {
		err = errors.Join(err, w.nats.Shutdown())
	}
	return errors.Join(err, os.RemoveAll(w.dir))
}

type operatorParams struct {
	OperatorID string `json:"operatorId"`
}

// operatorIsBound keeps the event with which the sessions of a development process say BOUND: until there is
// a connector, they are who publishes operator.health.
func operatorIsBound(ctx context.Context, w *world, p operatorParams) error {
	if err := demo.NewSessions(w.conn, slog.New(slog.DiscardHandler)).Bind(ctx, []string{p.OperatorID}); err != nil {
		return err
	}
	return w.keep(ctx, func(jetstream.Message) bool { return true })
}

// neighbourSaidUnbound publishes UNBOUND by hand, with a plain client, and keeps the heartbeat with which the
// sessions repeat it: what engines go on hearing must be what the neighbour said.
func neighbourSaidUnbound(ctx context.Context, w *world, p operatorParams) error {
	sessions := demo.NewSessions(w.conn, slog.New(slog.DiscardHandler))
	if err := sessions.Bind(ctx, []string{p.OperatorID}); err != nil {
		return err
	}
	event, err := json.Marshal(map[string]any{"operatorId": p.OperatorID, "status": "UNBOUND", "occurredAt": time.Now().UTC()})
	if err != nil {
		return err
	}
	neighbour, err := nats.Connect("", nats.InProcessServer(w.nats))
	if err != nil {
		return err
	}
	defer neighbour.Close()
	if _, err := neighbour.RequestWithContext(ctx, "operator.health."+p.OperatorID, event); err != nil {
		return fmt.Errorf("the stream did not take the event: %w", err)
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		sessions.Run(running)
	}()
	err = w.keep(ctx, func(m jetstream.Message) bool { return m.Sequence > 2 }) // 1 is BOUND, 2 is the neighbour's
	stop()
	<-ended
	return err
}

// keep waits for an event of the stream that is wanted.
func (w *world) keep(ctx context.Context, wanted func(jetstream.Message) bool) error {
	found := make(chan jetstream.Message, 1)
	subscription, err := w.conn.Follow(ctx, jetstream.FollowSpec{Stream: "OPERATOR_HEALTH", Policy: jetstream.LastPerSubject}, func(_ context.Context, m jetstream.Message) {
		if wanted(m) {
			select {
			case found <- m:
			default: // one is enough
			}
		}
	})
	if err != nil {
		return err
	}
	defer subscription.Stop()
	select {
	case m := <-found:
		w.event = &m
		return nil
	case <-ctx.Done():
		return fmt.Errorf("no event came: %w", ctx.Err())
	}
}
