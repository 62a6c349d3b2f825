package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
)

// readLimit bounds one read outside a transaction.
const readLimit = 10 * time.Second

// Encode writes an event as it is published. An error keeps the change from being committed.
type Encode func(e operators.Event) (subject string, payload []byte, err error)

// Store keeps operators, rules and rates. It is safe for concurrent use.
type Store struct {
	db     *bun.DB
	reader *bunstore.Reader
	encode Encode
	// bulks are the operators whose rates a bulk changes, on SQLite.
	bulks sync.Map
}

var _ operators.AdminStore = (*Store)(nil)

// New returns a store over a database that bunstore opened and whose migrations
// are applied. Reads outside transactions go through the reader of the same
// database.
func New(db *bun.DB, reader *bunstore.Reader, encode Encode) *Store {
	return &Store{db: db, reader: reader, encode: encode}
}

// read runs one read, on the primary or a replica. do may run twice and begins
// its result anew each time.
func (s *Store) read(
	ctx context.Context, name string, do func(ctx context.Context, db bun.IDB) error,
) (operators.Freshness, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	account := caller.From(ctx).Account
	fresh, err := s.reader.Read(bunstore.WithQueryName(ctx, name), func(ctx context.Context, db bun.IDB) error {
		return bunstore.ForAccount(ctx, db, account, do)
	})
	return operators.Freshness{Stale: fresh.Stale, Age: fresh.Age}, err
}

// Operator returns one operator, also a deleted one. Without the primary an
// operator that the replica does not have is no NotFound: it may be new.
func (s *Store) Operator(ctx context.Context, id uuid.UUID) (o operators.Operator, fresh operators.Freshness, err error) {
	fresh, err = s.read(ctx, "operator", func(ctx context.Context, db bun.IDB) (err error) {
		o, err = readOperator(ctx, db, id)
		return err
	})
	if fresh.Stale && fault.Is(err, operators.ReasonNoSuchOperator) {
		err = fault.New(fault.Unavailable, bunstore.ReasonUnavailable,
			"The database answers from a replica, which has no operator with this id. It may be new: try again.").
			WithRetry(time.Second).Wrap(err)
	}
	return o, fresh, err
}

// LiveOperators returns every live operator by name.
func (s *Store) LiveOperators(ctx context.Context) (all []operators.Operator, fresh operators.Freshness, err error) {
	fresh, err = s.read(ctx, "live_operators", func(ctx context.Context, db bun.IDB) (err error) {
		all, err = liveOperators(ctx, db)
		return err
	})
	return all, fresh, err
}

// ListOperators returns a page of operators by name and id, and whether there
// are more.
func (s *Store) ListOperators(
	ctx context.Context, filter operators.OperatorFilter,
) (page []operators.Operator, more bool, fresh operators.Freshness, err error) {
	fresh, err = s.read(ctx, "list_operators", func(ctx context.Context, db bun.IDB) (err error) {
		page, more, err = listOperators(ctx, db, filter)
		return err
	})
	return page, more, fresh, err
}

// like makes a text part of a LIKE pattern that stands for itself; ! escapes.
var like = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func listOperators(ctx context.Context, db bun.IDB, f operators.OperatorFilter) ([]operators.Operator, bool, error) {
	var rows []operatorRow
	query := db.NewSelect().Model(&rows).Order("name", "operator_id").Limit(int64(f.Limit) + 1)
	if !f.ShowDeleted {
		query = query.Where("deleted_at IS NULL")
	}
	if len(f.Statuses) > 0 {
		texts := make([]string, len(f.Statuses))
		for i, status := range f.Statuses {
			texts[i] = status.String()
		}
		query = query.Where("status IN (?)", bun.List(texts))
	}
	if len(f.BindStates) > 0 {
		texts := make([]string, len(f.BindStates))
		for i, state := range f.BindStates {
			texts[i] = state.String()
		}
		// As Health.Aged has it.
		query = query.Where(`COALESCE((SELECT h.bind_state FROM operator_health AS h WHERE h.operator_id = o.operator_id AND o.deleted_at IS NULL
			AND (h.bind_state = 'UNBOUND' OR h.quality = 'UNHEALTHY' OR h.observed_at >= ?)), 'UNKNOWN') IN (?)`,
			f.Now.Add(-operators.HealthTTL), bun.List(texts))
	}
	if f.Search != "" {
		pattern := "%" + like.Replace(f.Search) + "%"
		query = query.Where("(lower(name) LIKE lower(?0) ESCAPE '!' OR host LIKE lower(?0) ESCAPE '!' OR lower(system_id) LIKE lower(?0) ESCAPE '!')", pattern)
	}
	if f.AfterName != "" {
		query = query.Where("(name, operator_id) > (?, ?)", f.AfterName, f.AfterID)
	}
	if err := query.Scan(ctx); err != nil {
		return nil, false, bunstore.Fault(err)
	}
	all, err := convert(rows[:min(f.Limit, len(rows))], operatorRow.operator)
	return all, len(rows) > f.Limit, err
}

func liveOperators(ctx context.Context, db bun.IDB) ([]operators.Operator, error) {
	var rows []operatorRow
	if err := db.NewSelect().Model(&rows).Where("deleted_at IS NULL").Order("name").Scan(ctx); err != nil {
		return nil, bunstore.Fault(err)
	}
	return convert(rows, operatorRow.operator)
}

func readOperator(ctx context.Context, db bun.IDB, id uuid.UUID) (operators.Operator, error) {
	var row operatorRow
	err := db.NewSelect().Model(&row).Where("operator_id = ?", id).Scan(ctx)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return operators.Operator{}, operators.NoSuchOperator()
	case err != nil:
		return operators.Operator{}, bunstore.Fault(err)
	}
	o, err := row.operator()
	if err != nil {
		return operators.Operator{}, corrupt(err)
	}
	return o, nil
}

func convert[Row, Value any](rows []Row, one func(Row) (Value, error)) ([]Value, error) {
	all := make([]Value, 0, len(rows))
	for _, row := range rows {
		value, err := one(row)
		if err != nil {
			return nil, corrupt(err)
		}
		all = append(all, value)
	}
	return all, nil
}

// corrupt is a row that this version cannot read: written by hand or by a newer
// version.
func corrupt(err error) error {
	return fault.From(fmt.Errorf("a stored row cannot be read: %w", err))
}
