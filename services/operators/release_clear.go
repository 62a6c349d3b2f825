package operators

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

const (
	// clearEvery is the time between two clearances of old releases.
	clearEvery = 10 * time.Minute
	// draftLife is how long a draft is kept: a release that nobody approved, published or scheduled. The newestDrafts are
	// kept whatever their age, and of younger ones no more than maxDrafts, so that making drafts cannot fill the database.
	draftLife    = 30 * 24 * time.Hour
	newestDrafts = 20
	maxDrafts    = 50
)

// Clear removes the artifacts that nobody can need any more. It keeps those of the releases that the manifest names, of the
// last ones that were in force, of those that are approved, and of drafts that are young or among the newest, at most
// maxDrafts. Several processes may clear at once.
func (a *Announcer) Clear(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, announceUpload)
	defer cancel()
	var gone []Release
	at := moment(a.now())
	// A look first: a change keeps other changes waiting.
	err := a.store.View(ctx, func(ctx context.Context, tx Tx) (err error) {
		gone, err = a.expendable(ctx, tx, at)
		return err
	})
	if err == nil && len(gone) > 0 {
		err = a.store.InTx(ctx, func(ctx context.Context, tx Tx) (err error) {
			if gone, err = a.expendable(ctx, tx, at); err != nil || len(gone) == 0 {
				return err
			}
			return tx.Expire(ctx, gone, at)
		})
	}
	if err != nil {
		return err
	}
	for _, release := range gone {
		a.log.InfoContext(ctx, "release expired", "release", release.Number, "digest", release.Digest)
	}
	return a.sweepShelf(ctx)
}

// sweepShelf takes away the artifacts of expired releases. A new release with the same content may come at this very
// moment and be announced: its artifact is put back by the look that follows.
func (a *Announcer) sweepShelf(ctx context.Context) error {
	digests, err := a.shelf.Digests(ctx)
	if err != nil || len(digests) == 0 {
		return err
	}
	var left []string
	err = a.store.View(ctx, func(ctx context.Context, tx Tx) (err error) {
		left, err = tx.Leftovers(ctx, digests)
		return err
	})
	if err != nil {
		return err
	}
	for _, digest := range left {
		if err := a.shelf.Remove(ctx, digest); err != nil {
			return err
		}
	}
	return nil
}

func (a *Announcer) expendable(ctx context.Context, tx Tx, at time.Time) ([]Release, error) {
	stock, err := tx.Stock(ctx)
	if err != nil {
		return nil, err
	}
	last, err := lastValid(ctx, tx)
	if err != nil {
		return nil, err
	}
	needed := make(map[uuid.UUID]bool)
	for _, activation := range last {
		needed[activation.ReleaseID] = true
	}
	return expendable(stock, needed, a.keep, at), nil
}

// clearDrafts removes the drafts that a new one makes expendable. What was in force is left to Clear.
func clearDrafts(ctx context.Context, tx Tx, at time.Time) error {
	stock, err := tx.Stock(ctx)
	if err != nil {
		return err
	}
	gone := expendable(stock, nil, len(stock), at)
	if len(gone) == 0 {
		return nil
	}
	return tx.Expire(ctx, gone, at)
}

// expendable gives the releases whose artifacts nobody needs. needed are those that a manifest may name.
func expendable(stock []Release, needed map[uuid.UUID]bool, keep int, at time.Time) (gone []Release) {
	var served, drafts []Release
	digests := make(map[string]bool)
	for _, r := range stock {
		switch {
		case r.Served > 0:
			served = append(served, r)
		case !r.ApprovedAt.IsZero():
			digests[r.Digest] = true
		default:
			drafts = append(drafts, r)
		}
	}
	slices.SortFunc(served, func(a, b Release) int { return cmp.Compare(b.Served, a.Served) })
	slices.SortFunc(drafts, func(a, b Release) int { return cmp.Compare(b.Number, a.Number) })
	for i, r := range served {
		if i < keep || needed[r.ID] {
			digests[r.Digest] = true
		}
	}
	for i, r := range drafts {
		if i < newestDrafts || i < maxDrafts && at.Sub(r.CreatedAt) < draftLife {
			digests[r.Digest] = true
		}
	}
	for _, r := range stock {
		if !digests[r.Digest] {
			gone = append(gone, r)
		}
	}
	return gone
}
