package bunstore

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/uptrace/bun"

	"trunkline/services/platform/clock"
)

// Freshness says how well an answer stands for what is in the database now.
type Freshness struct {
	// Stale is true for an answer of the replica.
	Stale bool
	// Age is how old a stale answer may be at most: what was committed longer ago
	// is in it. It is 0 for an answer of the primary.
	Age time.Duration
}

// Reader reads from the primary and, while that is out of reach, from its
// replica. Create it with NewReader or OpenReader. See the package comment for
// when it changes sides and how it knows the age.
type Reader struct {
	primary *bun.DB
	replica *bun.DB // nil without a replica
	watch   *watch  // nil without a replica
}

// NewReader gives a reader without a replica: every read is one of the primary.
func NewReader(primary *bun.DB) *Reader { return &Reader{primary: primary} }

// ReaderOptions are the collaborators of OpenReader. Observer may be nil.
type ReaderOptions struct {
	Clock    clock.Clock
	Log      *slog.Logger
	Observer *Observer
}

// OpenReader gives a reader over the primary and the replica of cfg; without a
// replica in cfg it does what NewReader does. Neither server is contacted. The
// caller runs Run, and closes the reader before the primary.
func OpenReader(ctx context.Context, cfg Config, primary *bun.DB, opts ReaderOptions) (*Reader, error) {
	if !cfg.HasReplica() {
		return NewReader(primary), nil
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	replica, err := Open(ctx, cfg.replica(), opts.Log.With("role", "replica"))
	if err != nil {
		return nil, err
	}
	// Looking at the primary must not wait behind the reads of this process, so it has a connection of its own.
	own := cfg
	own.MaxOpen, own.MaxIdle = 1, 1
	probe, err := Open(ctx, own, opts.Log.With("role", "probe"))
	if err != nil {
		return nil, errors.Join(err, replica.Close())
	}
	if opts.Observer != nil {
		replica = replica.WithQueryHook(opts.Observer)
	}
	return &Reader{primary: primary, replica: replica, watch: newWatch(probe, replica, opts.Clock, opts.Log)}, nil
}

// Close closes what OpenReader opened. The primary stays open.
func (r *Reader) Close() error {
	if r.watch == nil {
		return nil
	}
	return errors.Join(r.replica.Close(), r.watch.probe.Close())
}

// HasReplica reports whether there is a replica.
func (r *Reader) HasReplica() bool { return r.watch != nil }

// Run looks at both servers every second until ctx ends. Without it a primary
// that hangs is not noticed, and the age of stale answers is only what the
// replica itself knows.
func (r *Reader) Run(ctx context.Context) {
	if r.watch != nil {
		r.watch.run(ctx)
	}
}

// Read runs fn on the primary. When the primary is out of reach, or becomes so
// while fn runs, fn runs on the replica; if that is out of reach too, the error
// is Unavailable. Every other error of fn is final.
//
// fn may run twice, one run after the other, so it begins its result anew each
// time; once it has passed on something that it cannot take back, its second run
// must fail. It hands its context to every statement, sets no deadline of its own
// below that of ctx, and reads only. Several statements that must fit together
// need a transaction, on a replica at most REPEATABLE READ.
//
// With an error the freshness tells which server had it: what is not found on a
// replica may be on the primary.
func (r *Reader) Read(ctx context.Context, fn func(ctx context.Context, db bun.IDB) error) (Freshness, error) {
	if r.watch == nil {
		return Freshness{}, Fault(fn(ctx, r.primary))
	}
	lost := r.fromPrimary(ctx, fn)
	if lost == nil || ctx.Err() != nil || !isOutage(lost) {
		return Freshness{}, Fault(lost)
	}
	fresh, err := r.fromReplica(ctx, fn)
	if err != nil && isOutage(err) {
		err = unavailable.Wrap(errors.Join(lost, err))
	}
	return fresh, Fault(err)
}

// errNoAnswer ends what would wait for a server that hangs.
var errNoAnswer = errors.New("the database server does not answer")

func (r *Reader) fromPrimary(ctx context.Context, fn func(context.Context, bun.IDB) error) error {
	alive := r.watch.alive()
	if alive.Err() != nil {
		return errNoAnswer
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(alive, func() { cancel(errNoAnswer) })
	defer stop()
	err := fn(ctx, r.primary)
	if err != nil && errors.Is(context.Cause(ctx), errNoAnswer) {
		return errNoAnswer
	}
	return err
}

func (r *Reader) fromReplica(ctx context.Context, fn func(context.Context, bun.IDB) error) (Freshness, error) {
	// First the age, then the data: data that comes later is no older.
	complete, _, err := r.watch.askReplica(ctx)
	if err != nil {
		return Freshness{Stale: true}, err
	}
	err = fn(ctx, r.replica)
	return Freshness{Stale: true, Age: max(0, r.watch.clock.Now().Sub(complete))}, err
}

// CheckPrimary returns an Unavailable fault while the primary is known to be
// down, without asking it. It is for readiness, and for writes that should fail
// at once instead of waiting for a primary that hangs. Without a replica nothing
// is known and it returns nil.
func (r *Reader) CheckPrimary(context.Context) error {
	if r.watch == nil {
		return nil
	}
	return r.watch.primaryFault()
}

// CheckReplica returns an Unavailable fault while the replica does not answer or
// is none. It returns nil without a replica.
func (r *Reader) CheckReplica(context.Context) error {
	if r.watch == nil {
		return nil
	}
	return r.watch.replicaFault()
}

// Register adds ops_replica_lag_seconds: how old an answer of the replica would
// be at most. It grows while the replica falls behind or either server is out of
// reach. Without a replica it adds nothing.
func (r *Reader) Register(reg prometheus.Registerer) error {
	if r.watch == nil {
		return nil
	}
	return reg.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ops_replica_lag_seconds",
		Help: "How far the read replica may be behind, counted from the start of the process while it is not known.",
	}, func() float64 { return r.watch.lag().Seconds() }))
}
