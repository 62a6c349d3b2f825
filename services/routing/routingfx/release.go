package routingfx

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/release"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/routing"
	"trunkline/services/routing/database"
	"trunkline/services/routing/metrics"
	"trunkline/services/routing/releases"
)

// released is what an engine in release mode has; it is nil inside in the other modes.
type released struct {
	supply   *routing.ReleaseSupply
	follower *releases.Follower
}

type releasedIn struct {
	fx.In
	Config     Config
	Store      *database.Store
	Management management
	Conn       *jetstream.Conn
	Health     *routing.HealthView
	Metrics    *metrics.Metrics
	Registerer prometheus.Registerer
	Poke       poke
	Clock      clock.Clock
	Log        *slog.Logger
}

func newReleased(in releasedIn) (released, error) {
	if in.Config.Table != TableRelease {
		return released{}, nil
	}
	c := in.Config.Release
	keys, err := release.NewKeys(c.PublicKeys...)
	if err != nil {
		return released{}, err
	}
	folder, err := releases.OpenFolder(c.Folder)
	if err != nil {
		return released{}, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "" // it is for people only
	}
	var substitute routing.OperatorSource
	if in.Management.Client != nil {
		substitute = in.Management
	}
	var r released
	r.supply = routing.NewReleaseSupply(in.Store, substitute, in.Health, in.Clock.Now, in.Log, func() {
		in.Metrics.ConfigApplied()
		in.Poke.tell()
		r.follower.Wake()
	})
	counted, err := metrics.NewReleases(in.Registerer, r.supply.Serves, in.Clock)
	if err != nil {
		return released{}, err
	}
	settings := releases.Settings{Environment: c.Environment, Keys: keys, MaxBytes: c.MaxArtifactBytes, Engine: uuid.New(), Host: host}
	r.follower = releases.New(settings, in.Conn, folder, r.supply, in.Health, in.Clock, in.Log, counted)
	return r, nil
}

// firstTable bounds how long a start waits for the table of what the folder holds. A larger one is built in the background,
// and the engine becomes ready with it.
const firstTable = 5 * time.Second

// restore makes the engine serve what its folder holds, and follow what is published from then on.
func (r released) restore(lc fx.Lifecycle) {
	if r.follower == nil {
		return
	}
	lc.Append(fx.StartHook(r.follower.Recall))
	platformfx.Background(lc, r.follower.Run)
	lc.Append(fx.StartHook(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, firstTable)
		defer cancel()
		select {
		case <-r.follower.Restored():
		case <-ctx.Done():
		}
	}))
}

// ensure makes what releases need in NATS.
func (r released) ensure(ctx context.Context, conn *jetstream.Conn) error {
	if r.follower == nil {
		return nil
	}
	return errors.Join(conn.EnsureStreams(ctx, release.Streams()), conn.EnsureBucket(ctx, release.Bucket, 0), conn.EnsureObjects(ctx, release.Store, 0))
}

// follow reads manifests until life ends. Until ctx ends it waits for the first release.
func (r released) follow(ctx, life context.Context, conn *jetstream.Conn) error {
	if r.follower == nil {
		return nil
	}
	if _, err := r.follower.Start(life, conn); err != nil {
		return err
	}
	r.await(ctx)
	return nil
}

// await waits until a release serves; false means that ctx ended before.
func (r released) await(ctx context.Context) bool {
	if r.supply == nil {
		return true
	}
	select {
	case <-r.supply.Released():
		return true
	case <-ctx.Done():
		return false
	}
}

func newReleaseDependencies(r released) []rpcserver.Dependency {
	if r.follower == nil {
		return nil
	}
	check := func(ctx context.Context) error { return cmp.Or(r.follower.Check(ctx), r.supply.CheckLive(ctx)) }
	return []rpcserver.Dependency{{Name: "release", Check: check}}
}
