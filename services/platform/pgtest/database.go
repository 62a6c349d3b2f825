package pgtest

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// adminLimit bounds one CREATE or DROP DATABASE.
const adminLimit = 60 * time.Second

// Database creates an empty database on the shared server and returns its
// address, postgres://..., for the superuser. It is dropped at the end of t,
// with any session that is still open. The test fails when no server can be had.
func Database(t testing.TB) string {
	t.Helper()
	s, err := sharedServer()
	if err != nil {
		t.Fatal(err)
	}
	return create(t, s, "")
}

// create makes a database with further options, dropped at the end of t.
func create(t testing.TB, s *Server, options string) string {
	t.Helper()
	name := "test_" + uuid.NewString()
	quoted := pgx.Identifier{name}.Sanitize()
	Exec(t, s.URL(), "CREATE DATABASE "+quoted+options)
	t.Cleanup(func() { Exec(t, s.URL(), "DROP DATABASE "+quoted+" WITH (FORCE)") })
	return s.database(name)
}

// Exec runs statements on a connection of their own. The test fails at the
// first one that fails.
func Exec(t testing.TB, url string, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), adminLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatalf("connect to the test server: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
