package access

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain checks for goroutines that were left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
