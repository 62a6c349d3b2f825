package accessfx

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"trunkline/services/access"
	"trunkline/services/access/jwks"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
)

// issuer verifies the tokens of the one issuer that is configured, which can change while the process runs.
type issuer struct {
	accounts   watcher
	clock      clock.Clock
	log        *slog.Logger
	registerer prometheus.Registerer
	current    atomic.Pointer[jwks.Verifier] // nil: no tokens are accepted

	mu      sync.Mutex
	life    context.Context    //nolint:containedctx // that of the process, from its start on; nil before
	stop    context.CancelFunc // of the verifier that runs
	running sync.WaitGroup
}

func newIssuer(lc fx.Lifecycle, c Config, w watcher, clk clock.Clock, log *slog.Logger, reg prometheus.Registerer) (*issuer, error) {
	i := &issuer{accounts: w, clock: clk, log: log, registerer: replacing{reg}, stop: func() {}}
	if c.Development {
		return i, nil
	}
	life, end := context.WithCancel(context.Background())
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			i.mu.Lock()
			defer i.mu.Unlock()
			i.life = life
			i.run(i.current.Load())
			return nil
		},
		OnStop: func(context.Context) error {
			end()
			i.running.Wait()
			return nil
		},
	})
	return i, i.set(c.JWT)
}

// run keeps the keys of a verifier fresh instead of those of the former one. It needs mu.
func (i *issuer) run(v *jwks.Verifier) {
	i.stop()
	i.stop = func() {}
	if i.life == nil || v == nil {
		return
	}
	var ctx context.Context
	ctx, i.stop = context.WithCancel(i.life)
	i.running.Go(func() { v.Run(ctx) })
}

// set puts another issuer in force. Its keys are fetched at once, and tokens that come before wait for them.
func (i *issuer) set(c jwks.Config) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	var next *jwks.Verifier
	if c.Enabled() {
		var err error
		if next, err = jwks.New(c, i.clock, i.registerer, i.log); err != nil {
			return err
		}
	}
	i.current.Store(next)
	i.run(next)
	return nil
}

// Verify implements access.Tokens. The account of a token must live: the issuer does not know when it is deleted.
func (i *issuer) Verify(ctx context.Context, text string) (caller.Caller, error) {
	v := i.current.Load()
	if v == nil {
		return caller.Caller{}, access.Invalid("Tokens are not accepted here. Send an API key, which starts with tl_.")
	}
	who, err := v.Verify(ctx, text)
	if err != nil || !who.Bound() {
		return who, err
	}
	if err := i.accounts.CheckAccount(who.Account); err != nil {
		return caller.Caller{Name: who.Name}, err
	}
	return who, nil
}

// Check tells whether the issuer's keys can be had.
func (i *issuer) Check(ctx context.Context) error {
	if v := i.current.Load(); v != nil {
		return v.Check(ctx)
	}
	return nil
}

// replacing lets a later verifier take the place of a former one's metrics.
type replacing struct{ prometheus.Registerer }

// Register implements prometheus.Registerer.
func (r replacing) Register(c prometheus.Collector) error {
	err := r.Registerer.Register(c)
	if already := (prometheus.AlreadyRegisteredError{}); errors.As(err, &already) {
		r.Unregister(already.ExistingCollector)
		err = r.Registerer.Register(c)
	}
	return err
}
