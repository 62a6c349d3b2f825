package releases

import (
	"context"
	"fmt"
	"io"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
)

// The enums of both sides. What has no row is refused.
var (
	strategies = map[routingv1.RoutingStrategy]routing.Strategy{
		routingv1.RoutingStrategy_ROUTING_STRATEGY_COST:     routing.Cost,
		routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY: routing.Priority,
		routingv1.RoutingStrategy_ROUTING_STRATEGY_FAILOVER: routing.Failover,
		routingv1.RoutingStrategy_ROUTING_STRATEGY_WEIGHTED: routing.Weighted,
	}
	messageTypes = map[routingv1.MessageType]routing.MessageType{
		routingv1.MessageType_MESSAGE_TYPE_SMS:   routing.SMS,
		routingv1.MessageType_MESSAGE_TYPE_FLASH: routing.Flash,
		routingv1.MessageType_MESSAGE_TYPE_WAP:   routing.WAP,
	}
	statuses = map[string]routing.Status{
		release.Inactive: routing.StatusInactive, release.Active: routing.StatusActive, release.Suspended: routing.StatusSuspended,
	}
)

// Build makes a table of an artifact. Nothing may serve from it unless the error is nil: the digest is known at the end
// only. Faults: those of release.Reader, and of ctx.
func Build(ctx context.Context, artifact io.Reader, digest string, size int64, health *routing.HealthView) (*routing.Table, error) {
	r, err := release.NewReader(&reader{ctx: ctx, from: artifact}, digest, size)
	if err != nil {
		return nil, err
	}
	return Load(r, health)
}

// Load makes a table of what r reads, and closes r. Nothing may serve from the table unless the error is nil. Faults: those of
// release.Reader.
func Load(r *release.Reader, health *routing.HealthView) (*routing.Table, error) {
	b, err := fill(r, health)
	if closed := r.Close(); closed != nil {
		return nil, closed // it tells best what is wrong with the bytes
	}
	if err != nil {
		return nil, err
	}
	// Not before the digest is known: the view keeps a place for every operator of a table for ever.
	return b.Build(routing.Versions{}), nil
}

func fill(r *release.Reader, health *routing.HealthView) (*routing.TableBuilder, error) {
	b, head := routing.NewTableBuilder(health), r.Head()
	b.Grow(int(head.Rules), int(head.Rates))
	for _, row := range r.Operators() {
		status, ok := statuses[row.Status]
		if !ok {
			return nil, unknown("operator", row.ID)
		}
		b.AddOperator(operatorOf(row, status))
	}
	for _, row := range r.FX() {
		b.AddFXRate(row.Currency, row.Nanos)
	}
	var list []routing.Candidate
	var former *release.Candidate // of the list that was converted last: rules share lists
	for row, err := range r.Rules() {
		if err != nil {
			return nil, err
		}
		strategy, ok := strategies[row.Strategy]
		if !ok {
			return nil, unknown("rule", row.ID)
		}
		if &row.Candidates[0] != former {
			former, list = &row.Candidates[0], list[:0]
			for _, c := range row.Candidates {
				list = append(list, routing.Candidate(c))
			}
		}
		b.AddRule(routing.Rule{
			ID: row.ID, Account: row.Account, Prefix: row.Prefix, Types: types(row.Types), Strategy: strategy, FallThrough: row.FallThrough,
			Inactive: row.Inactive, Window: routing.Window{From: row.From, To: row.To}, Candidates: list,
		})
	}
	for row, err := range r.Rates() {
		if err != nil {
			return nil, err
		}
		kind, ok := messageTypes[row.Type]
		if !ok {
			return nil, unknown("rate", row.ID)
		}
		b.AddRate(routing.Rate{
			ID: row.ID, Operator: row.Operator, Prefix: row.Prefix, Type: kind, Price: row.Price,
			Window: routing.Window{From: row.From, To: row.To},
		})
	}
	return b, nil
}

func operatorOf(row release.Operator, status routing.Status) routing.Operator {
	return routing.Operator{
		ID: row.ID, Name: row.Name, Host: row.Host, Port: row.Port, SystemID: row.SystemID, TPSLimit: row.MaxTPS,
		Types: types(row.Types), Status: status, ReceivesOnly: row.ReceivesOnly,
	}
}

// types turns a set whose bits begin with SMS at 0 into one whose bits are numbered by type.
func types(set release.MessageTypes) routing.MessageTypes {
	return routing.MessageTypes(set) << routing.SMS
}

func unknown(kind string, id fmt.Stringer) error {
	return release.ErrLayout.Wrap(fmt.Errorf("the %s %s has a value that is not known here", kind, id))
}

// reader ends with ctx.
type reader struct {
	ctx  context.Context
	from io.Reader
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}
