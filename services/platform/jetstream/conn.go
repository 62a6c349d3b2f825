package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/propagation"
)

const (
	// apiTimeout bounds one call to the JetStream API.
	apiTimeout = 2 * time.Second
	// restoreDelay is the time between attempts to create missing streams.
	restoreDelay = 500 * time.Millisecond
)

// Conn is one connection to NATS with everything that runs over it. Create it with
// Connect. It is safe for concurrent use.
type Conn struct {
	cfg        Config
	log        *slog.Logger
	propagator propagation.TextMapPropagator
	provider   InProcessServer
	nc         *nats.Conn
	js         natsjs.JetStream

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	keeper sync.WaitGroup
	// up is our own view of the connection. The client library knows better, but it
	// holds its lock while it dials, and asking it would wait for that.
	up atomic.Bool
	// wake tells the keeper to look at what changed. It holds at most one token.
	wake chan struct{}

	mu       sync.Mutex
	closed   bool
	attached int   // connects so far
	lastErr  error // why there is no connection
	// restore asks for the streams to be created again.
	restore bool
	hooks   []*hook
	specs   map[string]StreamSpec
	subs    map[*Subscription]struct{}
	// era ends with the next connect; sessions that must not outlive a connection
	// watch it.
	era    context.Context
	endEra context.CancelFunc
}

// hook is run once for each connect; seen is the last one it was run for.
type hook struct {
	run  func()
	seen int
}

// InProcessServer gives connections to a server in the same process;
// *EmbeddedServer is one.
type InProcessServer interface {
	InProcessConn() (net.Conn, error)
}

// Option changes how Connect works.
type Option func(*Conn)

// WithPropagator sets how trace context travels in message headers. The default is
// W3C trace context.
func WithPropagator(p propagation.TextMapPropagator) Option {
	return func(c *Conn) { c.propagator = p }
}

// WithInProcessServer connects to server without a network; Config.URLs is ignored.
func WithInProcessServer(server InProcessServer) Option {
	return func(c *Conn) { c.provider = server }
}

