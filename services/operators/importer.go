package operators

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

// ReasonFileTooLarge and ReasonOperatorsChanged are the faults of an import that
// are not about a line.
const (
	ReasonFileTooLarge     = "FILE_TOO_LARGE"
	ReasonOperatorsChanged = "OPERATORS_CHANGED"
)

// importLimit bounds one import, whatever the caller allows.
const importLimit = 5 * time.Minute

// ImportStore is what an import needs to be kept.
type ImportStore interface {
	Store
	Viewer
	// LiveOperators gives every live operator.
	LiveOperators(ctx context.Context) ([]Operator, Freshness, error)
}

// Viewer shows what is stored.
type Viewer interface {
	// View runs do on one state of everything and stores nothing. It waits for no change, and no change waits for it. The
	// error is that of do, or a fault of the store.
	View(ctx context.Context, do func(ctx context.Context, tx Tx) error) error
}

// Importer stores files. It is safe for concurrent use.
type Importer struct {
	store ImportStore
	wake  Waker
	now   func() time.Time
	log   *slog.Logger
	// ceiling is as for RuleAdmin.
	ceiling money.Money
}

// NewImporter returns an importer that takes the time of a change from now. Prices per segment above the ceiling are
// warned of; the zero Money is no ceiling.
func NewImporter(store ImportStore, wake Waker, now func() time.Time, log *slog.Logger, ceiling money.Money) *Importer {
	return &Importer{store: store, wake: wake, now: now, log: log, ceiling: ceiling}
}

// Progress is called now and then, and may be nil. It counts lines while the file is read and rows while they are
// stored; total is that of the phase, and done starts again in each phase and when a transaction runs again.
type Progress func(done, total int64)

// Result says what an import did. With bad lines nothing was stored.
type Result struct {
	Created, Updated, Unchanged int64
	BadLines                    []BadLine
	BadLineCount                int64
	// Warnings are worth a look and kept nothing from being stored; at most MaxBadLines. A repeated request gets their
	// number only.
	Warnings     []ImportWarning
	WarningCount int64
	// Applied tells whether the rows are stored. It is true when nothing differed.
	Applied bool
	// ConfigVersion is the version after the import; 0 when nothing was stored.
	ConfigVersion int64
}

// ImportWarning is something to look at in a file that was taken.
type ImportWarning struct {
	// Line counts from 1, which is the header; 0 is no line.
	Line int64
	// Reason is a stable name, such as NO_CREDENTIALS.
	Reason  string
	Message string
	// Witness is a number, in E.164, that shows it; "" when there is none.
	Witness string
}

func (r *Result) warn(w ImportWarning) {
	if r.WarningCount++; len(r.Warnings) < MaxBadLines {
		r.Warnings = append(r.Warnings, w)
	}
}

// warnOf takes over what the conflict checker warns of.
func (r *Result) warnOf(report Report) {
	before := r.WarningCount
	for _, f := range report.Findings {
		if f.Severity == SeverityWarning {
			r.warn(ImportWarning{Line: f.Line, Reason: f.Reason, Message: f.Message, Witness: f.Witness.Raw()})
		}
	}
	// The report counts those too that it did not keep.
	r.WarningCount = before + int64(report.Warnings)
}

// errRefused ends the transaction of an import with bad lines.
var errRefused = errors.New("the file has bad lines")

// source is one file on its way into the store.
type source struct {
	// entity is what the file holds: operator or rule.
	entity string
	// rules tells that the version of the rules rises too.
	rules bool
	// plan compares the file with what is stored, and only reads. With errRefused the bad lines are in the result.
	plan func(ctx context.Context, tx Tx, at time.Time) (planned, error)
}

// planned is what a file would change.
type planned struct {
	Result
	// store writes the rows; nil when there are none.
	store func(ctx context.Context, tx Tx) error
	// changes are kept by the audit log.
	changes auditedChanges
	// credentialsChanged tells connectors to fetch their credentials again.
	credentialsChanged bool
}

