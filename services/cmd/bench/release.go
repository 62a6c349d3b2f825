package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"connectrpc.com/connect"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/telemetry"
)

// What a change may take until every engine serves it.
const (
	publishLimit  = 2 * time.Second
	rollbackLimit = 250 * time.Millisecond
	// changeLimit ends the rounds: something is broken.
	changeLimit = 30 * time.Second
)

// releaseRun is what the changes of release came to.
type releaseRun struct {
	prefixes  int
	creates   latencies
	drafts    []*releasesv1.Release
	publishes latencies
	rollbacks latencies
	calls     int
	failed    int
	reason    error
	mixed     int
	seen      int
	elapsed   time.Duration
	// broken is why there are fewer rounds than there should be.
	broken error
}

func measureRelease(ctx context.Context, b *bench) ([]section, []target, error) {
	if err := b.folder(); err != nil {
		return nil, nil, err
	}
	var replays []replayRow
	for _, size := range b.options.sizes[1:] {
		row, err := measureReplay(ctx, b, size)
		if err != nil {
			return nil, nil, fmt.Errorf("replay: %w", err)
		}
		replays = append(replays, row)
	}
	debug.FreeOSMemory()
	run, err := measureChanges(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	changes, targets := run.report(b)
	replayed, more := replayReport(replays)
	return []section{changes, replayed}, append(targets, more...), nil
}

// measureChanges publishes and rolls back releases while the engines answer.
func measureChanges(ctx context.Context, b *bench) (run *releaseRun, err error) {
	log := telemetry.NewLogger(b.progress, telemetry.LogConfig{Level: slog.LevelError, Format: telemetry.FormatText})
	size := b.options.sizes[1]
	f, err := startFleet(ctx, b, size, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.stop()) }()

	// Three releases in turn: an engine keeps the tables of two, so that each publish builds one.
	run = &releaseRun{prefixes: size}
	const drafts = 3
	for n := range drafts {
		b.note("release %d of %d", n+1, drafts)
		if err := f.price(ctx, n > 0); err != nil {
			return nil, err
		}
		start := time.Now()
		made, err := f.create(ctx)
		if err != nil {
			return nil, fmt.Errorf("create a release: %w", err)
		}
		run.creates, run.drafts = append(run.creates, time.Since(start)), append(run.drafts, made)
	}
	slices.Sort(run.creates)
	return run, run.change(ctx, b, f)
}

func (run *releaseRun) change(ctx context.Context, b *bench, f *fleet) error {
	first, err := f.publish(ctx, run.drafts[0].GetReleaseId())
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if err := f.startEngines(ctx); err != nil {
		return err
	}
	numbers := f.carrier.numbers(min(b.options.pool, 200), f.carrier.skewed())
	answers, err := f.ready(ctx, numbers)
	if err != nil {
		return err
	}
	t := newTruth(run.drafts, answers)
	t.activations[first.GetActivation()] = first.GetReleaseId()

	w := newWitness(f.engines, questions(numbers), b.options.load)
	loading, end := context.WithCancel(ctx)
	defer end()
	ended := make(chan struct{})
	start := time.Now()
	go func() {
		defer close(ended)
		w.run(loading)
	}()
	run.broken = run.rounds(ctx, b, f, w, t)
	end()
	<-ended
	run.elapsed = time.Since(start)
	run.calls, run.failed, run.reason = len(w.said)+w.failed, w.failed, w.reason
	run.mixed, run.seen = t.mixed(w.said), served(w.said)
	slices.Sort(run.publishes)
	slices.Sort(run.rollbacks)
	return ctx.Err()
}

// rounds publishes the releases in turn and goes back now and then, each when the one before serves everywhere.
func (run *releaseRun) rounds(ctx context.Context, b *bench, f *fleet, w *witness, t truth) error {
	b.note("%d publishes and %d rollbacks under %d requests/s", b.options.publishes, b.options.rollbacks, w.rate)
	serving, former := 0, -1
	for round := range b.options.publishes + b.options.rollbacks {
		var change func() (*releasesv1.ReleaseActivation, error)
		// Rollbacks are spread over the publishes; one goes back to what served before the publish.
		back := (round+1)*b.options.rollbacks/(b.options.publishes+b.options.rollbacks) > round*b.options.rollbacks/(b.options.publishes+b.options.rollbacks)
		if back {
			change = func() (*releasesv1.ReleaseActivation, error) { return f.rollback(ctx) }
		} else {
			change = func() (*releasesv1.ReleaseActivation, error) {
				return f.publish(ctx, run.drafts[neither(len(run.drafts), serving, former)].GetReleaseId())
			}
		}
		start := time.Now()
		activation, err := change()
		if err != nil {
			return fmt.Errorf("round %d, rollback %t: %w", round+1, back, err)
		}
		t.activations[activation.GetActivation()] = activation.GetReleaseId()
		waiting, cancel := context.WithTimeout(ctx, changeLimit)
		at, err := w.await(waiting, activation.GetActivation())
		cancel()
		if err != nil {
			return fmt.Errorf("round %d, rollback %t: %w", round+1, back, err)
		}
		if back {
			run.rollbacks = append(run.rollbacks, at.Sub(start))
		} else {
			run.publishes = append(run.publishes, at.Sub(start))
		}
		serving, former = indexOf(run.drafts, activation.GetReleaseId()), serving
	}
	return nil
}

