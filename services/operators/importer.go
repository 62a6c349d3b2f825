package operators

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
)

// ReasonFileTooLarge and ReasonOperatorsChanged are the faults of an import that
// are not about a line.
const (
	ReasonFileTooLarge     = "FILE_TOO_LARGE"
	ReasonOperatorsChanged = "OPERATORS_CHANGED"
)

// importLimit bounds one import, whatever the caller allows.
const importLimit = 5 * time.Minute

// announceLimit bounds telling others about a committed import.
const announceLimit = 5 * time.Second

// Store keeps operators and rules.
type Store interface {
	// InTx runs do in one transaction that behaves as if it were alone, and commits
	// when do returns nil. It may run do several times.
	InTx(ctx context.Context, do func(ctx context.Context, tx Tx) error) error
	// LiveOperators returns every live operator.
	LiveOperators(ctx context.Context) ([]Operator, error)
}

// Tx is what an import does inside a transaction.
type Tx interface {
	// LiveOperators returns every live operator.
	LiveOperators(ctx context.Context) ([]Operator, error)
	// LiveRules returns the live rules of the prefixes, of every account.
	LiveRules(ctx context.Context, prefixes []e164.Prefix) ([]Rule, error)
	// PutOperators inserts operators with new ids and replaces those with known ones.
	PutOperators(ctx context.Context, all []Operator) error
	// PutRules inserts rules with new ids and replaces those with known ones, with
	// their candidates. It reports how many are done, when stored is not nil.
	PutRules(ctx context.Context, all []Rule, stored func(done int64)) error
	// RaiseConfigVersion raises the version of the configuration, and that of the
	// rules too when asked, and returns the former.
	RaiseConfigVersion(ctx context.Context, rulesToo bool, at time.Time) (int64, error)
}

// Change is what a committed import tells others.
type Change struct {
	// ConfigVersion is the version that holds the change.
	ConfigVersion int64
	OccurredAt    time.Time
	// Created and Updated tell whether rows of that kind are in it.
	Created, Updated bool
}

// Announcer tells others about committed changes. It must not fail the change:
// what it cannot deliver, it logs.
type Announcer interface {
	Announce(ctx context.Context, change Change)
}

// Importer stores files. It is safe for concurrent use.
type Importer struct {
	store    Store
	announce Announcer
	now      func() time.Time
	log      *slog.Logger
}

// NewImporter returns an importer that takes the time of a change from now.
func NewImporter(store Store, announce Announcer, now func() time.Time, log *slog.Logger) *Importer {
	return &Importer{store: store, announce: announce, now: now, log: log}
}

// Options of one import.
type Options struct {
	// ValidateOnly does everything but commit.
	ValidateOnly bool
	// Progress is called now and then, and may be nil. It counts lines while the
	// file is read and rows while they are stored; total is that of the phase, and
	// done starts again in each phase and when a transaction runs again.
	Progress func(done, total int64)
}

// Result says what an import did. With bad lines nothing was stored.
type Result struct {
	Created, Updated, Unchanged int64
	BadLines                    []BadLine
	BadLineCount                int64
	// Applied tells whether the rows are stored. It is true when nothing differed.
	Applied bool
	// ConfigVersion is the version after the import; 0 when nothing was stored.
	ConfigVersion int64
}

// errRollback ends the transaction of an import that must not commit.
var errRollback = errors.New("the import does not commit")

// ImportOperators stores a file of operators. Bad lines are part of the result;
// the error is a fault of the store or of ctx.
func (i *Importer) ImportOperators(ctx context.Context, file []byte, options Options) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, importLimit)
	defer cancel()
	if err := checkSize(file); err != nil {
		return Result{}, err
	}
	lines, bad, err := ParseOperators(reader(ctx, file), options.reading(file))
	if err != nil {
		return Result{}, err
	}
	if bad.Count() > 0 {
		return refused(bad), nil
	}
	return i.commit(ctx, "operators", options, func(ctx context.Context, tx Tx, at time.Time) (Result, error) {
		live, err := tx.LiveOperators(ctx)
		if err != nil {
			return Result{}, err
		}
		put, result, bad := planOperators(lines, live, at)
		if bad.Count() > 0 {
			return refused(bad), errRollback
		}
		if len(put) == 0 {
			return result, nil
		}
		options.report(0, int64(len(put)))
		if err := tx.PutOperators(ctx, put); err != nil {
			return Result{}, err
		}
		options.report(int64(len(put)), int64(len(put)))
		result.ConfigVersion, err = tx.RaiseConfigVersion(ctx, false, at)
		return result, err
	})
}

