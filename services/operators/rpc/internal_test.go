package rpc_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/operators"
	"trunkline/services/operators/rpc"
	"trunkline/services/platform/clock"
)

// stalled gives nothing before its context ends.
type stalled struct{}

func (stalled) Snapshot(ctx context.Context, _ bool, _ time.Time, _ func(operators.Snapshot) error) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestAStalledEngineHoldsNoSnapshotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		internal := rpc.NewInternal(nil, nil, stalled{}, clock.System(), new(counted))
		err := internal.ListOperatorConfigs(t.Context(), &operatorsv1.ListOperatorConfigsRequest{}, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
