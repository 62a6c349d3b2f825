package operators

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

// ReasonImportRunning refuses an import while another one runs that it cannot run beside.
const ReasonImportRunning = "IMPORT_RUNNING"

// retryImport is when to try again after another import was in the way.
const retryImport = 10 * time.Second

// ImportRunning is the fault of an import of rates while another one of the same operator runs.
func ImportRunning() error {
	return fault.New(fault.ResourceExhausted, ReasonImportRunning,
		"Another import of this operator's rates is running. Wait for it to end, then look at what it left.").WithRetry(retryImport)
}

// RateImporter stores rate decks. It is safe for concurrent use; each import takes memory for the whole deck, so callers
// bound how many run.
type RateImporter struct {
	store     RateImportStore
	workbooks Workbooks
	wake      Waker
	now       func() time.Time
	log       *slog.Logger
}

// NewRateImporter returns an importer that takes the moment of an import from now.
func NewRateImporter(store RateImportStore, workbooks Workbooks, wake Waker, now func() time.Time, log *slog.Logger) *RateImporter {
	return &RateImporter{store: store, workbooks: workbooks, wake: wake, now: now, log: log}
}

// ImportRates stores a deck, all of it or nothing, or says what it would change when the request only validates. Bad
// lines are part of the result. The error is a fault: of the request, NotFound when there is no such operator,
// ResourceExhausted ReasonImportRunning, or of the store. A repeated request answers the counts of the first.
//
// A deck may take the better part of a minute to be stored, so other changes go on until its last moment; a preview only
// reads, and waits for nobody.
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
	one := rateImport{Request: r, deck: deck, lines: lines, progress: progress, now: i.now}
	if r.ValidateOnly {
		err = i.store.View(ctx, one.plan)
	} else {
		err = i.store.InBulk(ctx, Bulk{Operator: deck.OperatorID, Plan: one.plan, Write: one.write, Finish: one.finish})
	}
	diff := one.diff
	switch {
	case errors.Is(err, errRepeated):
		diff = one.former
	case errors.Is(err, errRefused):
		return refusedDeck(one.bad, headers), nil
	case err != nil:
		return RateDiff{}, err
	case !r.ValidateOnly:
		diff.Applied = true
		i.wake.Wake()
		i.log.InfoContext(ctx, "rates imported", "operator_id", deck.OperatorID, "new", diff.New, "raised", diff.Raised, "lowered", diff.Lowered,
			"ended", diff.Ended, "currency", diff.Currency, "unchanged", diff.Unchanged, "config_version", diff.ConfigVersion)
	}
	diff.Headers = headers
	return diff, nil
}

// errRepeated ends the transaction of an import that was done before.
var errRepeated = errors.New("the import was done before")

// rateImport is one import on its way into the store.
type rateImport struct {
	Request
	deck     Deck
	lines    []deckLine
	progress Progress
	now      func() time.Time

	ratePlan
	// former is the answer when it was done before.
	former RateDiff
}

// plan compares the deck with what is stored.
func (o *rateImport) plan(ctx context.Context, tx Tx) error {
	at := moment(o.now())
	if err := o.start(ctx, tx, at); err != nil {
		return err
	}
	present, err := tx.RatesFrom(ctx, o.deck.OperatorID, at)
	if err != nil {
		return err
	}
	o.ratePlan = planRates(o.deck.OperatorID, o.deck.Scope, o.lines, present, at)
	if o.bad.Count() > 0 {
		return errRefused
	}
	return nil
}

// start is what must hold when an import begins and again when it ends, for others may have changed it meanwhile.
func (o *rateImport) start(ctx context.Context, tx Tx, at time.Time) error {
	if !o.ValidateOnly {
		reply, known, err := tx.Repeated(ctx, o.Request, at)
		if err != nil {
			return err
		}
		if known {
			if o.former, err = repliedDiff(reply); err != nil {
				return err
			}
			return errRepeated
		}
	}
	_, err := liveTarget(ctx, tx, Target{ID: o.deck.OperatorID})
	return err
}

// write stores what the plan asks for.
func (o *rateImport) write(ctx context.Context, tx Tx) error {
	total := o.rows()
	if total == 0 {
		return nil
	}
	o.progress.report(0, total)
	return tx.StoreRates(ctx, o.put, o.gone, func(done int64) { o.progress.report(done, total) })
}

// finish stores everything that belongs to the rates. A plan that asks for nothing leaves no trace. Engines read the
// rates when they see the version rise, and the outbox takes events in the order of their times: so both are of the end.
func (o *rateImport) finish(ctx context.Context, tx Tx) error {
	at := moment(o.now())
	if err := o.start(ctx, tx, at); err != nil {
		return err
	}
	if o.rows() > 0 {
		version, err := tx.RaiseConfigVersion(ctx, true, at)
		if err != nil {
			return err
		}
		o.diff.ConfigVersion = version
		err = tx.Record(ctx, o.Request, Entry{
			Action: "rates.import", Entity: "operator", EntityID: o.deck.OperatorID.String(), At: at,
			After: mustJSON(auditedDeck{
				OperatorID: o.deck.OperatorID, Scope: o.deck.Scope.String(), Stored: int64(len(o.put)), Removed: int64(len(o.gone)),
				rateReply: replyOf(o.diff),
			}),
			Events: []Event{{ID: newID(), Kind: EventUpdated, ConfigVersion: version, OccurredAt: at}},
		})
		if err != nil {
			return err
		}
	}
	return tx.Remember(ctx, o.Request, string(mustJSON(replyOf(o.diff))), at)
}

// former looks for a former run of the request, so that the deck of a repeated one is not read. One that is just being
// committed is found later, by start.
func (i *RateImporter) former(ctx context.Context, r Request) (diff RateDiff, done bool, err error) {
	if err := r.check(); err != nil || r.ID == "" || r.ValidateOnly {
		return RateDiff{}, false, err
	}
	err = i.store.View(ctx, func(ctx context.Context, tx Tx) (err error) {
		var reply string
		if reply, done, err = tx.Repeated(ctx, r, moment(i.now())); err == nil && done {
			diff, err = repliedDiff(reply)
		}
		return err
	})
	return diff, done && err == nil, err
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
