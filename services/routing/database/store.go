package database

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

// Store reads the routing rules.
type Store struct {
	db    *bun.DB
	clock clock.Clock
}

// NewStore gives a store over an open database.
func NewStore(db *bun.DB, clk clock.Clock) *Store { return &Store{db: db, clock: clk} }

const stateQuery = `SELECT s.config_version, s.rules_version,
	coalesce((SELECT max(length(prefix)) FROM routing_rules WHERE deleted_at IS NULL), 1),
	coalesce((SELECT max(length(prefix)) FROM rates), 1)
FROM config_state AS s`

// stateTimeout bounds a look at the state. It is short, because an engine turns to operator-management after it.
const stateTimeout = 2 * time.Second

// State reads the versions and the longest prefix.
func (s *Store) State(ctx context.Context) (routing.State, error) {
	caller := ctx
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "state"), stateTimeout)
	defer cancel()
	st, err := state(ctx, s.db)
	return st, hung(caller, err)
}

// Check answers nil when the store can be read.
func (s *Store) Check(ctx context.Context) error {
	_, err := s.State(ctx)
	return err
}

func state(ctx context.Context, db bun.IDB) (routing.State, error) {
	var st routing.State
	var rules, rates int
	err := db.QueryRowContext(ctx, stateQuery).Scan(&st.Versions.Config, &st.Versions.Rules, &rules, &rates)
	if err != nil {
		return routing.State{}, readFault(err)
	}
	st.Longest = max(rules, rates) - len("+")
	return st, nil
}

// rows runs a query and hands every row to each, which must scan it.
func rows(ctx context.Context, db bun.IDB, query string, each func(*sql.Rows) error, args ...any) (err error) {
	result, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return readFault(err)
	}
	defer func() { err = errors.Join(err, readFault(result.Close())) }()
	for result.Next() {
		if err := each(result); err != nil {
			return readFault(err)
		}
	}
	return readFault(result.Err())
}

// readFault makes every failure to read UNAVAILABLE but the ones the driver knows better: to a caller
// of the engine a broken store and one that is down are the same.
func readFault(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	f := fault.From(bunstore.Fault(err))
	if f.Kind == fault.Unavailable {
		return f
	}
	return fault.New(fault.Unavailable, ReasonUnavailable, "the store of routing rules cannot be read").
		WithRetry(retryAfter).Wrap(err)
}

// hung turns the end of our own patience into UNAVAILABLE: to the caller, whose time is not up, a store that
// hangs and one that is down are the same.
func hung(caller context.Context, err error) error {
	if err != nil && caller.Err() == nil && fault.From(err).Kind == fault.DeadlineExceeded {
		return fault.New(fault.Unavailable, ReasonUnavailable, "the store of routing rules does not answer").
			WithRetry(retryAfter).Wrap(err)
	}
	return err
}

const operatorsQuery = `SELECT s.config_version, s.rules_version, ` + operatorColumns + `
FROM config_state AS s LEFT JOIN operators AS o ON o.deleted_at IS NULL`

// operatorsTimeout bounds the read of all operators, of which there are hundreds at most.
const operatorsTimeout = 5 * time.Second

// Operators reads all live operators and the versions they belong to, in one statement.
func (s *Store) Operators(ctx context.Context) (operators []routing.Operator, v routing.Versions, err error) {
	caller := ctx
	ctx, cancel := context.WithTimeout(bunstore.WithQueryName(ctx, "operators"), operatorsTimeout)
	defer cancel()
	err = rows(ctx, s.db, operatorsQuery, func(r *sql.Rows) error {
		var o operatorRow
		if err := r.Scan(append([]any{&v.Config, &v.Rules}, o.fields()...)...); err != nil {
			return err
		}
		if o.id.Valid {
			operators = append(operators, o.operator())
		}
		return nil
	})
	return operators, v, hung(caller, err)
}

// fxRates reads the worth of every currency.
func fxRates(ctx context.Context, db bun.IDB) (map[money.Currency]int64, error) {
	fx := map[money.Currency]int64{}
	err := rows(ctx, db, `SELECT currency, rate_nanos FROM fx_rates`, func(r *sql.Rows) error {
		var code string
		var nanos int64
		if err := r.Scan(&code, &nanos); err != nil {
			return err
		}
		if currency, err := money.ParseCurrency(code); err == nil {
			fx[currency] = nanos
		}
		return nil
	})
	return fx, err
}
