package database

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/telemetry"
)

// chunk is how many rows go into one statement: enough that round trips do not
// count, few enough that a statement stays below 1 MB.
const chunk = 1000

// retryBusy is when to try again after another change took too long.
const retryBusy = 5 * time.Second

type tx struct {
	releases
	tx     bun.Tx
	encode Encode
	// What the transaction stored so far: rules, each with the version under which it comes into force, and what no row
	// tells of, that is prices and what currencies are worth.
	rules, untold bool
}

var _ operators.Tx = (*tx)(nil)

// InTx runs do in a serializable transaction. Writers queue from the start: a
// long import would otherwise find out only at its end that it has to run again.
//
// On PostgreSQL they queue at the table of the configuration's version, which
// readers do not wait for. LOCK TABLE comes before the transaction's snapshot, so
// who waited sees everything that was committed meanwhile and does not run again,
// as it would after waiting for a row. The lock is held until a commit is decided,
// also one whose session is gone. SQLite has one writer at a time.
func (s *Store) InTx(ctx context.Context, do func(ctx context.Context, tx operators.Tx) error) error {
	// A change fails at once while the primary is known to be down: one that hangs would hold it up to its deadline.
	if err := s.reader.CheckPrimary(ctx); err != nil {
		return err
	}
	return bunstore.Serializable(ctx, s.db, func(ctx context.Context, inner bun.Tx) error {
		if bunstore.DialectOf(inner) == bunstore.Postgres {
			// Shorter than a call may take, so that who waits in vain learns why.
			if err := lockConfig(ctx, inner, "SET LOCAL lock_timeout = '5s'"); err != nil {
				return err
			}
		}
		if err := bunstore.Bind(ctx, inner, caller.From(ctx).Account); err != nil {
			return err
		}
		return do(ctx, s.within(inner))
	})
}

// within makes a transaction of the database one of changes.
func (s *Store) within(inner bun.Tx) *tx {
	return &tx{releases: releases{inner}, tx: inner, encode: s.encode}
}

// lockConfig waits, as long as the settings allow, until no other change runs, and keeps others waiting until the
// transaction ends.
func lockConfig(ctx context.Context, inner bun.Tx, settings ...string) error {
	for _, statement := range append(settings, "LOCK TABLE config_state IN SHARE ROW EXCLUSIVE MODE") {
		if _, err := inner.NewRaw(statement).Exec(bunstore.WithQueryName(ctx, "lock_config")); err != nil {
			return busy(err)
		}
	}
	return nil
}

// Operator returns one operator, also a deleted one.
func (t *tx) Operator(ctx context.Context, id uuid.UUID) (operators.Operator, error) {
	return readOperator(bunstore.WithQueryName(ctx, "operator"), t.tx, id)
}

// LiveOperators returns every live operator by name.
func (t *tx) LiveOperators(ctx context.Context) ([]operators.Operator, error) {
	return liveOperators(bunstore.WithQueryName(ctx, "live_operators"), t.tx)
}

// PutOperators inserts operators or replaces those with the same id.
func (t *tx) PutOperators(ctx context.Context, all []operators.Operator) error {
	ctx, span := telemetry.Span(bunstore.WithQueryName(ctx, "put_operators"), "ops.pg.insertOperator")
	defer span.End()
	for part := range slices.Chunk(all, chunk) {
		rows := make([]operatorRow, len(part))
		for i, o := range part {
			rows[i] = fromOperator(o)
		}
		query := t.tx.NewInsert().Model(&rows).On("CONFLICT (operator_id) DO UPDATE")
		for _, column := range changingOperator {
			query = query.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
		}
		if _, err := query.Exec(ctx); err != nil {
			return duplicate(err, operators.ReasonDuplicateOperator, "A live operator has this name, or this host, port and system_id.")
		}
	}
	return nil
}

// carries is true for a rule r and an operator o that have a message type in common. Types are lists such as SMS,WAP
// in which no name is part of another; an empty list is every type.
const carries = `(r.message_types = ''
	OR r.message_types LIKE '%SMS%' AND o.message_types LIKE '%SMS%'
	OR r.message_types LIKE '%FLASH%' AND o.message_types LIKE '%FLASH%'
	OR r.message_types LIKE '%WAP%' AND o.message_types LIKE '%WAP%')`

// IdleRules returns active rules that name the operator and have no usable one.
func (t *tx) IdleRules(ctx context.Context, operator uuid.UUID, at time.Time, limit int) ([]operators.Rule, error) {
	var rows []ruleRow
	err := t.tx.NewSelect().Model(&rows).
		Where("r.deleted_at IS NULL AND r.active").
		Where("r.valid_to IS NULL OR r.valid_to > ?", at).
		Where("r.rule_id IN (SELECT rule_id FROM rule_candidates WHERE operator_id = ?)", operator).
		Where(`NOT EXISTS (SELECT 1 FROM rule_candidates AS c JOIN operators AS o ON o.operator_id = c.operator_id
			WHERE c.rule_id = r.rule_id AND o.deleted_at IS NULL AND o.status = 'ACTIVE' AND o.bind_type <> 'RECEIVER' AND `+carries+`)`).
		Order("r.prefix", "r.rule_id").Limit(int64(limit)).
		Scan(bunstore.WithQueryName(ctx, "idle_rules"))
	if err != nil {
		return nil, bunstore.Fault(err)
	}
	return convert(rows, ruleRow.rule)
}

// The SQLSTATEs of a statement that took longer than it may, and of a lock that was not to be had in time.
const (
	queryCanceled    = "57014"
	lockNotAvailable = "55P03"
)

// busy tells a change that waited in vain from one that cannot reach the database.
func busy(err error) error {
	var server *pgconn.PgError
	if errors.As(err, &server) && (server.Code == queryCanceled || server.Code == lockNotAvailable) {
		return fault.New(fault.Unavailable, operators.ReasonBusy,
			"Another change, such as a long import, is not finished yet. Nothing was changed: try again.").WithRetry(retryBusy).Wrap(err)
	}
	return bunstore.Fault(err)
}

func duplicate(err error, reason, message string) error {
	err = bunstore.Fault(err)
	if fault.Is(err, bunstore.ReasonDuplicate) {
		return fault.New(fault.AlreadyExists, reason, "%s", message).Wrap(err)
	}
	return err
}