// ImportRules stores a file of rules. Bad lines are part of the result; the error
// is a fault of the store or of ctx, and Aborted ReasonOperatorsChanged when an
// operator that the file names was deleted meanwhile.
func (i *Importer) ImportRules(ctx context.Context, file []byte, options Options) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, importLimit)
	defer cancel()
	if err := checkSize(file); err != nil {
		return Result{}, err
	}
	known, err := i.store.LiveOperators(ctx)
	if err != nil {
		return Result{}, err
	}
	lines, bad, err := ParseRules(reader(ctx, file), Resolve(known), options.reading(file))
	if err != nil {
		return Result{}, err
	}
	if bad.Count() > 0 {
		return refused(bad), nil
	}
	return i.commit(ctx, "rules", options, func(ctx context.Context, tx Tx, at time.Time) (Result, error) {
		operators, err := tx.LiveOperators(ctx)
		if err != nil {
			return Result{}, err
		}
		if !stillLive(lines, operators) {
			return Result{}, fault.New(fault.Aborted, ReasonOperatorsChanged,
				"An operator that the file names was deleted during the import. Try again.")
		}
		live, err := tx.LiveRules(ctx, prefixes(lines))
		if err != nil {
			return Result{}, err
		}
		put, result, bad := planRules(lines, live, at)
		if bad.Count() > 0 {
			return refused(bad), errRollback
		}
		if len(put) == 0 {
			return result, nil
		}
		total := int64(len(put))
		options.report(0, total)
		if err := tx.PutRules(ctx, put, func(done int64) { options.report(done, total) }); err != nil {
			return Result{}, err
		}
		result.ConfigVersion, err = tx.RaiseConfigVersion(ctx, true, at)
		return result, err
	})
}

// commit runs one import's transaction and announces what it changed.
func (i *Importer) commit(
	ctx context.Context, kind string, options Options, do func(context.Context, Tx, time.Time) (Result, error),
) (Result, error) {
	var (
		result Result
		at     time.Time
	)
	err := i.store.InTx(ctx, func(ctx context.Context, tx Tx) (err error) {
		at = i.now()
		result, err = do(ctx, tx, at)
		if err == nil && options.ValidateOnly {
			return errRollback
		}
		return err
	})
	switch {
	case errors.Is(err, errRollback):
		result.ConfigVersion = 0
		return result, nil
	case err != nil:
		return Result{}, err
	}
	result.Applied = true
	i.log.InfoContext(ctx, "import committed", "kind", kind, "created", result.Created, "updated", result.Updated,
		"unchanged", result.Unchanged, "config_version", result.ConfigVersion)
	if result.ConfigVersion > 0 {
		// The change is committed: a caller who goes away now must not keep it from the others.
		told, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceLimit)
		defer cancel()
		i.announce.Announce(told, Change{
			ConfigVersion: result.ConfigVersion, OccurredAt: at,
			Created: result.Created > 0, Updated: result.Updated > 0,
		})
	}
	return result, nil
}

func checkSize(file []byte) error {
	if len(file) > MaxFileBytes {
		return fault.New(fault.InvalidArgument, ReasonFileTooLarge, "The file has more than %d bytes: split it.", MaxFileBytes)
	}
	return nil
}

func refused(bad *BadLines) Result {
	return Result{BadLines: bad.List(), BadLineCount: bad.Count()}
}

func (o Options) report(done, total int64) {
	if o.Progress != nil {
		o.Progress(done, total)
	}
}

func (o Options) reading(file []byte) func(line int64) {
	total := int64(bytes.Count(file, []byte{'\n'}))
	if len(file) > 0 && file[len(file)-1] != '\n' {
		total++
	}
	return func(line int64) { o.report(min(line, total), total) }
}

// reader stops with the error of ctx when that ends.
func reader(ctx context.Context, file []byte) *contextReader {
	return &contextReader{ctx: ctx, Reader: bytes.NewReader(file)}
}

type contextReader struct {
	ctx context.Context
	*bytes.Reader
}

// Read reads from the file.
func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// Resolve returns a resolver over live operators.
func Resolve(live []Operator) Resolver {
	byName := make(map[string]Operator, len(live))
	byID := make(map[uuid.UUID]Operator, len(live))
	for _, o := range live {
		byName[o.Name] = o
		byID[o.ID] = o
	}
	return func(text string) (uuid.UUID, string, bool) {
		o, found := byName[text]
		if !found {
			if id, err := parseUUID(text); err == nil {
				o, found = byID[id]
			}
		}
		return o.ID, o.Name, found
	}
}
