package bunstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlitecode "modernc.org/sqlite/lib"

	"trunkline/services/platform/fault"
)

// The reasons that Fault gives.
const (
	// ReasonUnavailable: the database is down, out of reach, overloaded or too slow.
	ReasonUnavailable = "DATABASE_UNAVAILABLE"
	// ReasonDuplicate: a unique index refused the row.
	ReasonDuplicate = "DUPLICATE"
	// ReasonConflict: a concurrent transaction won, or a lock was not to be had in time.
	ReasonConflict = "SERIALIZATION_FAILURE"
	// ReasonReference: a row that is referred to does not exist, or is still referred to.
	ReasonReference = "REFERENCE_VIOLATION"
	// ReasonConstraint: a value is outside what the schema allows.
	ReasonConstraint = "CONSTRAINT_VIOLATION"
	// ReasonReadOnly: this connection or server takes no writes.
	ReasonReadOnly = "DATABASE_READ_ONLY"
	// ReasonDenied: the database role lacks a right.
	ReasonDenied = "DATABASE_PERMISSION_DENIED"
	// ReasonSchema: a table or column is missing, so migrations are.
	ReasonSchema = "DATABASE_SCHEMA_OUTDATED"
	// ReasonNoRow: the query gave no row.
	ReasonNoRow = "ROW_NOT_FOUND"
)

// retryUnavailable is short: most outages that heal by themselves are failovers
// and restarts, and callers back off on their own.
const retryUnavailable = time.Second

var (
	unavailable = fault.New(fault.Unavailable, ReasonUnavailable, "The database cannot be reached.").WithRetry(retryUnavailable)
	duplicate   = fault.New(fault.AlreadyExists, ReasonDuplicate, "A row with this identity exists already.")
	conflict    = fault.New(fault.Aborted, ReasonConflict, "A concurrent change won. Try again.")
	reference   = fault.New(fault.FailedPrecondition, ReasonReference, "A row that is referred to does not exist or is still in use.")
	constraint  = fault.New(fault.InvalidArgument, ReasonConstraint, "A value is outside what the database allows.")
	readOnly    = fault.New(fault.FailedPrecondition, ReasonReadOnly, "The database takes no writes on this connection.")
	denied      = fault.New(fault.FailedPrecondition, ReasonDenied, "The database role lacks a right.")
	outdated    = fault.New(fault.FailedPrecondition, ReasonSchema, "The database schema is not up to date: run the migrations.")
	noRow       = fault.New(fault.NotFound, ReasonNoRow, "There is no such row.")
)

// Fault turns an error of a driver, database/sql or the network into a fault, by
// error codes and types, never by text. nil stays nil, faults stay what they
// are, and the error of an ended context is returned as it is. What is not
// known becomes Internal. The driver's error is the hidden cause.
func Fault(err error) error {
	if err == nil {
		return nil
	}
	var known *fault.Fault
	if errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	if f := classify(err); f != nil {
		return f.Wrap(err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fault.From(err)
}

func classify(err error) *fault.Fault {
	var (
		server *pgconn.PgError
		dial   *pgconn.ConnectError
		lite   *sqlite.Error
	)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return noRow
	case errors.As(err, &dial):
		// Also when the connect timeout ended it, which looks like an ended context,
		// and when the server refuses the login: to the caller the database is down.
		return unavailable
	case errors.As(err, &server):
		return bySQLState(server.Code)
	case errors.As(err, &lite):
		return bySQLiteCode(lite.Code())
	case errors.Is(err, context.DeadlineExceeded):
		return nil
	case isConnectionLoss(err):
		return unavailable
	}
	return nil
}

func isConnectionLoss(err error) bool {
	for _, target := range []error{
		driver.ErrBadConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
		os.ErrDeadlineExceeded, syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.EPIPE,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	var network net.Error
	return errors.As(err, &network) || pgconn.SafeToRetry(err)
}

// isOutage reports whether err says that the server is out of reach or out of
// order, so that another server may know better. A statement that took too long
// says nothing about the server.
func isOutage(err error) bool {
	var (
		dial   *pgconn.ConnectError
		server *pgconn.PgError
	)
	switch {
	case errors.Is(err, errNoAnswer), errors.As(err, &dial):
		return true
	case errors.As(err, &server):
		f := bySQLState(server.Code)
		return f != nil && f.Reason == ReasonUnavailable && server.Code != queryCanceled && server.Code != idleInTransaction
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	}
	return isConnectionLoss(err)
}

const (
	queryCanceled     = "57014"
	idleInTransaction = "25P03"
)

// bySQLState follows appendix A of the PostgreSQL manual: exact codes first, then
// the class, the first two characters.
func bySQLState(code string) *fault.Fault {
	switch code {
	case "23505": // unique_violation
		return duplicate
	case "23503": // foreign_key_violation
		return reference
	case "25006": // read_only_sql_transaction
		return readOnly
	case "42501": // insufficient_privilege
		return denied
	case "42P01", "42703", "3F000": // undefined table, column, schema
		return outdated
	case "55P03": // lock_not_available
		return conflict
	case queryCanceled: // statement_timeout, since our own cancellations end as context errors
		return unavailable
	case idleInTransaction: // idle_in_transaction_session_timeout
		return unavailable
	}
	if len(code) < 2 {
		return nil
	}
	switch code[:2] {
	case "22", "23": // data exception, integrity constraint violation
		return constraint
	case "40": // transaction rollback: serialization failure, deadlock
		return conflict
	case "08", "28", "3D", "53", "57", "58": // connection, login, no such database, resources, operator intervention, system
		return unavailable
	}
	return nil
}

// bySQLiteCode reads extended result codes; their low byte is the primary code.
func bySQLiteCode(code int) *fault.Fault {
	switch code {
	case sqlitecode.SQLITE_CONSTRAINT_UNIQUE, sqlitecode.SQLITE_CONSTRAINT_PRIMARYKEY, sqlitecode.SQLITE_CONSTRAINT_ROWID:
		return duplicate
	case sqlitecode.SQLITE_CONSTRAINT_FOREIGNKEY:
		return reference
	}
	switch code & 0xff {
	case sqlitecode.SQLITE_CONSTRAINT, sqlitecode.SQLITE_MISMATCH, sqlitecode.SQLITE_TOOBIG:
		return constraint
	case sqlitecode.SQLITE_BUSY, sqlitecode.SQLITE_LOCKED:
		return conflict
	case sqlitecode.SQLITE_READONLY:
		return readOnly
	case sqlitecode.SQLITE_PERM, sqlitecode.SQLITE_AUTH:
		return denied
	case sqlitecode.SQLITE_CANTOPEN, sqlitecode.SQLITE_IOERR, sqlitecode.SQLITE_FULL, sqlitecode.SQLITE_CORRUPT,
		sqlitecode.SQLITE_NOTADB, sqlitecode.SQLITE_NOMEM, sqlitecode.SQLITE_PROTOCOL:
		return unavailable
	}
	return nil
}
