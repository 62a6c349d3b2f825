package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/uptrace/bun"
	"google.golang.org/protobuf/proto"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/migrations"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
	"trunkline/services/routing/decisionlog"
)

// measureUnits measures what figures for many engines are computed from, as far as other parts do not.
func measureUnits(ctx context.Context, b *bench) ([]section, []target, error) {
	if err := b.folder(); err != nil {
		return nil, nil, err
	}
	s := section{
		title: "Cost of one unit",
		notes: []string{
			"What docs/explanation/scaling.md multiplies. The decision log goes through `decisionlog.Writer` into batches as NATS gets them, and from there through `decisionlog.Keeper` into PostgreSQL on a socket of this machine, one batch at a time and without waiting for the disk; processor time is that of the engine's or the keeper's side alone.",
		},
		columns: []string{"unit", "figure", "of"},
	}
	size := b.options.sizes[1]
	b.note("an artifact of %d prefixes over NATS", size)
	c := newCarrier(size)
	rows, err := fetchUnits(ctx, b, c)
	if err != nil {
		return nil, nil, fmt.Errorf("artifact over NATS: %w", err)
	}
	s.rows = append(s.rows, rows...)
	b.note("log of %d decisions", b.options.logged)
	rows, err = logUnits(ctx, b, c)
	switch {
	case errors.Is(err, errMissing):
		s.notes = append(s.notes, fmt.Sprintf("The decision log: %s.", err))
	case err != nil:
		return nil, nil, fmt.Errorf("decision log: %w", err)
	}
	s.rows = append(s.rows, rows...)
	return []section{s}, nil, nil
}

