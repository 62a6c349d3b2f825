package replay

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/money"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
)

// side is one of the two releases.
type side struct {
	table     *routing.Table
	operators []release.Operator
	fx        []release.FXRate
}

// open makes the table of a release. Nothing of it is used unless the whole artifact is good.
func open(ctx context.Context, source release.Source, health *routing.HealthView) (s *side, err error) {
	r, closer, err := source.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	b := routing.NewTableBuilder(health)
	filled := fill(b, r)
	// What is wrong with the bytes tells better why they cannot be read.
	if err := r.Close(); err != nil {
		return nil, err
	}
	if filled != nil {
		return nil, filled
	}
	return &side{table: b.Build(routing.Versions{}), operators: r.Operators(), fx: r.FX()}, nil
}

var statuses = map[string]routing.Status{
	release.Inactive: routing.StatusInactive, release.Active: routing.StatusActive, release.Suspended: routing.StatusSuspended,
}

var strategies = map[routingv1.RoutingStrategy]routing.Strategy{
	routingv1.RoutingStrategy_ROUTING_STRATEGY_COST:     routing.Cost,
	routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY: routing.Priority,
	routingv1.RoutingStrategy_ROUTING_STRATEGY_FAILOVER: routing.Failover,
	routingv1.RoutingStrategy_ROUTING_STRATEGY_WEIGHTED: routing.Weighted,
}

func fill(b *routing.TableBuilder, r *release.Reader) error {
	for _, o := range r.Operators() {
		b.AddOperator(routing.Operator{
			ID: o.ID, Name: o.Name, Host: o.Host, Port: o.Port, SystemID: o.SystemID, TPSLimit: o.MaxTPS,
			Types: messageTypes(o.Types), Status: statuses[o.Status], ReceivesOnly: o.ReceivesOnly,
		})
	}
	for _, fx := range r.FX() {
		b.AddFXRate(fx.Currency, fx.Nanos)
	}
	var list []routing.Candidate // the builder keeps a copy
	for row, err := range r.Rules() {
		if err != nil {
			return err
		}
		list = list[:0]
		for _, c := range row.Candidates {
			list = append(list, routing.Candidate(c))
		}
		b.AddRule(routing.Rule{
			ID: row.ID, Account: row.Account, Prefix: row.Prefix, Types: messageTypes(row.Types), Strategy: strategies[row.Strategy],
			FallThrough: row.FallThrough, Inactive: row.Inactive, Window: routing.Window{From: row.From, To: row.To}, Candidates: list,
		})
	}
	for row, err := range r.Rates() {
		if err != nil {
			return err
		}
		b.AddRate(routing.Rate{
			ID: row.ID, Operator: row.Operator, Prefix: row.Prefix, Type: messageType(row.Type), Price: row.Price,
			Window: routing.Window{From: row.From, To: row.To},
		})
	}
	return nil
}

func messageTypes(set release.MessageTypes) (types routing.MessageTypes) {
	if set&release.SMS != 0 {
		types |= routing.NewMessageTypes(routing.SMS)
	}
	if set&release.Flash != 0 {
		types |= routing.NewMessageTypes(routing.Flash)
	}
	if set&release.WAP != 0 {
		types |= routing.NewMessageTypes(routing.WAP)
	}
	return types
}

func messageType(t routingv1.MessageType) routing.MessageType {
	switch t {
	case routingv1.MessageType_MESSAGE_TYPE_SMS:
		return routing.SMS
	case routingv1.MessageType_MESSAGE_TYPE_FLASH:
		return routing.Flash
	case routingv1.MessageType_MESSAGE_TYPE_WAP:
		return routing.WAP
	}
	return 0
}

// names gives the operators of both sides; those of the second count where both have one.
func names(before, after *side) map[uuid.UUID]string {
	all := make(map[uuid.UUID]string, len(after.operators))
	for _, s := range []*side{before, after} {
		for i := range s.operators {
			all[s.operators[i].ID] = s.operators[i].Name
		}
	}
	return all
}

// worth gives what currencies are worth: by the second side, and by the first where the second does not say.
func worth(before, after *side) map[money.Currency]int64 {
	all := make(map[money.Currency]int64, len(after.fx))
	for _, s := range []*side{before, after} {
		for _, fx := range s.fx {
			all[fx.Currency] = fx.Nanos
		}
	}
	return all
}

// speak says of every operator how it is: well, but for those that are down.
func speak(health *routing.HealthView, operators map[uuid.UUID]string, down map[uuid.UUID]bool, at time.Time) {
	for id := range operators {
		health.Know([]uuid.UUID{id})
		e := routing.HealthEvent{Operator: id, Bind: routing.Bound, Quality: routing.Healthy, ObservedAt: at}
		if down[id] {
			e.Bind, e.Quality = routing.Unbound, routing.Unhealthy
		}
		health.Apply(e)
	}
}
