package operators

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// OrphanAge is how old a password must be before a sweep may take it away. A change in progress needs a minute at most.
const OrphanAge = 15 * time.Minute

// sweepEvery is the time between two sweeps, sweepLimit bounds one.
const (
	sweepEvery = 5 * time.Minute
	sweepLimit = 2 * time.Minute
)

// StoredCredentials is what the secret store holds of one operator, without the passwords.
type StoredCredentials struct {
	OperatorID uuid.UUID
	// UpdatedAt is when a password was put last.
	UpdatedAt time.Time
	// Versions are those that were not dropped; there may be none.
	Versions []CredentialsVersion
}

// CredentialsVersion is one password, without it.
type CredentialsVersion struct {
	Number    int64
	CreatedAt time.Time
}

// CredentialsKeeper is the secret store as sweeps see it.
type CredentialsKeeper interface {
	// List gives every operator that has an entry, also one whose passwords were all dropped.
	List(ctx context.Context) ([]StoredCredentials, error)
	// Drop and Remove are those of Credentials.
	Drop(ctx context.Context, operator uuid.UUID, version int64) error
	Remove(ctx context.Context, operator uuid.UUID) error
}

// LiveReader reads the live operators.
type LiveReader interface {
	LiveOperators(ctx context.Context) ([]Operator, Freshness, error)
}

// Orphans takes away passwords that no row names: a change stores its password first, and may fail or die before its
// row is committed. Several may sweep at once.
//
// It removes what belongs to no live operator, and drops the versions of live ones that are newer than the one in
// force, once they are older than OrphanAge. Former passwords stay: a database that fails over to a standby may lose its
// last transactions, and rows name the former version again.
type Orphans struct {
	operators LiveReader
	keeper    CredentialsKeeper
	now       func() time.Time
	log       *slog.Logger
}

// NewOrphans returns a sweeper that takes the time from now.
func NewOrphans(operators LiveReader, keeper CredentialsKeeper, now func() time.Time, log *slog.Logger) *Orphans {
	return &Orphans{operators: operators, keeper: keeper, now: now, log: log}
}

// Run sweeps at once and then every five minutes, until ctx ends.
func (o *Orphans) Run(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if _, err := o.Sweep(ctx); err != nil && ctx.Err() == nil {
			o.log.WarnContext(ctx, "passwords without an operator could not be swept; the next sweep tries again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// maxStrangers is how many entries without an operator one sweep takes away at most when they are more than a tenth of
// all: a wrong or empty database must not cost every password, which nothing brings back.
const maxStrangers = 10

func countStrangers(stored []StoredCredentials, inForce map[uuid.UUID]int64, old time.Time) (n int) {
	for _, s := range stored {
		if _, known := inForce[s.OperatorID]; !known && s.UpdatedAt.Before(old) {
			n++
		}
	}
	return n
}

// Sweep takes away what is left over and returns how many entries and versions that were. It does nothing while the
// database answers from a replica, which may not know the newest rows.
func (o *Orphans) Sweep(ctx context.Context) (taken int, err error) {
	ctx, cancel := context.WithTimeout(ctx, sweepLimit)
	defer cancel()
	// First the passwords, then the rows: a row that is committed in between is seen.
	stored, err := o.keeper.List(ctx)
	if err != nil {
		return 0, err
	}
	live, fresh, err := o.operators.LiveOperators(ctx)
	if err != nil || fresh.Stale {
		return 0, err
	}
	inForce := make(map[uuid.UUID]int64, len(live))
	for _, operator := range live {
		inForce[operator.ID] = operator.CredentialsVersion
	}
	old := o.now().Add(-OrphanAge)
	if strangers := countStrangers(stored, inForce, old); strangers > maxStrangers && strangers*10 > len(stored) {
		o.log.ErrorContext(ctx, "most passwords belong to no operator of this database: nothing is removed; check that it is the right database, and that no other installation uses this secret store",
			"passwords", len(stored), "without_operator", strangers)
		return 0, nil
	}
	for _, s := range stored {
		version, known := inForce[s.OperatorID]
		if !known {
			if s.UpdatedAt.Before(old) {
				if err := o.keeper.Remove(ctx, s.OperatorID); err != nil {
					return taken, err
				}
				taken++
				o.log.InfoContext(ctx, "the password of an operator that does not exist was removed", "operator_id", s.OperatorID)
			}
			continue
		}
		for _, v := range s.Versions {
			if v.Number > version && v.CreatedAt.Before(old) {
				if err := o.keeper.Drop(ctx, s.OperatorID, v.Number); err != nil {
					return taken, err
				}
				taken++
				o.log.InfoContext(ctx, "a password that did not come into force was dropped",
					"operator_id", s.OperatorID, "credentials_version", v.Number)
			}
		}
	}
	return taken, nil
}
