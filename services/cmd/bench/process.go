package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rediscache"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/routing/routingfx"
	"trunkline/services/routing/rpc"
)

// process is a routing engine in this process, wired as in dev: SQLite, embedded NATS, in-process cache and
// operators that stay bound.
type process struct {
	shape
	// credential is what callers send; none is asked for without guards.
	credential []string
	app        *fx.App
	nats       *jetstream.EmbeddedServer
	server     *rpcserver.Server
	metrics    prometheus.Gatherer
	handler    *rpc.Handler
	empty      *emptyHandlers
	// pool holds the numbers that are asked again and again.
	pool    []e164.Number
	url     string
	natsURL string
}

const (
	startLimit = time.Minute
	stopLimit  = 30 * time.Second
)

func startProcess(ctx context.Context, b *bench, s shape, log *slog.Logger) (p *process, err error) {
	p = &process{shape: s, empty: newEmptyHandlers(), pool: b.carrier.numbers(b.options.pool, b.carrier.skewed())}
	name := "bench-" + s.mode
	engine := routingfx.DefaultConfig()
	engine.Table = s.mode
	edge := unguarded()
	if s.guarded {
		name += "-guarded"
		engine.DecisionLog.Key = randomSecret()
		if edge, p.credential, err = guards(ctx, b.database); err != nil {
			return nil, err
		}
	}
	if p.nats, err = jetstream.Embedded(filepath.Join(b.dir, name), "127.0.0.1:0"); err != nil {
		return nil, err
	}
	c := platformfx.DefaultConfig()
	c.Server.Addr, c.Server.Drain.Notice = "127.0.0.1:0", 0
	var conn *jetstream.Conn
	p.app = fx.New(
		fx.Supply(c, platformfx.Process{Name: name, Log: io.Discard}, log),
		fx.Supply(engine, databaseConfig(b.database), jetstream.DefaultConfig(), p.nats),
		platformfx.Quiet(log),
		platformfx.Module, platformfx.Database, platformfx.NATS,
		fx.Provide(func(clk clock.Clock) (routingfx.SharedCache, error) {
			return rediscache.NewMemory(b.options.cacheItems, clk)
		}),
		fx.Provide(fx.Annotate(func() func(http.Handler) http.Handler { return p.empty.before }, fx.ResultTags(`group:"middleware"`))),
		edge,
		routingfx.Module,
		fx.Invoke(func(lc fx.Lifecycle, conn *jetstream.Conn) { bindOperators(lc, conn, log, b.carrier) }),
		fx.Populate(&p.server, &p.handler, &conn, &p.metrics),
		fx.StartTimeout(startLimit), fx.StopTimeout(stopLimit),
	)
	if err := p.app.Err(); err != nil {
		return nil, errors.Join(err, p.nats.Shutdown())
	}
	starting, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := p.app.Start(starting); err != nil {
		return nil, errors.Join(err, p.nats.Shutdown())
	}
	p.url, p.natsURL = p.server.URL(), p.nats.URL()
	if err := p.ready(starting); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func bindOperators(lc fx.Lifecycle, conn *jetstream.Conn, log *slog.Logger, c *carrier) {
	b := &bound{conn: conn, log: log}
	for i := range c.operators {
		b.operators = append(b.operators, c.operators[i].ID.String())
	}
	lc.Append(fx.StartHook(b.begin))
	platformfx.Background(lc, b.repeat)
}

// ready waits until the rules are in force, the health of every operator has arrived and callers are known, and keeps
// one answer for the empty handlers to give.
func (p *process) ready(ctx context.Context) error {
	clients := httpClients(false, 1)
	defer closeIdle(clients)
	caller := selectClients(connectProtobuf, clients, p.url)[0]
	last := errors.New("no answer yet")
	for {
		unknown := 0
		var res *routingv1.SelectOperatorResponse
		for _, number := range p.pool {
			if res, last = p.handler.SelectOperator(ctx, question(number)); last != nil {
				break
			}
			if res.GetMeta().GetHealthUnknown() {
				unknown++
			}
		}
		if last == nil && unknown == 0 {
			if _, last = caller.CallUnary(ctx, p.request(question(p.pool[0]))); last == nil {
				return p.empty.answer(res)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the engine did not become ready: %d operators of unknown health, last error: %w", unknown, last)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *process) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	return errors.Join(p.app.Stop(ctx), p.nats.Shutdown())
}

// question asks for a number as the orchestrator does.
func question(number e164.Number) *routingv1.SelectOperatorRequest {
	return &routingv1.SelectOperatorRequest{
		To: number.Raw(), AccountId: account.String(), MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS,
	}
}

// request shows the credential of the process, where it wants one.
func (p *process) request(q *routingv1.SelectOperatorRequest) *connect.Request[routingv1.SelectOperatorRequest] {
	req := connect.NewRequest(q)
	if p.credential != nil {
		req.Header()["Authorization"] = p.credential
	}
	return req
}

func questions(numbers []e164.Number) []*routingv1.SelectOperatorRequest {
	all := make([]*routingv1.SelectOperatorRequest, len(numbers))
	for i := range numbers {
		all[i] = question(numbers[i])
	}
	return all
}
