package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"github.com/nats-io/nats.go"

	"trunkline/services/platform/e164"
)

// subjects are where a state can be published: the plain one, which neighbours use and the engine forwards, and
// the operator's own in the reduced stream.
var subjects = []struct {
	name string
	of   func(operator string) string
}{
	{"operator.health", func(string) string { return "operator.health" }},
	{"operator.health.<id>", func(operator string) string { return "operator.health." + operator }},
}

// unboundRow is the time from publishing UNBOUND to the first answer with another operator, and from BOUND to
// the first answer with the old one.
type unboundRow struct {
	subject, mode string
	out, back     latencies
}

func measureUnbound(ctx context.Context, b *bench) ([]section, []target, error) {
	var rows []unboundRow
	for _, mode := range modes {
		p, err := b.process(ctx, mode)
		if err != nil {
			return nil, nil, err
		}
		conn, err := nats.Connect(p.natsURL, nats.NoReconnect())
		if err != nil {
			return nil, nil, err
		}
		for _, subject := range subjects {
			b.note("%d rounds on %s, rules in %s", b.options.unbound, subject.name, mode)
			w := newWatcher(p, conn, subject.of)
			row := unboundRow{subject: subject.name, mode: mode}
			row.out, row.back, err = w.rounds(ctx, b.options.unbound)
			w.close()
			if err != nil {
				break
			}
			rows = append(rows, row)
		}
		conn.Close()
		if err != nil {
			return nil, nil, fmt.Errorf("rules in %s: %w", mode, err)
		}
	}
	sections, targets := unboundReport(b, rows)
	return sections, targets, nil
}

// watcher takes an operator out, waits for the answer to change, and brings it back.
type watcher struct {
	conn    *nats.Conn
	subject func(operator string) string
	numbers []e164.Number
	clients []*http.Client
	client  *selectClient
}

func newWatcher(p *process, conn *nats.Conn, subject func(string) string) *watcher {
	w := &watcher{conn: conn, subject: subject, numbers: p.pool, clients: httpClients(true, 1)}
	w.client = selectClients(protocols[0], w.clients, p.url)[0]
	return w
}

func (w *watcher) close() { closeIdle(w.clients) }

func (w *watcher) rounds(ctx context.Context, n int) (out, back latencies, err error) {
	var outs, backs []time.Duration
	for i := range n {
		number := w.numbers[i%len(w.numbers)]
		winner, err := w.ask(ctx, number)
		if err != nil {
			return nil, nil, err
		}
		gone, err := w.until(ctx, number, winner, "UNBOUND", false)
		if err != nil {
			return nil, nil, err
		}
		again, err := w.until(ctx, number, winner, "BOUND", true)
		if err != nil {
			return nil, nil, err
		}
		outs, backs = append(outs, gone), append(backs, again)
	}
	return sortLatencies(outs), sortLatencies(backs), nil
}

// effectLimit is how long a published state may take to have an effect; beyond it something is broken.
const effectLimit = 10 * time.Second

var errNoEffect = errors.New("the published state had no effect")

// until publishes a state and asks until the operator is, or is not, the answer.
func (w *watcher) until(ctx context.Context, number e164.Number, operator, status string, chosen bool) (time.Duration, error) {
	event := fmt.Sprintf(`{"operatorId":%q,"status":%q,"occurredAt":%q}`, operator, status, time.Now().UTC().Format(time.RFC3339Nano))
	start := time.Now()
	if err := w.conn.Publish(w.subject(operator), []byte(event)); err != nil {
		return 0, err
	}
	if err := w.conn.Flush(); err != nil {
		return 0, err
	}
	for time.Since(start) < effectLimit {
		answer, err := w.ask(ctx, number)
		if err != nil {
			return 0, err
		}
		if (answer == operator) == chosen {
			return time.Since(start), nil
		}
	}
	return 0, fmt.Errorf("%w within %s: %s of %s", errNoEffect, effectLimit, status, operator)
}

func (w *watcher) ask(ctx context.Context, number e164.Number) (string, error) {
	res, err := w.client.CallUnary(ctx, connect.NewRequest(question(number)))
	if err != nil {
		return "", err
	}
	return res.Msg.GetOperatorId(), nil
}

func unboundReport(b *bench, rows []unboundRow) ([]section, []target) {
	s := section{
		title: "From UNBOUND to another operator",
		notes: []string{
			fmt.Sprintf("A NATS client publishes UNBOUND for the operator that was just chosen, then one caller asks over gRPC until the answer is another one; %d rounds each. The time holds the call that found it. BOUND is the way back.", b.options.unbound),
			"The plain subject costs one hop more: the engine forwards it to the operator's own.",
		},
		columns: []string{"subject", "rules in", "UNBOUND p50", "p95", "max", "BOUND p50", "p95", "max"},
	}
	var targets []target
	for _, row := range rows {
		worst := row.out.quantile(1)
		s.rows = append(s.rows, []string{
			row.subject, row.mode,
			shortTime(row.out.quantile(0.5)), shortTime(row.out.quantile(0.95)), shortTime(worst),
			shortTime(row.back.quantile(0.5)), shortTime(row.back.quantile(0.95)), shortTime(row.back.quantile(1)),
		})
		targets = append(targets, target{
			"UNBOUND to another operator, worst, " + row.subject + ", rules in " + row.mode, "≤ 100 ms", shortTime(worst), worst <= 100*time.Millisecond,
		})
	}
	return []section{s}, targets
}
