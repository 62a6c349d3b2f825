//go:build pact

package routingfx

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/fx"
	"google.golang.org/protobuf/encoding/protojson"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/pacttest"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/routing"
	"trunkline/services/routing/decisionlog"
)

func TestProviderOfDecisionsKeepsItsPacts(t *testing.T) {
	s := pacttest.NewWorlds(t, newArchive)
	pacttest.Verify(t, pacttest.Provider{
		Name: "decision-log", URL: s.URL, Reset: s.End,
		States: map[string]pacttest.State{
			"decisions about a number were logged": pacttest.Arrange(s, decisionsLogged),
			"a page of decisions was read":         pacttest.Tell(s, pageRead),
			"it is a moment":                       pacttest.Arrange(s, itIs),
			"the caller has a role":                pacttest.Arrange(s, callerHasRole),
		},
	}, pacts)
}

// archive is the part of operator-management that keeps decisions, over a store and a bus of its own.
type archive struct {
	dir    string
	nats   *jetstream.EmbeddedServer
	app    *fx.App
	keeper *decisionlog.Keeper
	server *rpcserver.Server

	key   config.Secret
	clock *clock.Fake
	// role is that of the calls, an admin's unless a state says otherwise.
	role atomic.Uint32
}

func newArchive(ctx context.Context) (a *archive, err error) {
	a = &archive{key: config.NewSecret(strings.Repeat("k", decisionlog.MinKeyBytes)), clock: clock.NewFake(time.Now())}
	a.role.Store(uint32(caller.Admin))
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if a.dir, err = os.MkdirTemp("", "pact-"); err != nil {
		return a, err
	}
	if a.nats, err = jetstream.Embedded(filepath.Join(a.dir, "nats"), ""); err != nil {
		return a, err
	}
	platform := platformfx.DefaultConfig()
	platform.Server.Addr, platform.Server.Drain.Notice = "127.0.0.1:0", 0
	store := bunstore.DefaultConfig()
	store.URL = config.NewSecret("sqlite:" + filepath.Join(a.dir, "pact.db"))
	// The decisions of the pacts are never too old to be kept.
	kept := DecisionsConfig{Key: a.key, KeepDays: 3650}
	a.app = fx.New(
		fx.NopLogger,
		fx.Supply(slog.New(slog.DiscardHandler), platform, platformfx.Process{Name: "operator-management"}, rpcserver.Metrics{}, store, jetstream.DefaultConfig(), a.nats, kept),
		platformfx.Module, platformfx.Database, platformfx.NATS, Decisions,
		fx.Provide(func() rpcserver.Authenticator { return a }),
		fx.Decorate(migrate, func(clock.Clock) clock.Clock { return a.clock }),
		fx.Populate(&a.keeper, &a.server),
	)
	return a, a.app.Start(ctx)
}

// Authenticate implements rpcserver.Authenticator.
func (a *archive) Authenticate(context.Context, http.Header) (caller.Caller, error) {
	return caller.Caller{Name: "test", Kind: caller.Development, Role: caller.Role(a.role.Load())}, nil
}

// URL implements pacttest.World.
func (a *archive) URL() string { return a.server.URL() }

// Close implements pacttest.World.
func (a *archive) Close() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if a.app != nil {
		err = a.app.Stop(ctx)
	}
	if a.nats != nil {
		err = errors.Join(err, a.nats.Shutdown())
	}
	return errors.Join(err, os.RemoveAll(a.dir))
}

// decisionsLogged stores decisions as an engine tells them of a number, and what was reported of them, in order.
func decisionsLogged(ctx context.Context, a *archive, p struct {
	Number    e164.Number       `json:"number"`
	Decisions []json.RawMessage `json:"decisions"`
	Outcomes  []json.RawMessage `json:"outcomes"`
}) error {
	hasher := decisionlog.NewHasher(a.key)
	batch := &routingv1.DecisionBatch{}
	for _, data := range p.Decisions {
		var r routingv1.DecisionRecord
		if err := protojson.Unmarshal(data, &r); err != nil {
			return err
		}
		r.NumberHash, r.HashKeyId = hex.EncodeToString(hasher.Hash(p.Number)), hasher.KeyID()
		r.NumberPrefix, r.NumberDigits = routing.ShownPrefix(p.Number).String(), int32(len(p.Number.Raw())-len("+"))
		batch.Decisions = append(batch.Decisions, &r)
	}
	for _, data := range p.Outcomes {
		var o routingv1.ReportedOutcome
		if err := protojson.Unmarshal(data, &o); err != nil {
			return err
		}
		o.ReportId = uuid.NewString()
		batch.Outcomes = append(batch.Outcomes, &o)
	}
	return a.keeper.Store(ctx, batch)
}

// pageRead tells where the next page begins.
func pageRead(ctx context.Context, a *archive, p struct {
	Request json.RawMessage `json:"request"` // as for ListDecisions
}) (map[string]any, error) {
	var req routingv1.ListDecisionsRequest
	if err := protojson.Unmarshal(p.Request, &req); err != nil {
		return nil, err
	}
	page, err := routingv1connect.NewDecisionServiceClient(http.DefaultClient, a.URL()).ListDecisions(ctx, &req)
	if err != nil {
		return nil, err
	}
	if page.GetNextPageToken() == "" {
		return nil, errors.New("there is one page only")
	}
	return map[string]any{"the next page": page.GetNextPageToken()}, nil
}

func itIs(_ context.Context, a *archive, p struct {
	Time time.Time `json:"time"`
}) error {
	a.clock.Set(p.Time)
	return nil
}

func callerHasRole(_ context.Context, a *archive, p struct {
	Role string `json:"role"`
}) error {
	role, ok := caller.ParseRole(strings.ToLower(strings.TrimPrefix(p.Role, "ROLE_")))
	if !ok {
		return fmt.Errorf("%q is no role", p.Role)
	}
	a.role.Store(uint32(role))
	return nil
}
