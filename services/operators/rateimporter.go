package operators

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// RateImporter stores rate decks. It is safe for concurrent use; each import takes memory for the whole deck, so callers
// bound how many run.
type RateImporter struct {
	store     Store
	workbooks Workbooks
	wake      Waker
	now       func() time.Time
	log       *slog.Logger
}

// NewRateImporter returns an importer that takes the moment of an import from now.
func NewRateImporter(store Store, workbooks Workbooks, wake Waker, now func() time.Time, log *slog.Logger) *RateImporter {
	return &RateImporter{store: store, workbooks: workbooks, wake: wake, now: now, log: log}
}

// ImportRates stores a deck, all of it or nothing, or says what it would change when the request only validates. Bad
// lines are part of the result. The error is a fault: of the request, NotFound when there is no such operator, or of the
// store. A repeated request answers the counts of the first.
func (i *RateImporter) ImportRates(ctx context.Context, r Request, deck Deck, progress Progress) (RateDiff, error) {
	ctx, cancel := context.WithTimeout(ctx, importLimit)
	defer cancel()
	if err := deck.check(); err != nil {
		return RateDiff{}, err
	}
	if former, done, err := i.former(ctx, r); done || err != nil {
		return former, err
	}
	lines, headers, bad, err := deck.read(ctx, i.workbooks, progress)
	if err != nil {
		return RateDiff{}, err
	}
	if bad.Count() > 0 {
		return refusedDeck(bad, headers), nil
	}
	var diff RateDiff
	end, err := change{
		Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (string, error) {
			if _, err := liveTarget(ctx, tx, Target{ID: deck.OperatorID}); err != nil {
				return "", err
			}
			present, err := tx.RatesFrom(ctx, deck.OperatorID, at)
			if err != nil {
				return "", err
			}
			plan := planRates(deck.OperatorID, deck.Scope, lines, present, at)
			if plan.bad.Count() > 0 {
				diff = refusedDeck(plan.bad, headers)
				return "", errRefused
			}
			if !r.ValidateOnly {
				// A preview does not write a whole price list to take it back again: the diff says it all.
				if err := plan.store(ctx, tx, r, deck, at, progress); err != nil {
					return "", err
				}
			}
			diff = plan.diff
			diff.Applied = true
			return string(mustJSON(replyOf(diff))), nil
		},
		again: func(_ context.Context, _ Tx, reply string) (err error) {
			diff, err = repliedDiff(reply)
			return err
		},
	}.run(ctx, i.store, i.wake, i.now)
	switch {
	case errors.Is(err, errRefused):
		return diff, nil
	case err != nil:
		return RateDiff{}, err
	}
	diff.Headers = headers
	switch end {
	case rehearsed:
		diff.Applied = false
	case committed:
		i.log.InfoContext(ctx, "rates imported", "operator_id", deck.OperatorID, "new", diff.New, "raised", diff.Raised, "lowered", diff.Lowered,
			"ended", diff.Ended, "currency", diff.Currency, "unchanged", diff.Unchanged, "config_version", diff.ConfigVersion)
	}
	return diff, nil
}

// former looks for a former run of the request, so that the deck of a repeated one is not read.
func (i *RateImporter) former(ctx context.Context, r Request) (diff RateDiff, done bool, err error) {
	if r.ID == "" || r.ValidateOnly {
		return RateDiff{}, false, r.check()
	}
	done, err = change{Request: r, again: func(_ context.Context, _ Tx, reply string) (err error) {
		diff, err = repliedDiff(reply)
		return err
	}}.foresee(ctx, i.store, i.now, func(context.Context, Tx) error { return nil })
	return diff, done, err
}

// store writes what the plan asks for, and everything that belongs to it. A plan that asks for nothing leaves no trace.
func (p *ratePlan) store(ctx context.Context, tx Tx, r Request, deck Deck, at time.Time, progress Progress) error {
	total := int64(len(p.put) + len(p.gone))
	if total == 0 {
		return nil
	}
	progress.report(0, total)
	if err := tx.StoreRates(ctx, p.put, p.gone, func(done int64) { progress.report(done, total) }); err != nil {
		return err
	}
	version, err := tx.RaiseConfigVersion(ctx, true, at)
	if err != nil {
		return err
	}
	p.diff.ConfigVersion = version
	return tx.Record(ctx, r, Entry{
		Action: "rates.import", Entity: "operator", EntityID: deck.OperatorID.String(), At: at,
		After: mustJSON(auditedDeck{
			OperatorID: deck.OperatorID, Scope: deck.Scope.String(), Stored: int64(len(p.put)), Removed: int64(len(p.gone)), rateReply: replyOf(p.diff),
		}),
		Events: []Event{{ID: newID(), Kind: EventUpdated, ConfigVersion: version, OccurredAt: at}},
	})
}

// auditedDeck is what the audit log keeps of an import: rates are too many to be kept there, and their table holds
// those of the past.
type auditedDeck struct {
	OperatorID uuid.UUID `json:"operator_id"`
	Scope      string    `json:"scope"`
	// Stored and Removed are rows.
	Stored  int64 `json:"stored"`
	Removed int64 `json:"removed"`
	rateReply
}

// rateReply is what a repeated request is answered from.
type rateReply struct {
	New           int64 `json:"new"`
	Raised        int64 `json:"raised"`
	Lowered       int64 `json:"lowered"`
	Ended         int64 `json:"ended"`
	Currency      int64 `json:"currency"`
	Unchanged     int64 `json:"unchanged"`
	ConfigVersion int64 `json:"config_version"`
}

func replyOf(d RateDiff) rateReply {
	return rateReply{
		New: d.New, Raised: d.Raised, Lowered: d.Lowered, Ended: d.Ended, Currency: d.Currency, Unchanged: d.Unchanged, ConfigVersion: d.ConfigVersion,
	}
}

func repliedDiff(reply string) (RateDiff, error) {
	var r rateReply
	if err := json.Unmarshal([]byte(reply), &r); err != nil {
		return RateDiff{}, fmt.Errorf("read the reply of a former request: %w", err)
	}
	return RateDiff{
		New: r.New, Raised: r.Raised, Lowered: r.Lowered, Ended: r.Ended, Currency: r.Currency, Unchanged: r.Unchanged, ConfigVersion: r.ConfigVersion,
		Applied: true,
	}, nil
}

func refusedDeck(bad *BadLines, headers []string) RateDiff {
	return RateDiff{BadLines: bad.List(), BadLineCount: bad.Count(), Headers: headers}
}
