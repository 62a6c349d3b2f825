package routingtest

import (
	"context"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/money"
	"trunkline/services/routing"
)

// Management plays the internal API of operator-management.
type Management struct {
	operatorsv1connect.UnimplementedInternalOperatorServiceHandler
	mu      sync.Mutex
	answers Answers
	sent    int
	asked   [][]string
}

// Answers is what a Management answers.
type Answers struct {
	Configs []*operatorsv1.ListOperatorConfigsResponse
	// Hang holds the stream open after Configs until it is closed; nil does not.
	Hang <-chan struct{}
	// End is how the stream ends.
	End error
	// Health answers for operators; nil knows of none.
	Health func(ids []string) ([]*operatorsv1.OperatorHealth, error)
}

// Answer changes the answers from now on.
func (m *Management) Answer(change func(a *Answers)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.answers)
}

// Sent is how many parts of configurations were sent.
func (m *Management) Sent() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sent
}

// Asked holds the ids of each question about health.
func (m *Management) Asked() [][]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([][]string{}, m.asked...)
}

func (m *Management) now() Answers {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.answers
}

// ListOperatorConfigs implements the service.
func (m *Management) ListOperatorConfigs(ctx context.Context, _ *operatorsv1.ListOperatorConfigsRequest, stream *connect.ServerStream[operatorsv1.ListOperatorConfigsResponse]) error {
	a := m.now()
	for _, part := range a.Configs {
		if err := stream.Send(part); err != nil {
			return err
		}
		m.mu.Lock()
		m.sent++
		m.mu.Unlock()
	}
	if a.Hang != nil {
		select {
		case <-a.Hang:
		case <-ctx.Done():
		}
	}
	return a.End
}

// GetOperatorHealth implements the service.
func (m *Management) GetOperatorHealth(_ context.Context, req *operatorsv1.InternalOperatorServiceGetOperatorHealthRequest) (*operatorsv1.InternalOperatorServiceGetOperatorHealthResponse, error) {
	m.mu.Lock()
	m.asked = append(m.asked, req.GetOperatorIds())
	m.mu.Unlock()
	answer := &operatorsv1.InternalOperatorServiceGetOperatorHealthResponse{}
	var err error
	if health := m.now().Health; health != nil {
		answer.Health, err = health(req.GetOperatorIds())
	}
	return answer, err
}

// Configs gives the rule set as operator-management sends it: one kind of rows in a message, at most rows of them.
func (rs *RuleSet) Configs(v routing.Versions, rows int) (parts []*operatorsv1.ListOperatorConfigsResponse) {
	// part gives the message for the row at a place of its kind.
	part := func(at int) *operatorsv1.ListOperatorConfigsResponse {
		if at%rows == 0 {
			parts = append(parts, &operatorsv1.ListOperatorConfigsResponse{ConfigVersion: v.Config, RulesVersion: v.Rules})
		}
		return parts[len(parts)-1]
	}
	for i, o := range rs.Operators {
		p := part(i)
		p.Operators = append(p.Operators, operatorRow(o))
	}
	for i, r := range rs.Rules {
		p := part(i)
		p.Rules = append(p.Rules, ruleRow(r))
	}
	for i, r := range rs.Rates {
		p := part(i)
		p.Rates = append(p.Rates, &operatorsv1.Rate{
			RateId: r.ID.String(), OperatorId: r.Operator.String(), Prefix: r.Prefix.String(), MessageType: routingv1.MessageType(r.Type),
			Price: price(r.Price), EffectiveFrom: moment(r.Window.From), EffectiveTo: moment(r.Window.To),
		})
	}
	for currency, nanos := range rs.FX {
		p := part(0)
		p.FxRates = append(p.FxRates, &operatorsv1.FxRate{CurrencyCode: currency.String(), RateNanos: nanos})
	}
	part(0).Complete = true
	return parts
}

func operatorRow(o routing.Operator) *operatorsv1.Operator {
	bind := operatorsv1.BindType_BIND_TYPE_TRANSMITTER
	if o.ReceivesOnly {
		bind = operatorsv1.BindType_BIND_TYPE_RECEIVER
	}
	return &operatorsv1.Operator{
		OperatorId: o.ID.String(), Name: o.Name, Host: o.Host, Port: o.Port, SystemId: o.SystemID, BindType: bind,
		TpsLimit: &operatorsv1.TpsLimit{MaxTps: o.TPSLimit}, MessageTypes: types(o.Types), Status: operatorsv1.OperatorStatus(o.Status),
	}
}

func ruleRow(r routing.Rule) *operatorsv1.RoutingRule {
	row := &operatorsv1.RoutingRule{
		RuleId: r.ID.String(), Prefix: r.Prefix.String(), MessageTypes: types(r.Types), Strategy: routingv1.RoutingStrategy(r.Strategy),
		Active: !r.Inactive, ValidFrom: moment(r.Window.From), ValidTo: moment(r.Window.To), OnExhausted: routingv1.OnExhausted_ON_EXHAUSTED_FAIL,
	}
	if r.Account != uuid.Nil {
		row.AccountId = r.Account.String()
	}
	if r.FallThrough {
		row.OnExhausted = routingv1.OnExhausted_ON_EXHAUSTED_FALL_THROUGH
	}
	for _, c := range r.Candidates {
		row.Candidates = append(row.Candidates, &operatorsv1.RuleCandidate{
			OperatorId: c.Operator.String(), Priority: c.Priority, Weight: proto.Int32(c.Weight), Price: price(c.Price),
		})
	}
	return row
}

func price(m money.Money) *routingv1.Money {
	if m.IsZero() {
		return nil
	}
	return &routingv1.Money{Nanos: m.Nanos, CurrencyCode: m.Currency.String()}
}

func types(set routing.MessageTypes) (list []routingv1.MessageType) {
	for kind := routing.SMS; kind <= routing.WAP; kind++ {
		if set.Has(kind) {
			list = append(list, routingv1.MessageType(kind))
		}
	}
	return list
}

func moment(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
