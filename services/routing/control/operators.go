package control

import (
	"context"
	"time"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/routing"
)

// operatorsTimeout bounds the read of all operators, of which there are hundreds at most.
const operatorsTimeout = 5 * time.Second

// Operators implements routing.OperatorSource: what operators are set to at one moment. As in Snapshot, what is not
// complete and readable to the last row is none at all.
func (c *Client) Operators(ctx context.Context) ([]routing.Operator, routing.Versions, error) {
	limited, cancel := context.WithTimeout(ctx, operatorsTimeout)
	defer cancel()
	s := snapshot{builder: routing.NewTableBuilder(routing.NewHealthView()), room: c.rows}
	err := c.receive(limited, &operatorsv1.ListOperatorConfigsRequest{OperatorsOnly: true},
		func(part *operatorsv1.ListOperatorConfigsResponse) (bool, error) { return true, s.add(part) })
	switch {
	case err != nil && ctx.Err() == nil && limited.Err() != nil:
		return nil, routing.Versions{}, remote(ctx, err)
	case err != nil:
		return nil, routing.Versions{}, err
	case !s.complete:
		return nil, routing.Versions{}, unusable("it ended before it was complete")
	}
	return s.operators, s.versions, nil
}
