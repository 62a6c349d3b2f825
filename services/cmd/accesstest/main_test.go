package accesstest

import (
	"testing"

	"go.uber.org/goleak"

	"trunkline/services/platform/natstest"
)

// TestMain checks for leaks. A connection of net/http that a client left in the middle of a body lingers for half a
// second by design.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"), natstest.LostListener())
}
