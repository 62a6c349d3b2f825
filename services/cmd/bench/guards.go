package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"

	"trunkline/services/access"
	"trunkline/services/access/accessfx"
	accessdb "trunkline/services/access/database"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/telemetry"
)

// unguarded asks nobody for a credential and limits nobody.
func unguarded() fx.Option {
	return fx.Provide(func() rpcserver.Authenticator {
		return rpcserver.Everybody(caller.Caller{Name: "bench", Kind: caller.Development, Role: caller.Viewer})
	})
}

// guards are what a production process has more: API keys, limits of the principal and of the account, the log of refusals,
// and traces, of which the usual share is recorded and given to an exporter that drops them. It also returns the header of
// a viewer who is bound to the account that asks. The limits are the highest there are, so that they cost what they
// cost and refuse nobody.
func guards(ctx context.Context, database string) (option fx.Option, credential []string, err error) {
	c := accessfx.DefaultConfig()
	c.Keys.Pepper = randomSecret()
	most := access.Limit{Rate: 1_000_000, Burst: 1_000_000}
	c.Limits.PerPrincipal, c.Limits.PerAccount = most, most
	key, err := viewerKey(ctx, database, c.Keys.Pepper)
	if err != nil {
		return nil, nil, err
	}
	return fx.Options(
		fx.Supply(c),
		accessfx.Module,
		fx.Decorate(sampledTraces),
	), []string{"Bearer " + key.Reveal()}, nil
}

// viewerKey makes the account that asks, and a key of it.
func viewerKey(ctx context.Context, file string, secret config.Secret) (key access.Key, err error) {
	pepper, err := access.NewPepper(secret)
	if err != nil {
		return access.Key{}, err
	}
	db, err := bunstore.Open(ctx, databaseConfig(file), slog.New(slog.DiscardHandler))
	if err != nil {
		return access.Key{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store, now := accessdb.New(db, bunstore.NewReader(db)), clock.System().Now
	admin := access.Request{Caller: caller.Caller{Name: asker.Actor, Kind: caller.Development, Role: caller.Admin}}
	if _, err := access.NewAccountAdmin(store, now).Create(ctx, admin, access.Account{ID: account, Name: "bench"}); err != nil {
		return access.Key{}, err
	}
	_, key, err = access.NewKeyAdmin(store, pepper, now).Create(ctx, admin, access.NewAPIKey{Name: "bench", Role: caller.Viewer, Account: account})
	return key, err
}

// sampledTraces records the share of traces that a process records by default.
func sampledTraces(lc fx.Lifecycle, _ trace.TracerProvider) (trace.TracerProvider, trace.Tracer) {
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(tracetest.NewNoopExporter()),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(telemetry.DefaultTraceConfig().SampleRatio))),
	)
	lc.Append(fx.StopHook(provider.Shutdown))
	return provider, provider.Tracer("trunkline/bench")
}

// randomSecret has 260 random bits.
func randomSecret() config.Secret { return config.NewSecret(rand.Text() + rand.Text()) }

func sampledShare() string {
	return fmt.Sprintf("%.0f %%", 100*telemetry.DefaultTraceConfig().SampleRatio)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// logged tells whether the decision log kept up with the calls.
func (p *process) logged() (string, error) {
	calls, err := p.sum("routing_engine_grpc_requests_total")
	if err != nil {
		return "", err
	}
	dropped, err := p.sum("routing_engine_decision_log_dropped_total")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Of %s calls %s are not in the log, because too many waited.", count(int(calls)), count(int(dropped))), nil
}

// sum adds all values of a counter.
func (p *process) sum(name string) (total float64, err error) {
	families, err := p.metrics.Gather()
	if err != nil {
		return 0, err
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				total += m.GetCounter().GetValue()
			}
		}
	}
	return total, nil
}