// Connect returns at once, whether or not a server can be reached: the connection
// is made in the background and remade for ever. Only an invalid configuration is
// an error. The caller closes the connection.
func Connect(cfg Config, log *slog.Logger, opts ...Option) (*Conn, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Conn{
		cfg: cfg, log: log, propagator: propagation.TraceContext{},
		wake:  make(chan struct{}, 1),
		specs: map[string]StreamSpec{},
		subs:  map[*Subscription]struct{}{},
	}
	for _, opt := range opts {
		opt(c)
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.era, c.endEra = context.WithCancel(c.ctx)

	dialer := &backgroundDialer{ctx: c.ctx, Dialer: net.Dialer{Timeout: cfg.ConnectTimeout}}
	options := c.natsOptions()
	if c.provider != nil {
		options = append(options, nats.InProcessServer(c.provider))
	} else {
		options = append(options, nats.SetCustomDialer(dialer), nats.SkipHostLookup())
	}
	nc, err := nats.Connect(strings.Join(cfg.URLs, ","), options...)
	if err != nil {
		c.cancel()
		return nil, fmt.Errorf("configure the NATS client: %w", err)
	}
	dialer.open.Store(true)
	c.nc = nc
	if c.js, err = natsjs.New(nc, natsjs.WithDefaultTimeout(apiTimeout)); err != nil {
		nc.Close()
		c.cancel()
		return nil, fmt.Errorf("configure the JetStream client: %w", err)
	}
	c.keeper.Go(c.keep)
	return c, nil
}

// Check returns nil when JetStream answers within ctx, or within two seconds.
func (c *Conn) Check(ctx context.Context) error {
	if err := c.connection(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	if _, err := c.js.AccountInfo(ctx); err != nil {
		return ErrUnavailable.Wrap(err)
	}
	return nil
}

// AwaitConnected returns nil once there is a connection, or ErrUnavailable when ctx
// ends or the connection is closed before. Processes that can go on without NATS
// need not call it.
func (c *Conn) AwaitConnected(ctx context.Context) error {
	for {
		era := c.currentEra()
		err := c.connection()
		if err == nil {
			return nil
		}
		select {
		case <-era.Done():
			if c.ctx.Err() != nil {
				return err
			}
		case <-ctx.Done():
			return err
		}
	}
}

// OnConnect adds a hook that runs after every connect and reconnect, and soon
// after OnConnect itself when there is a connection already. Hooks run one after
// the other, in the order in which they were added, and must return soon.
func (c *Conn) OnConnect(run func()) {
	c.mu.Lock()
	h := &hook{run: run, seen: c.attached}
	connected := c.up.Load() && c.attached > 0
	if connected {
		h.seen--
	}
	c.hooks = append(c.hooks, h)
	c.mu.Unlock()
	if connected {
		c.nudge()
	}
}

// Close stops every subscription, lets running handlers finish within
// Config.DrainTimeout and closes the connection. It may be called twice.
func (c *Conn) Close() {
	c.mu.Lock()
	c.closed = true
	subs := make([]*Subscription, 0, len(c.subs))
	for s := range c.subs {
		subs = append(subs, s)
	}
	c.mu.Unlock()
	for _, s := range subs {
		s.beginStop()
	}
	for _, s := range subs {
		s.Stop()
	}
	if c.up.Load() {
		// Acknowledgements are buffered: without the flush the last ones are lost.
		_ = c.nc.FlushTimeout(apiTimeout)
	}
	c.cancel()
	c.keeper.Wait()
	c.up.Store(false)
	c.nc.Close()
}

// keep runs the hooks and restores streams, away from the client's callbacks.
func (c *Conn) keep() {
	retry := time.NewTimer(0)
	<-retry.C
	defer retry.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.wake:
		case <-retry.C:
		}
		if err := c.restoreStreams(); err != nil {
			c.log.Warn("streams could not be restored", "error", err)
			retry.Reset(restoreDelay)
		}
		c.runHooks()
	}
}

func (c *Conn) runHooks() {
	c.mu.Lock()
	var due []*hook
	for _, h := range c.hooks {
		if h.seen < c.attached {
			h.seen = c.attached
			due = append(due, h)
		}
	}
	c.mu.Unlock()
	for _, h := range due {
		h.run()
	}
}

func (c *Conn) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// connected may run before Connect has returned, so it uses nc and not c.nc.
func (c *Conn) connected(nc *nats.Conn) {
	c.up.Store(true)
	c.mu.Lock()
	c.attached++
	c.restore = true
	c.endEra()
	c.era, c.endEra = context.WithCancel(c.ctx)
	times := c.attached
	c.mu.Unlock()
	c.log.Info("connected to NATS", "server", c.serverName(nc), "times", times)
	c.nudge()
}

// currentEra returns a context that ends with the next connect.
func (c *Conn) currentEra() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.era
}

func (c *Conn) disconnected(err error) {
	c.up.Store(false)
	c.keepError(err)
	if c.ctx.Err() == nil {
		c.log.Warn("lost the connection to NATS", "error", err)
	}
}

func (c *Conn) attemptFailed(err error) {
	if errors.Is(err, errDeferred) || c.ctx.Err() != nil {
		return
	}
	c.keepError(err)
	c.log.Debug("could not connect to NATS", "error", err)
}

func (c *Conn) keepError(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastErr = err
}

func (c *Conn) serverName(nc *nats.Conn) string {
	if c.provider != nil {
		return "in process"
	}
	return nc.ConnectedUrlRedacted()
}

// connection returns nil while there is one.
func (c *Conn) connection() error {
	if c.up.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lastErr != nil {
		return ErrUnavailable.Wrap(fmt.Errorf("not connected to NATS: %w", c.lastErr))
	}
	return ErrUnavailable.Wrap(errors.New("not connected to NATS"))
}