// fetchUnits counts what an engine receives when it fetches an artifact.
func fetchUnits(ctx context.Context, b *bench, c *carrier) (rows [][]string, err error) {
	a, err := c.artifact(b.dir)
	if err != nil {
		return nil, err
	}
	server, err := jetstream.Embedded(filepath.Join(b.dir, "units"), "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Shutdown()) }()
	conn, err := nats.Connect(server.URL())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	js, err := natsjs.New(conn)
	if err != nil {
		return nil, err
	}
	store, err := js.CreateObjectStore(ctx, natsjs.ObjectStoreConfig{Bucket: release.Store})
	if err != nil {
		return nil, err
	}
	f, err := os.Open(a.file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	if _, err := store.Put(ctx, natsjs.ObjectMeta{Name: a.Digest}, f); err != nil {
		return nil, err
	}
	before, start := conn.Stats().InBytes, time.Now()
	got, err := store.GetBytes(ctx, a.Digest)
	if err != nil {
		return nil, err
	}
	took, bytes := time.Since(start), conn.Stats().InBytes-before
	of := fmt.Sprintf("artifact of %s rules and %s rates, %s as stored", count(int(a.Rules)), count(int(a.Rates)), count(len(got)))
	return [][]string{
		{"bytes over NATS, per engine and publish", count(int(bytes)), of},
		{"time to fetch it", shortTime(took), "the same"},
	}, nil
}

// batches keeps what a Writer sends.
type batches struct{ all chan []byte }

// Publish implements decisionlog.Publisher.
func (p batches) Publish(_ context.Context, _ string, data []byte, _ string) error {
	p.all <- append([]byte(nil), data...)
	return nil
}

// tableDecider decides by a table that stays.
type tableDecider struct{ table *routing.Table }

// Explain implements decisionlog.Decider.
func (d tableDecider) Explain(_ context.Context, q *routing.Query, into *routing.Decision, tr *routing.Trace) error {
	return d.table.Decide(q, into, tr)
}

// logUnits logs decisions, stores them and reads them as a replay does.
func logUnits(ctx context.Context, b *bench, c *carrier) (rows [][]string, err error) {
	sent, cpu, err := logBatches(ctx, b, c)
	if err != nil {
		return nil, err
	}
	var bytes int
	for _, batch := range sent {
		bytes += len(batch)
	}
	n := b.options.logged
	of := count(n) + " decisions in " + count(len(sent)) + " batches"
	rows = [][]string{
		{"bytes in the stream, per decision logged", fmt.Sprintf("%.0f", float64(bytes)/float64(n)), of},
		{"engine's processor time, per decision decided and logged", fmt.Sprintf("%.2f µs", float64(cpu.Nanoseconds())/1000/float64(n)), "the same; the answer over the network is not in it"},
	}
	server, address, err := startPostgres(ctx)
	if err != nil {
		return rows, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(address)
	db, err := bunstore.Open(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: migrations.Postgres, Dir: "postgres"}, clock.System())
	if err != nil {
		return nil, err
	}
	if _, err := m.Up(ctx); err != nil {
		return nil, err
	}
	stored, err := storeUnits(ctx, db, sent, n)
	return append(rows, stored...), err
}

// logBatches decides numbers and gives the batches that the log is sent, with the processor time of it all.
func logBatches(ctx context.Context, b *bench, c *carrier) (sent [][]byte, cpu time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	n := b.options.logged
	table := c.table(time.Now())
	numbers := c.numbers(n, c.skewed())
	to := batches{make(chan []byte, n)}
	writer, err := decisionlog.NewWriter(to, decisionlog.NewHasher(randomSecret()), time.Now, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		return nil, 0, err
	}
	logged := writer.Logged(tableDecider{table})
	before := processCPU()
	running, end := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		writer.Run(running)
	}()
	defer func() {
		end()
		<-ended
	}()
	// The queue is bounded, so some are decided at a time, and their batches awaited.
	const some = 8192
	left := 0
	for i := range numbers {
		now := time.Now()
		q := routing.Query{To: numbers[i], Account: account, Type: routing.SMS, At: now}
		d := routing.Decision{ID: routing.NewDecisionID(now)}
		if err := logged.Explain(ctx, &q, &d, nil); err != nil {
			return nil, 0, err
		}
		if left++; left < some && i < len(numbers)-1 {
			continue
		}
		for left > 0 {
			select {
			case <-ctx.Done():
				return nil, 0, ctx.Err()
			case batch := <-to.all:
				var read routingv1.DecisionBatch
				if err := proto.Unmarshal(batch, &read); err != nil {
					return nil, 0, err
				}
				left -= len(read.GetDecisions())
				sent = append(sent, batch)
			}
		}
	}
	return sent, processCPU() - before, nil
}

func storeUnits(ctx context.Context, db *bun.DB, sent [][]byte, n int) ([][]string, error) {
	keeper := decisionlog.NewKeeper(db)
	cpu, start := processCPU(), time.Now()
	for _, one := range sent {
		var batch routingv1.DecisionBatch
		if err := proto.Unmarshal(one, &batch); err != nil {
			return nil, err
		}
		if err := keeper.Store(ctx, &batch); err != nil {
			return nil, err
		}
	}
	took, used := time.Since(start), processCPU()-cpu
	// The log has partitions, each with indexes of its own.
	var size int64
	err := db.NewRaw(`SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('ops_routing.decision_log'::regclass)`).Scan(ctx, &size)
	if err != nil {
		return nil, err
	}
	start = time.Now()
	read := 0
	err = keeper.Samples(ctx, routing.SampleFilter{Limit: n}, func(some []routing.Sample) error {
		read += len(some)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if read != n {
		return nil, fmt.Errorf("%d of %d decisions are in the log", read, n)
	}
	of := count(n) + " decisions"
	return [][]string{
		{"decisions stored in PostgreSQL per second, one keeper", count(int(perSecond(n, took))), of},
		{"keeper's processor time, per decision", fmt.Sprintf("%.1f µs", float64(used.Nanoseconds())/1000/float64(n)), "the same; PostgreSQL's own is not in it"},
		{"bytes in PostgreSQL, per decision, indexes included", fmt.Sprintf("%.0f", float64(size)/float64(n)), "the same"},
		{"decisions read from it for a replay, per second", count(int(perSecond(read, time.Since(start)))), "the same"},
	}, nil
}