// neither gives a release that does not serve and did not serve before: no engine has its table.
func neither(n, serving, former int) int {
	for i := range n {
		if i != serving && i != former {
			return i
		}
	}
	return 0
}

func indexOf(drafts []*releasesv1.Release, id string) int {
	return slices.IndexFunc(drafts, func(r *releasesv1.Release) bool { return r.GetReleaseId() == id })
}

// newTruth tells what every number costs by every release, from what it costs by the first: each release is dearer than
// the one before by the same.
func newTruth(drafts []*releasesv1.Release, answers []*routingv1.SelectOperatorResponse) truth {
	t := truth{activations: map[int64]string{}, prices: map[string][]int64{}}
	for n, draft := range drafts {
		for _, a := range answers {
			t.prices[draft.GetReleaseId()] = append(t.prices[draft.GetReleaseId()], a.GetUnitPrice().GetNanos()+int64(n)*dearer)
		}
	}
	return t
}

// dearer is by how many billionths all rates rise from one release to the next: who is cheapest stays so.
const dearer = 1000

// price makes all rates dearer, as an import of decks does, only faster.
func (f *fleet) price(ctx context.Context, change bool) (err error) {
	if !change {
		return nil
	}
	db, err := bunstore.Open(ctx, databaseConfig(f.database), f.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.NewRaw("UPDATE rates SET price_nanos = price_nanos + ?", dearer).Exec(ctx); err != nil {
		return fmt.Errorf("change the rates: %w", err)
	}
	return nil
}

// create makes a draft of what is in the database.
func (f *fleet) create(ctx context.Context) (*releasesv1.Release, error) {
	stream, err := f.releases.CreateRelease(ctx, &releasesv1.CreateReleaseRequest{Description: "bench"})
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }() // what is wrong is in Err
	var made *releasesv1.Release
	for stream.Receive() {
		if result := stream.Msg().GetResult(); result != nil {
			made = result.GetRelease()
		}
	}
	if err := stream.Err(); err != nil {
		return nil, err
	}
	if made == nil {
		return nil, errors.New("no release was made")
	}
	return made, nil
}

func (f *fleet) publish(ctx context.Context, id string) (*releasesv1.ReleaseActivation, error) {
	res, err := f.releases.PublishRelease(ctx, &releasesv1.PublishReleaseRequest{ReleaseId: id})
	return res.GetActivation(), err
}

func (f *fleet) rollback(ctx context.Context) (*releasesv1.ReleaseActivation, error) {
	res, err := f.releases.RollbackRelease(ctx, &releasesv1.RollbackReleaseRequest{})
	return res.GetActivation(), err
}

func (run *releaseRun) report(b *bench) (section, []target) {
	artifact := run.drafts[0]
	n := count(run.prefixes)
	s := section{
		title: "Publish and rollback",
		notes: []string{
			fmt.Sprintf("A control plane and %d engines in release mode, each wired as a process of its own, with one embedded NATS server and one SQLite file, all in this process and on its cores. Three releases of %s prefixes are published in turn, so that every publish makes every engine fetch, check and build; a rollback goes to the table that served before.", fleetEngines, n),
			fmt.Sprintf("The time is from the call of PublishRelease or RollbackRelease until every engine answered a call by it, as `meta` tells; %d calls/s go to the engines in turn all the while, each at its own moment. An answer is mixed when its release, its activation and its price do not belong together.", b.options.load),
			fmt.Sprintf("The artifact has %s bytes, %s as stored, for %s rules and %s rates. %d releases answered.",
				count(int(artifact.GetSizeBytes())), count(int(artifact.GetStoredBytes())), count(int(artifact.GetRuleCount())), count(int(artifact.GetRateCount())), run.seen),
		},
		columns: []string{"step", "rounds", "p50", "p95", "max"},
	}
	row := func(what string, l latencies) {
		s.rows = append(s.rows, []string{what, count(len(l)), shortTime(l.quantile(0.5)), shortTime(l.quantile(0.95)), shortTime(l.quantile(1))})
	}
	row("create: read, check, compile, store", run.creates)
	row("publish until every engine serves it", run.publishes)
	row("rollback until every engine serves it", run.rollbacks)
	if run.broken != nil {
		s.notes = append(s.notes, fmt.Sprintf("The rounds ended early: %s.", run.broken))
	}
	whole := run.broken == nil
	publish, rollback := run.publishes.quantile(1), run.rollbacks.quantile(1)
	failed := count(run.failed)
	if run.reason != nil {
		failed += " (the last: " + connect.CodeOf(run.reason).String() + ")"
	}
	load := fmt.Sprintf("%s calls in %s, %d publishes, %d rollbacks", count(run.calls), shortTime(run.elapsed), len(run.publishes), len(run.rollbacks))
	return s, []target{
		{"publish of " + n + " prefixes until every engine serves it, worst", "≤ 2 s", shortTime(publish), whole && publish <= publishLimit},
		{"rollback until every engine serves it, worst", "≤ 250 ms", shortTime(rollback), whole && rollback <= rollbackLimit},
		{"calls that failed, of " + load, "0", failed, run.failed == 0},
		{"decisions that mix versions, of the same", "0", count(run.mixed), run.mixed == 0 && run.seen > 1 && whole},
	}
}
