package bunstore

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"trunkline/services/platform/clock"
)

const (
	lookEvery   = time.Second
	lookTimeout = 1500 * time.Millisecond
	// mostSamples bounds what is remembered of a primary whose replica does not follow: two minutes to the second,
	// and more coarsely after that.
	mostSamples = 120
)

// sample says that everything committed at a time is in the write-ahead log
// before a position.
type sample struct {
	at       time.Time
	position int64
}

// watch knows which server to ask, and until when the replica is complete.
type watch struct {
	probe, replica *bun.DB
	clock          clock.Clock
	log            *slog.Logger
	began          time.Time

	mu       sync.Mutex
	up       context.Context // ends when the primary goes down; a new one begins when it is back
	down     context.CancelFunc
	primary  error // of the last look, nil before the first
	standby  error
	waiting  []sample  // positions that the replica had not reached at the last look, oldest first
	complete time.Time // everything committed until then is on the replica; zero: not known
}

func newWatch(probe, replica *bun.DB, clk clock.Clock, log *slog.Logger) *watch {
	w := &watch{probe: probe, replica: replica, clock: clk, log: log, began: clk.Now()}
	w.up, w.down = context.WithCancel(context.Background())
	return w
}

// alive returns a context that ends when the primary goes down.
func (w *watch) alive() context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.up
}

func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look asks the primary for its position and then the replica for its own, so
// that a replica without lag is seen to be complete in the same look.
func (w *watch) look(ctx context.Context) {
	at := w.clock.Now()
	position, err := w.primaryPosition(ctx)
	if ctx.Err() != nil {
		return
	}
	w.sawPrimary(at, position, err)
	_, standby, err := w.askReplica(ctx)
	if err == nil && !standby {
		err = errNoStandby
	}
	if ctx.Err() == nil {
		w.mu.Lock()
		w.standby = err
		w.mu.Unlock()
	}
}

func (w *watch) primaryPosition(ctx context.Context) (position int64, err error) {
	ctx, cancel := context.WithTimeout(WithQueryName(ctx, "primary_position"), lookTimeout)
	defer cancel()
	// On a server in recovery this is an error: a standby that the primary's address leads to is no primary.
	err = w.probe.QueryRowContext(ctx, "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint").Scan(&position)
	return position, err
}

func (w *watch) sawPrimary(at time.Time, position int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.primary
	w.primary = err
	switch {
	case err != nil && was == nil:
		w.down()
		w.log.Warn("the primary database is out of reach; reads go to the replica", "error", err)
	case err == nil && was != nil:
		w.up, w.down = context.WithCancel(context.Background())
		w.log.Info("the primary database is back; reads go to it again")
	}
	if err != nil {
		return
	}
	if len(w.waiting) == mostSamples {
		odd := false
		w.waiting = slices.DeleteFunc(w.waiting, func(sample) bool { odd = !odd; return odd })
	}
	w.waiting = append(w.waiting, sample{at, position})
}

var errNoStandby = errors.New("the server of replica_url is not a standby")

// askReplica returns a time before which everything committed is on the replica,
// and whether it still is one. One that was promoted can be read as well.
//
// A position that it has reached proves this for the time when the primary was
// seen there, by the clock of this process alone. While no such position is
// known, the replica's own word counts: the commit it replayed last and the
// checkpoint it started from, both by the primary's clock. On a primary without
// writes these are old although nothing is missing.
func (w *watch) askReplica(ctx context.Context) (complete time.Time, standby bool, err error) {
	limited, cancel := context.WithTimeout(WithQueryName(ctx, "replica_position"), lookTimeout)
	defer cancel()
	var position int64
	var age float64
	now := w.clock.Now()
	err = w.replica.QueryRowContext(limited, `SELECT pg_is_in_recovery(),
		coalesce((pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint, 0),
		extract(epoch FROM clock_timestamp() - greatest(pg_last_xact_replay_timestamp(),
			(SELECT checkpoint_time FROM pg_control_checkpoint())))::float8`).Scan(&standby, &position, &age)
	if err != nil {
		if limited.Err() != nil && ctx.Err() == nil {
			err = errors.Join(errNoAnswer, err)
		}
		return time.Time{}, false, err
	}
	if complete = w.reached(position); complete.IsZero() {
		complete = now.Add(-time.Duration(age * float64(time.Second)))
	}
	return complete, standby, nil
}

// reached notes how far the replica is and returns until when it is complete.
func (w *watch) reached(position int64) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, s := range slices.Backward(w.waiting) {
		if s.position <= position {
			w.complete = s.at
			w.waiting = slices.Delete(w.waiting, 0, i+1)
			break
		}
	}
	return w.complete
}

func (w *watch) primaryFault() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.primary == nil {
		return nil
	}
	return unavailable.Wrap(w.primary)
}

func (w *watch) replicaFault() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.standby == nil {
		return nil
	}
	return unavailable.Wrap(w.standby)
}

func (w *watch) lag() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	from := w.complete
	if from.IsZero() {
		from = w.began
	}
	return max(0, w.clock.Now().Sub(from))
}
