package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
	"trunkline/services/routing/releases"
	"trunkline/services/routing/replay"
)

// replayRow is one replay.
type replayRow struct {
	prefixes, decisions int
	elapsed, cpu        time.Duration
	report              *releasesv1.ReplayReport
}

// replayLimit is what a million decisions may take on one core.
const replayLimit = 10 * time.Second

// measureReplay replays decisions through two releases of the set, of which the second has other prices, on one core.
func measureReplay(ctx context.Context, b *bench, size int) (row replayRow, err error) {
	b.note("replay of %d decisions through releases of %d prefixes", b.options.replayed, size)
	before, after, log, err := replayed(b, size)
	if err != nil {
		return row, err
	}
	runtime.GC()

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	request := &releasesv1.ReplayReleaseRequest{Sample: &releasesv1.ReplayReleaseRequest_Decisions{
		Decisions: &releasesv1.DecisionSample{Limit: int32(b.options.replayed)},
	}}
	cpu, start := processCPU(), time.Now()
	row.report, err = replay.New(log, releases.Load, clock.System()).Replay(ctx, request, before, after, func(int64, int64) {})
	if err != nil {
		return row, err
	}
	row.prefixes, row.decisions = size, int(row.report.GetDecisionCount())
	row.elapsed, row.cpu = time.Since(start), processCPU()-cpu
	if row.decisions != b.options.replayed {
		return row, fmt.Errorf("%d decisions were replayed instead of %d", row.decisions, b.options.replayed)
	}
	return row, nil
}

// replayed makes both releases and the sample. What they are made from is not kept.
func replayed(b *bench, size int) (before, after artifact, log *sampleLog, err error) {
	c := newCarrier(size)
	if before, err = c.artifact(b.dir); err != nil {
		return before, after, nil, err
	}
	c.reprice()
	if after, err = c.artifact(b.dir); err != nil {
		return before, after, nil, err
	}
	return before, after, newSampleLog(c, b.options.replayed), nil
}

// reprice makes every fourth rate a tenth dearer, so that some numbers move to another operator.
func (c *carrier) reprice() {
	for i := range c.rates {
		if i%4 == 0 {
			c.rates[i].Price = money.Money{Nanos: c.rates[i].Price.Nanos / 10 * 11, Currency: c.rates[i].Price.Currency}
		}
	}
}

// sampleLog gives decisions as the log does: some at a time, with the first digits of their numbers. It is made before
// the time counts, and it is in memory: what reading the database costs is not in the figure.
type sampleLog struct{ all []routing.Sample }

func newSampleLog(c *carrier, n int) *sampleLog {
	log := &sampleLog{all: make([]routing.Sample, 0, n)}
	for _, number := range c.numbers(n, c.skewed()) {
		log.all = append(log.all, routing.Sample{
			Decision: routing.NewDecisionID(decideTime), Account: account, Type: routing.SMS,
			Start: routing.ShownPrefix(number), Digits: numberDigits,
		})
	}
	return log
}

// Samples implements replay.Log.
func (l *sampleLog) Samples(_ context.Context, f routing.SampleFilter, give func([]routing.Sample) error) error {
	const page = 1000
	for left := l.all[:min(len(l.all), f.Limit)]; len(left) > 0; {
		some := left[:min(page, len(left))]
		if err := give(some); err != nil {
			return err
		}
		left = left[len(some):]
	}
	return nil
}

func replayReport(rows []replayRow) (section, []target) {
	s := section{
		title: "Replay",
		notes: []string{
			"Decisions decided by two releases, of which the second has a quarter of the rates a tenth dearer, and counted by operator, country and cost. GOMAXPROCS is 1; the processor time is that of the whole process: both artifacts read and checked, both tables built, every number completed, decided twice and counted, and the collector.",
			"The sample is in memory, as the log gives it; reading a million decisions from the database is in \"Cost of one unit\".",
		},
		columns: []string{"prefixes", "decisions", "processor time", "elapsed", "decisions/s", "moved", "lost"},
	}
	var targets []target
	for _, row := range rows {
		s.rows = append(s.rows, []string{
			count(row.prefixes), count(row.decisions), shortTime(row.cpu), shortTime(row.elapsed),
			count(int(perSecond(row.decisions, row.cpu))), count(int(row.report.GetMovedCount())), count(int(row.report.GetLostCount())),
		})
		targets = append(targets, target{
			fmt.Sprintf("replay of %s decisions on one core, releases of %s prefixes", count(row.decisions), count(row.prefixes)),
			"< 10 s", shortTime(row.cpu), row.cpu < replayLimit,
		})
	}
	return s, targets
}
