package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"connectrpc.com/connect"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/routing/routingfx"
)

// batchRow is one way to ask many questions at once.
type batchRow struct {
	name, mode string
	size       int
	loop       loop // calls are batches
}

// batchCallers keeps the cores busy while one batch is decoded and encoded, which is not parallel.
const batchCallers = 2

func measureBatch(ctx context.Context, b *bench) ([]section, []target, error) {
	var rows []batchRow
	for _, mode := range modes {
		p, err := b.process(ctx, mode)
		if err != nil {
			return nil, nil, err
		}
		numbers := b.carrier.numbers(b.options.batch, b.carrier.uniform())
		if mode == routingfx.TableDatabase {
			for i := range numbers {
				numbers[i] = p.pool[i%len(p.pool)]
			}
		}
		req := &routingv1.BatchSelectOperatorsRequest{Requests: questions(numbers)}
		clients := httpClients(true, batchCallers)
		defer closeIdle(clients)
		client := routingv1connect.NewRoutingServiceClient(clients[0], p.url, connect.WithGRPC(), noGzip)
		for _, way := range []struct {
			name string
			call func(context.Context, *routingv1.BatchSelectOperatorsRequest) (*routingv1.BatchSelectOperatorsResponse, error)
		}{
			{"handler, in process", p.handler.BatchSelectOperators},
			{"gRPC (h2c)", client.BatchSelectOperators},
		} {
			b.note("batches of %d, rules in %s, %s", b.options.batch, mode, way.name)
			row := batchRow{name: way.name, mode: mode, size: b.options.batch}
			if row.loop, err = batchLoop(ctx, b, req, way.call); err != nil {
				return nil, nil, fmt.Errorf("%s, rules in %s: %w", way.name, mode, err)
			}
			rows = append(rows, row)
		}
	}
	sections, targets := batchReport(rows)
	return sections, targets, nil
}

func batchLoop(
	ctx context.Context, b *bench, req *routingv1.BatchSelectOperatorsRequest,
	call func(context.Context, *routingv1.BatchSelectOperatorsRequest) (*routingv1.BatchSelectOperatorsResponse, error),
) (loop, error) {
	one := func(ctx context.Context, _, _ int) error {
		res, err := call(ctx, req)
		if err != nil {
			return err
		}
		for _, r := range res.GetResults() {
			if r.GetResponse() == nil {
				return fmt.Errorf("a number without an operator: %s", r.GetError().GetReason())
			}
		}
		return nil
	}
	if err := one(ctx, 0, 0); err != nil { // warms up
		return loop{}, err
	}
	runtime.GC()
	return closedLoop(ctx, batchCallers, b.options.batchTime, one)
}

func batchReport(rows []batchRow) ([]section, []target) {
	cores := float64(runtime.GOMAXPROCS(0))
	s := section{
		title: "BatchSelectOperators",
		notes: []string{
			fmt.Sprintf("%d callers with batches of %s. Per core is decisions per second divided by the cores in use; per CPU second is independent of what else the machine did.", batchCallers, count(rows[0].size)),
			"In process is the handler itself: questions checked, decided and turned into answer messages. Over gRPC the client's encoding and decoding take part of the same cores. Database mode answers from its warm cache.",
		},
		columns: []string{"way", "rules in", "decisions/s", "per core", "per CPU second"},
	}
	var targets []target
	for _, row := range rows {
		decisions := row.loop.calls * row.size
		rate := perSecond(decisions, row.loop.elapsed)
		perCPU := perSecond(decisions, max(row.loop.cpu, time.Microsecond))
		s.rows = append(s.rows, []string{row.name, row.mode, count(int(rate)), count(int(rate / cores)), count(int(perCPU))})
		if row.mode == routingfx.TableMemory {
			targets = append(targets, target{
				"batch decisions/s per core, rules in memory, " + row.name, "≥ 500,000", count(int(rate / cores)), rate/cores >= 500_000,
			})
		}
	}
	return []section{s}, targets
}
