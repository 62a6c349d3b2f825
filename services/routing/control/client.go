package control

import (
	"context"
	"time"

	"connectrpc.com/connect"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
)

// The reasons of this package's faults. All are UNAVAILABLE: an engine goes on without.
const (
	// ReasonUnavailable: operator-management is down, out of reach or too slow.
	ReasonUnavailable = "OPERATOR_MANAGEMENT_UNAVAILABLE"
	// ReasonRefused: it does not let this engine ask.
	ReasonRefused = "OPERATOR_MANAGEMENT_REFUSED"
	// ReasonSnapshot: what it sent cannot be used, and so none of it is.
	ReasonSnapshot = "SNAPSHOT_INVALID"
)

const retryAfter = time.Second

// Service is the part of the internal API that an engine asks.
type Service interface {
	ListOperatorConfigs(ctx context.Context, req *operatorsv1.ListOperatorConfigsRequest) (*connect.ServerStreamForClient[operatorsv1.ListOperatorConfigsResponse], error)
	GetOperatorHealth(ctx context.Context, req *operatorsv1.InternalOperatorServiceGetOperatorHealthRequest) (*operatorsv1.InternalOperatorServiceGetOperatorHealthResponse, error)
}

// Client asks operator-management.
type Client struct {
	service Service
	clock   clock.Clock
	// The bounds of a snapshot.
	stall time.Duration
	rows  int
}

// New gives a client of the internal API.
func New(service Service, clk clock.Clock) *Client {
	return &Client{service: service, clock: clk, stall: stallTimeout, rows: maxRows}
}

// remote turns the error of a call into a fault, by its code. The end of the caller's own context stays what it is.
func remote(caller context.Context, err error) error {
	if err := caller.Err(); err != nil {
		return err
	}
	switch connect.CodeOf(err) {
	case connect.CodeUnauthenticated, connect.CodePermissionDenied:
		return fault.New(fault.Unavailable, ReasonRefused,
			"operator-management does not let this engine ask: add the identity of its certificate to those that may call ListOperatorConfigs and GetOperatorHealth").
			WithRetry(retryAfter).Wrap(err)
	default:
		return fault.New(fault.Unavailable, ReasonUnavailable, "operator-management does not answer").WithRetry(retryAfter).Wrap(err)
	}
}
