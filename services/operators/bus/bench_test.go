package bus_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/platform/bunstore/bunstoretest"
)

// From a wake after the commit to the acknowledgement of the stream. The NATS server of the tests waits for its disk.
func BenchmarkWakeToStream(b *testing.B) {
	onEach(b, func(b *testing.B, w *world) {
		acknowledged := make(chan time.Time)
		next := newPublisher(w.conn)
		relay, _ := w.run(b, database.NewOutbox(w.db), publishFunc(func(ctx context.Context, e operators.Outgoing) error {
			err := next.Publish(ctx, e)
			acknowledged <- time.Now()
			return err
		}))
		var all []time.Duration
		for b.Loop() {
			b.StopTimer()
			w.commit(b, 1)
			b.StartTimer()
			start := time.Now()
			relay.Wake()
			all = append(all, (<-acknowledged).Sub(start))
			b.StopTimer()
			require.Eventually(b, func() bool { return w.status(b).Pending == 0 }, limit, time.Millisecond)
			b.StartTimer()
		}
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "ms/median")
	})
}

func BenchmarkDrain10000Events(b *testing.B) {
	onEach(b, func(b *testing.B, w *world) {
		const events = 10_000
		for b.Loop() {
			b.StopTimer()
			w.commit(b, events)
			start := w.status(b).Published
			b.StartTimer()
			_, stop := w.run(b, database.NewOutbox(w.db), newPublisher(w.conn))
			require.Eventually(b, func() bool { return w.status(b).Published == start+events }, time.Minute, tick)
			b.StopTimer()
			stop()
			b.StartTimer()
		}
		b.ReportMetric(events/b.Elapsed().Seconds()*float64(b.N), "events/s")
	})
}

func onEach(b *testing.B, run func(b *testing.B, w *world)) {
	b.Run("postgres", func(b *testing.B) { run(b, onPostgres(b, bunstoretest.Postgres(b, migrations.Postgres))) })
	b.Run("sqlite", func(b *testing.B) { run(b, onSQLite(b)) })
}
