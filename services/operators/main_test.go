package operators_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain gives property tests the same cases in every run, so that CI says the same of the same code. To look for
// others: go test ./services/operators -rapid.seed=N -rapid.checks=10000.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.seed" })
	if !given {
		if err := flag.Set("rapid.seed", "20261121"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
