package rpc

import (
	"context"
	"sync"
	"time"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators"
	"trunkline/services/platform/fault"
)

// ImportBytes is the limit of one message that holds a file: one of the largest size and room for the other
// fields. A JSON message holds the file as base64, so there three quarters of it fit.
const ImportBytes = operators.MaxFileBytes + 16<<10

// ImportProcedures returns the procedures that take messages up to ImportBytes.
func ImportProcedures() []string {
	return []string{
		operatorsv1connect.OperatorServiceImportOperatorsProcedure,
		operatorsv1connect.RoutingRuleServiceImportRoutingRulesProcedure,
		operatorsv1connect.RoutingRuleServiceCheckRoutingRulesProcedure,
		operatorsv1connect.RateServiceImportRatesProcedure,
	}
}

// errImportRunning sheds a second import.
var errImportRunning = fault.New(fault.ResourceExhausted, operators.ReasonImportRunning,
	"Another import is running in this process. Wait for it to end.").WithRetry(10 * time.Second)

// OneImport lets one import run at a time, because one may take a gigabyte of memory. What must not run beside what is
// for the store to say.
type OneImport struct{ running sync.Mutex }

// runImport runs an import. A caller who no longer reads ends it, unless it is committed by then.
func runImport[R any](
	ctx context.Context, one *OneImport, send func(*operatorsv1.ImportProgress) error,
	run func(ctx context.Context, progress func(done, total int64)) (R, error),
) (R, error) {
	if !one.running.TryLock() {
		var none R
		return none, errImportRunning
	}
	defer one.running.Unlock()
	ctx, progress, end := reporting(ctx, send)
	defer end()
	return run(ctx, progress)
}

// reporting gives a context that ends when a report of progress does not reach the caller any more.
func reporting(
	ctx context.Context, send func(*operatorsv1.ImportProgress) error,
) (limited context.Context, progress func(done, total int64), end func()) {
	limited, cancel := context.WithCancelCause(ctx)
	return limited, func(done, total int64) {
		if err := send(&operatorsv1.ImportProgress{Done: done, Total: total}); err != nil {
			cancel(err)
		}
	}, func() { cancel(nil) }
}
