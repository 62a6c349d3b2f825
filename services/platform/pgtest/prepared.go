package pgtest

import (
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// templates holds the names of the databases that Prepared copies. They go with the shared server.
var templates struct {
	mu sync.Mutex
	of map[any]string
}

// Prepared is Database with a copy of what prepare made. prepare runs once in this process for each key, on an empty
// database, and leaves no session open. A copy takes a fraction of the time that migrations do.
func Prepared(t testing.TB, key any, prepare func(url string)) string {
	t.Helper()
	s, err := sharedServer()
	if err != nil {
		t.Fatal(err)
	}
	return create(t, s, " TEMPLATE "+pgx.Identifier{template(t, s, key, prepare)}.Sanitize())
}

func template(t testing.TB, s *Server, key any, prepare func(url string)) string {
	t.Helper()
	templates.mu.Lock()
	defer templates.mu.Unlock()
	if name, made := templates.of[key]; made {
		return name
	}
	name := "template_" + uuid.NewString()
	Exec(t, s.URL(), "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	prepare(s.database(name)) // when it ends the test, the next one begins anew
	if templates.of == nil {
		templates.of = make(map[any]string)
	}
	templates.of[key] = name
	return name
}