// ImportOperators stores a file of operators. Bad lines are part of the result; the error is a fault of the store or of
// ctx.
func (i *Importer) ImportOperators(ctx context.Context, r Request, file []byte, progress Progress) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, importLimit)
	defer cancel()
	if err := checkSize(file); err != nil {
		return Result{}, err
	}
	if former, done, err := i.former(ctx, r); done || err != nil {
		return former, err
	}
	lines, bad, err := ParseOperators(reader(ctx, file), progress.reading(file))
	if err != nil {
		return Result{}, err
	}
	if bad.Count() > 0 {
		return refused(bad), nil
	}
	return i.take(ctx, r, source{entity: "operator", plan: func(ctx context.Context, tx Tx, at time.Time) (planned, error) {
		live, err := tx.LiveOperators(ctx)
		if err != nil {
			return planned{}, err
		}
		put, result, lost, bad := planOperators(lines, live, r.Actor, at)
		if bad.Count() > 0 {
			return planned{Result: refused(bad)}, errRefused
		}
		if err := result.warnIdle(ctx, tx, live, put, lost, at); err != nil {
			return planned{}, err
		}
		if total := int64(len(put)); total > 0 {
			result.store = func(ctx context.Context, tx Tx) error {
				progress.report(0, total)
				if err := tx.PutOperators(ctx, put); err != nil {
					return err
				}
				progress.report(total, total)
				return nil
			}
		}
		return result, nil
	}})
}

// ImportRules stores a file of rules. Bad lines are part of the result; the error
// is a fault of the store or of ctx, and Aborted ReasonOperatorsChanged when an
// operator that the file names was deleted meanwhile.
func (i *Importer) ImportRules(ctx context.Context, r Request, file []byte, progress Progress) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, importLimit)
	defer cancel()
	if err := checkSize(file); err != nil {
		return Result{}, err
	}
	if former, done, err := i.former(ctx, r); done || err != nil {
		return former, err
	}
	known, _, err := i.store.LiveOperators(ctx)
	if err != nil {
		return Result{}, err
	}
	lines, bad, err := ParseRules(reader(ctx, file), Resolve(known), progress.reading(file))
	if err != nil {
		return Result{}, err
	}
	if bad.Count() > 0 {
		return refused(bad), nil
	}
	return i.take(ctx, r, source{entity: "rule", rules: true, plan: func(ctx context.Context, tx Tx, at time.Time) (planned, error) {
		operators, err := tx.LiveOperators(ctx)
		if err != nil {
			return planned{}, err
		}
		if !stillLive(lines, operators) {
			return planned{}, fault.New(fault.Aborted, ReasonOperatorsChanged,
				"An operator that the file names was deleted during the import. Try again.")
		}
		live, err := tx.LiveRules(ctx, prefixes(lines))
		if err != nil {
			return planned{}, err
		}
		put, result := planRules(lines, live, r.Actor, at)
		if len(put) == 0 {
			return result, nil
		}
		report, bad, err := checkImport(ctx, tx, lines, put, at, i.ceiling)
		if err != nil {
			return planned{}, err
		}
		if bad.Count() > 0 {
			return planned{Result: refused(bad)}, errRefused
		}
		result.warnOf(report)
		result.store = func(ctx context.Context, tx Tx) error {
			total := int64(len(put))
			progress.report(0, total)
			return tx.PutRules(ctx, put, func(done int64) { progress.report(done, total) })
		}
		return result, nil
	}})
}

