//go:build pact

package accessfx

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"
	"go.uber.org/fx"

	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	"trunkline/migrations"
	"trunkline/services/access"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
)

// world is a process with nothing but access, which asks for credentials, and an empty database of its own.
type world struct {
	dir string
	app *fx.App
	// front puts the credential of the interaction's caller into its request: the verifier has none.
	front *httptest.Server
	// shown is an http.Header: that of an admin of no account, unless a state says otherwise.
	shown atomic.Value

	server *rpcserver.Server
	admin  *access.KeyAdmin

	// The states call as the admin does.
	accounts accessv1connect.AccountServiceClient
	keys     accessv1connect.ApiKeyServiceClient
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
	platform := platformfx.DefaultConfig()
	platform.Server.Addr, platform.Server.Drain.Notice = "127.0.0.1:0", 0
	store := bunstore.DefaultConfig()
	store.URL = config.NewSecret("sqlite:" + filepath.Join(w.dir, "pact.db"))
	w.app = fx.New(
		fx.NopLogger,
		fx.Supply(slog.New(slog.DiscardHandler), platform, platformfx.Process{Name: "access"}, withKeys(), store, rpcserver.Metrics{}),
		platformfx.Database, Module, Services, platformfx.Module, fx.Decorate(migrated),
		fx.Populate(&w.server, &w.admin),
	)
	if err = w.app.Start(ctx); err != nil {
		return w, err
	}
	_, text, err := w.admin.Bootstrap(ctx, access.NewAPIKey{Name: "first", Role: caller.Admin}, true)
	if err != nil {
		return w, err
	}
	header := http.Header{"Authorization": {"Bearer " + text.Reveal()}}
	w.shown.Store(header)
	asAdmin := &http.Client{Transport: shows{func() http.Header { return header }}}
	w.accounts = accessv1connect.NewAccountServiceClient(asAdmin, w.server.URL())
	w.keys = accessv1connect.NewApiKeyServiceClient(asAdmin, w.server.URL())
	target, err := url.Parse(w.server.URL())
	if err != nil {
		return w, err
	}
	w.front = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(target) },
		Transport: shows{func() http.Header { return w.shown.Load().(http.Header) }},
	})
	return w, nil
}

// migrated gives the database its tables.
func migrated(db *bun.DB) (*bun.DB, error) {
	m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: migrations.SQLite, Dir: "sqlite"}, clock.System())
	if err == nil {
		_, err = m.Up(context.Background())
	}
	return db, err
}

// shows adds headers to each request.
type shows struct{ header func() http.Header }

// RoundTrip implements http.RoundTripper.
func (s shows) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	maps.Copy(r.Header, s.header())
	return http.DefaultTransport.RoundTrip(r)
}

// URL implements pacttest.World.
func (w *world) URL() string { return w.front.URL }

// Close implements pacttest.World.
func (w *world) Close() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if w.front != nil {
		w.front.Close()
	}
	if w.app != nil {
		err = w.app.Stop(ctx)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return errors.Join(err, os.RemoveAll(w.dir))
}
