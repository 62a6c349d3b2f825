package trail_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"trunkline/services/access"
	"trunkline/services/access/trail"
	"trunkline/services/platform/clock"
)

// book is a log that can be out of reach.
type book struct {
	mu   sync.Mutex
	rows []access.AuditRow
	down bool
}

func (b *book) Append(_ context.Context, rows []access.AuditRow) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return errors.New("down")
	}
	b.rows = append(b.rows, rows...)
	return nil
}

func (b *book) set(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
}

// told is what the rows say.
func (b *book) told() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := []string{}
	for _, r := range b.rows {
		out = append(out, r.Actor+" "+r.Action+" "+r.EntityID+" "+r.RequestID+" "+*r.After)
	}
	return out
}

// record runs a test with a recorder in a bubble; stop ends it.
func record(t *testing.T, test func(b *book, r *trail.Recorder, reg *prometheus.Registry, stop func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, reg := &book{}, prometheus.NewRegistry()
		r, err := trail.NewRecorder(b, clock.System(), slog.New(slog.DiscardHandler), reg)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx) }()
		stop := sync.OnceFunc(func() { cancel(); <-done })
		defer stop()
		test(b, r, reg, stop)
	})
}

func denial(actor, id string) trail.Denial {
	return trail.Denial{Actor: actor, Known: true, Procedure: "/x/Create", Reason: "ROLE_TOO_LOW", Peer: "192.0.2.1", RequestID: id}
}

func TestTheFirstRefusalIsWrittenAtOnceAndTheOthersAreCounted(t *testing.T) {
	record(t, func(b *book, r *trail.Recorder, _ *prometheus.Registry, stop func()) {
		for i := range 5 {
			r.Denied(denial("key:1", strconv.Itoa(i)))
		}
		r.Denied(denial("key:2", "other"))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{
			`key:1 access.denied /x/Create 0 {"reason":"ROLE_TOO_LOW","count":1,"peer":"192.0.2.1"}`,
			`key:2 access.denied /x/Create other {"reason":"ROLE_TOO_LOW","count":1,"peer":"192.0.2.1"}`,
		}, b.told())
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, `key:1 access.denied /x/Create 4 {"reason":"ROLE_TOO_LOW","count":4,"peer":"192.0.2.1"}`, b.told()[2])
		r.Denied(denial("key:1", "later"))
		stop()
		require.Len(t, b.told(), 4, "what waits is written at the end")
	})
}

func TestRefusalsWaitForTheDatabase(t *testing.T) {
	record(t, func(b *book, r *trail.Recorder, reg *prometheus.Registry, _ func()) {
		b.set(true)
		r.Denied(denial("key:1", "1"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Empty(t, b.told())
		b.set(false)
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, b.told(), 1)
		require.Zero(t, dropped(t, reg))
	})
}

func TestAFloodOfNamesIsBounded(t *testing.T) {
	record(t, func(b *book, r *trail.Recorder, reg *prometheus.Registry, _ func()) {
		b.set(true)
		for minute := range 4 {
			for i := range 2000 {
				r.Denied(denial(strconv.Itoa(minute)+"-"+strconv.Itoa(i), ""))
			}
			time.Sleep(2 * time.Minute)
		}
		b.set(false)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Len(t, b.told(), 2000)
		require.InDelta(t, 6000, dropped(t, reg), 0)
	})
}

func TestStrangersDoNotCrowdOutThoseWhoAreKnown(t *testing.T) {
	record(t, func(b *book, r *trail.Recorder, reg *prometheus.Registry, _ func()) {
		for i := range 3000 {
			r.Denied(trail.Denial{Actor: "anonymous", Procedure: "/x/" + strconv.Itoa(i%1500), Reason: "CREDENTIAL_REQUIRED", Peer: "2001:db8::" + strconv.Itoa(i)})
		}
		r.Denied(denial("key:1", "known"))
		time.Sleep(time.Second)
		synctest.Wait()
		told := b.told()
		require.Len(t, told, 1001)
		require.Contains(t, told[1000], "key:1 access.denied")
		require.Contains(t, told[0], `"peer":"2001:db8::0"`)
		require.InDelta(t, 1000, dropped(t, reg), 0)

		before := len(told)
		for i := range 500 {
			r.Denied(trail.Denial{Actor: "anonymous", Procedure: "/x/1", Reason: "CREDENTIAL_REQUIRED", Peer: "192.0.2." + strconv.Itoa(i)})
		}
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, b.told(), before, "an address more is no row more")
	})
}

func dropped(t *testing.T, reg *prometheus.Registry) float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	require.Len(t, families, 1)
	require.Equal(t, "trunkline_audit_denials_dropped_total", families[0].GetName())
	n, err := testutil.GatherAndCount(reg)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	return families[0].GetMetric()[0].GetCounter().GetValue()
}
