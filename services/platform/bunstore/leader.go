package bunstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/uptrace/bun"
)

const (
	// leaderTick is the time between two tries to lead, and between two looks at the connection that holds the lock.
	leaderTick = time.Second
	// leaderLimit bounds one statement on that connection.
	leaderLimit = 3 * time.Second
	// leaderIdle makes the server end a session that it hears nothing of: a leader that hangs, or was cut off, does not
	// keep the lock. It is longer than a tick and a statement take together.
	leaderIdle = 10 * time.Second
)

// Leader lets one process at a time do some work. On PostgreSQL it is the one whose session holds an advisory lock; on
// SQLite, which serves one process, every caller is it.
//
// A leader may lose its session without noticing for some seconds, and then another leads beside it. So what it writes
// needs a guard of its own, such as a version in the condition of an update. Sessions that a connection pooler hands to
// others between transactions hold no lock: connect to the server itself.
type Leader struct {
	db  *bun.DB
	log *slog.Logger
}

// NewLeader returns the leader of a database that Open opened. While it leads it holds one connection.
func NewLeader(db *bun.DB, log *slog.Logger) *Leader {
	return &Leader{db: db, log: log}
}

// Run calls do whenever this process leads, until ctx ends. Equal keys are one office. The context of do ends with ctx
// and soon after the session is lost; do returns then. When do returns earlier the lock is given up and, after a pause,
// tried for again; an error of do is logged.
func (l *Leader) Run(ctx context.Context, key int64, do func(ctx context.Context) error) {
	log := l.log.With("office", key)
	for {
		led, err := l.lead(ctx, key, log, do)
		switch {
		case err == nil || ctx.Err() != nil:
		case led:
			log.WarnContext(ctx, "the work of the leader ended; it is tried again", "error", err)
		default: // the database is down, which others tell often enough
			log.DebugContext(ctx, "it could not be found out who leads", "error", err)
		}
		timer := time.NewTimer(leaderTick)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// lead does the work when the lock is to be had, and returns at once otherwise.
func (l *Leader) lead(ctx context.Context, key int64, log *slog.Logger, do func(context.Context) error) (led bool, err error) {
	if DialectOf(l.db) != Postgres {
		return true, do(ctx)
	}
	session, err := l.db.Conn(ctx)
	if err != nil {
		return false, Fault(err)
	}
	won, err := tryLock(ctx, session, key)
	if err == nil && !won {
		return false, Fault(session.Close())
	}
	// A connection that may hold the lock never goes back to the pool.
	defer discard(session)
	if err != nil {
		return false, Fault(err)
	}
	log.InfoContext(ctx, "this process leads")
	defer log.InfoContext(ctx, "this process does not lead any more")

	ctx, cancel := context.WithCancelCause(ctx)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		watchSession(ctx, session, cancel)
	}()
	err = do(ctx)
	lost := context.Cause(ctx)
	cancel(nil)
	<-watching
	if errors.Is(lost, errSessionLost) {
		return true, errors.Join(lost, err)
	}
	return true, err
}

var errSessionLost = errors.New("the session that holds the lock is lost")

func tryLock(ctx context.Context, session bun.Conn, key int64) (won bool, err error) {
	ctx, cancel := context.WithTimeout(WithQueryName(ctx, "leader"), leaderLimit)
	defer cancel()
	if err := session.NewRaw("SELECT pg_try_advisory_lock(?)", key).Scan(ctx, &won); err != nil || !won {
		return false, err
	}
	_, err = session.NewRaw(fmt.Sprintf("SET idle_session_timeout = %d", leaderIdle.Milliseconds())).Exec(ctx)
	return true, err
}

// watchSession ends the leader's context when the session is lost.
func watchSession(ctx context.Context, session bun.Conn, end context.CancelCauseFunc) {
	ticker := time.NewTicker(leaderTick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		limited, cancel := context.WithTimeout(WithQueryName(ctx, "leader"), leaderLimit)
		_, err := session.NewRaw("SELECT 1").Exec(limited)
		cancel()
		if err != nil && ctx.Err() == nil {
			end(errors.Join(errSessionLost, err))
			return
		}
	}
}

// discard ends the session, and with it the lock.
func discard(session bun.Conn) {
	_ = session.Raw(func(any) error { return driver.ErrBadConn }) // database/sql closes the connection
	_ = session.Close()
}
