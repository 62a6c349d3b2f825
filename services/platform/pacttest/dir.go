package pacttest

import (
	"os"
	"testing"
)

// Dir gives the folder that a consumer's test writes its pact to, from PACT_DIR.
func Dir(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("PACT_DIR")
	if dir == "" {
		tb.Fatal("PACT_DIR is not set: run ./task pact, or name a folder for the pacts")
	}
	return dir
}
