package bunstore

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// oneStatement is a connector whose sessions refuse more than one statement in
// one text. See the package comment for why.
type oneStatement struct {
	driver.Connector
}

// Connect opens one session.
func (c oneStatement) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	pg, ok := conn.(*stdlib.Conn)
	if !ok {
		return nil, errors.Join(errors.New("the PostgreSQL driver gave another kind of connection"), conn.Close())
	}
	return session{pg}, nil
}

// session is a connection of the driver, except that it never takes the shortcut
// of sending a statement without arguments over the simple protocol. With bun no
// statement has arguments.
type session struct {
	*stdlib.Conn
}

var (
	_ driver.ExecerContext     = session{}
	_ driver.QueryerContext    = session{}
	_ driver.ConnBeginTx       = session{}
	_ driver.Pinger            = session{}
	_ driver.SessionResetter   = session{}
	_ driver.NamedValueChecker = session{}
)

// ExecContext runs one statement and returns how many rows it touched.
func (s session) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) > 0 {
		return s.Conn.ExecContext(ctx, query, args)
	}
	conn := s.Conn.Conn()
	if conn.IsClosed() {
		return nil, driver.ErrBadConn
	}
	result := conn.PgConn().ExecParams(ctx, query, nil, nil, nil, nil).Read()
	if result.Err != nil {
		if pgconn.SafeToRetry(result.Err) {
			// Nothing was sent, so database/sql may use another connection.
			return nil, driver.ErrBadConn
		}
		return nil, result.Err
	}
	return driver.RowsAffected(result.CommandTag.RowsAffected()), nil
}