// take runs an import's transaction. One that only validates reads one state of the store, and waits for nobody.
//
// Rules and operators are stored in the queue of all changes: their conflict check is about everything that is stored,
// so planning it aside would gain nothing but the need to do it again.
func (i *Importer) take(ctx context.Context, r Request, s source) (Result, error) {
	var result planned
	if r.ValidateOnly {
		err := i.store.View(ctx, func(ctx context.Context, tx Tx) (err error) {
			result, err = s.plan(ctx, tx, moment(i.now()))
			return err
		})
		if err != nil && !errors.Is(err, errRefused) {
			return Result{}, err
		}
		return result.Result, nil
	}
	end, err := change{
		Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (reply string, err error) {
			if result, err = s.plan(ctx, tx, at); err != nil {
				return "", err
			}
			if result.store != nil {
				if err := result.store(ctx, tx); err != nil {
					return "", err
				}
				if result.ConfigVersion, err = s.record(ctx, tx, r, result, at); err != nil {
					return "", err
				}
			}
			result.Applied = true
			return result.reply(), nil
		},
		again: func(_ context.Context, _ Tx, reply string) (err error) {
			result.Result, err = repliedResult(reply)
			return err
		},
	}.run(ctx, i.store, i.wake, i.now)
	switch {
	case errors.Is(err, errRefused):
		return result.Result, nil
	case err != nil:
		return Result{}, err
	case end == committed:
		i.log.InfoContext(ctx, "import committed", "entity", s.entity, "created", result.Created, "updated", result.Updated,
			"unchanged", result.Unchanged, "warnings", result.WarningCount, "config_version", result.ConfigVersion)
	}
	return result.Result, nil
}

// record writes one audit row with the counts and what changed, and one event for created and one for updated rows.
func (s source) record(ctx context.Context, tx Tx, r Request, result planned, at time.Time) (version int64, err error) {
	if version, err = tx.RaiseConfigVersion(ctx, s.rules, at); err != nil {
		return 0, err
	}
	entry := Entry{Action: s.entity + ".import", Entity: s.entity, At: at, After: mustJSON(auditedImport{
		importCounts:   importCounts{Created: result.Created, Updated: result.Updated, Unchanged: result.Unchanged},
		auditedChanges: result.changes,
	})}
	tell := func(kind string, credentialsChanged bool) {
		entry.Events = append(entry.Events, Event{
			ID: newID(), Kind: kind, ConfigVersion: version, CredentialsChanged: credentialsChanged, OccurredAt: at,
		})
	}
	if result.Created > 0 {
		tell(EventCreated, false)
	}
	if result.Updated > 0 {
		tell(EventUpdated, result.credentialsChanged)
	}
	return version, tx.Record(ctx, r, entry)
}

// importCounts is what is kept of an import.
type importCounts struct {
	Created       int64 `json:"created"`
	Updated       int64 `json:"updated"`
	Unchanged     int64 `json:"unchanged"`
	WarningCount  int64 `json:"warning_count,omitempty"`
	ConfigVersion int64 `json:"config_version,omitempty"`
}

func (r Result) reply() string {
	return string(mustJSON(importCounts{
		Created: r.Created, Updated: r.Updated, Unchanged: r.Unchanged, WarningCount: r.WarningCount, ConfigVersion: r.ConfigVersion,
	}))
}

func repliedResult(reply string) (Result, error) {
	var c importCounts
	if err := json.Unmarshal([]byte(reply), &c); err != nil {
		return Result{}, fmt.Errorf("read the reply of a former request: %w", err)
	}
	return Result{
		Created: c.Created, Updated: c.Updated, Unchanged: c.Unchanged, WarningCount: c.WarningCount,
		Applied: true, ConfigVersion: c.ConfigVersion,
	}, nil
}

// former looks for a former run of the request before the file is read: what the file names may be gone by now.
func (i *Importer) former(ctx context.Context, r Request) (result Result, done bool, err error) {
	if r.ID == "" || r.ValidateOnly {
		return Result{}, false, r.check()
	}
	done, err = change{Request: r, again: func(_ context.Context, _ Tx, reply string) (err error) {
		result, err = repliedResult(reply)
		return err
	}}.foresee(ctx, i.store, i.now, func(context.Context, Tx) error { return nil })
	return result, done, err
}

func refused(bad *BadLines) Result {
	return Result{BadLines: bad.List(), BadLineCount: bad.Count()}
}

func (p Progress) report(done, total int64) {
	if p != nil {
		p(done, total)
	}
}
