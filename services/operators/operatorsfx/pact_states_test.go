//go:build pact

package operatorsfx_test

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/platform/secret"
)

// Parameters of states are messages of the schema in JSON. What exists before an interaction is stored without events
// and with the ids that the pact names, so not through the API.

// each reads a list of messages.
func each[M any, P interface {
	*M
	proto.Message
}](list []json.RawMessage, take func(P) error) error {
	for _, data := range list {
		m := P(new(M))
		if err := protojson.Unmarshal(data, m); err != nil {
			return err
		}
		if err := take(m); err != nil {
			return err
		}
	}
	return nil
}

// operatorsExist tells the etag of each operator.
func operatorsExist(ctx context.Context, w *world, p struct {
	Operators []json.RawMessage `json:"operators"` // as for CreateOperator, with id and status
}) (map[string]any, error) {
	var all []operators.Operator
	etags := map[string]any{}
	err := each(p.Operators, func(m *operatorsv1.CreateOperatorRequest) (err error) {
		o, err := operatorOf(m.GetOperator())
		if err == nil && m.GetPassword() != "" {
			o.CredentialsVersion, err = w.secrets.Put(ctx, o.ID, secret.New(m.GetPassword()))
		}
		all = append(all, o)
		etags["etag of "+o.ID.String()] = o.ETag()
		return err
	})
	if err != nil {
		return nil, err
	}
	return etags, w.change(ctx, func(ctx context.Context, tx operators.Tx) error { return tx.PutOperators(ctx, all) })
}

// rulesExist tells the etag of each rule. The conflict checker is not asked.
func rulesExist(ctx context.Context, w *world, p struct {
	Rules []json.RawMessage `json:"rules"`
}) (map[string]any, error) {
	var all []operators.Rule
	etags := map[string]any{}
	err := each(p.Rules, func(m *operatorsv1.RoutingRule) error {
		r, err := ruleOf(m)
		all = append(all, r)
		etags["etag of "+r.ID.String()] = r.ETag()
		return err
	})
	if err != nil {
		return nil, err
	}
	return etags, w.change(ctx, func(ctx context.Context, tx operators.Tx) error { return tx.PutRules(ctx, all, nil) })
}

func ratesExist(ctx context.Context, w *world, p struct {
	Rates []json.RawMessage `json:"rates"`
}) error {
	var all []operators.Rate
	err := each(p.Rates, func(m *operatorsv1.Rate) error {
		r, err := rateOf(m)
		all = append(all, r)
		return err
	})
	if err != nil {
		return err
	}
	return w.change(ctx, func(ctx context.Context, tx operators.Tx) error { return tx.StoreRates(ctx, all, nil, nil) })
}

func fxRatesExist(ctx context.Context, w *world, p struct {
	FxRates []json.RawMessage `json:"fxRates"`
}) error {
	fx := operators.FX{}
	err := each(p.FxRates, func(m *operatorsv1.FxRate) error {
		currency, err := money.ParseCurrency(m.GetCurrencyCode())
		fx[currency] = m.GetRateNanos()
		return err
	})
	if err != nil {
		return err
	}
	return w.change(ctx, func(ctx context.Context, tx operators.Tx) error { return tx.ReplaceFX(ctx, fx) })
}

// change stores rows under a new version of the configuration.
func (w *world) change(ctx context.Context, store func(context.Context, operators.Tx) error) error {
	return w.store.InTx(ctx, func(ctx context.Context, tx operators.Tx) error {
		if err := store(ctx, tx); err != nil {
			return err
		}
		_, err := tx.RaiseConfigVersion(ctx, true, time.Now())
		return err
	})
}

// who is the author of everything that exists.
const who = "pact"

// The enums of the schema and of the domain have the same numbers.
func operatorOf(m *operatorsv1.Operator) (operators.Operator, error) {
	id, err := uuid.Parse(m.GetOperatorId())
	now := time.Now()
	return operators.Operator{
		ID: id, Name: m.GetName(), Host: m.GetHost(), Port: int(m.GetPort()), SystemID: m.GetSystemId(), SystemType: m.GetSystemType(),
		BindType: operators.BindType(m.GetBindType()), MessageTypes: typesOf(m.GetMessageTypes()...), Status: operators.Status(m.GetStatus()),
		MaxTPS: int(m.GetTpsLimit().GetMaxTps()), BurstMultiplier: m.GetTpsLimit().GetBurstMultiplier(),
		EnforcementMode: operators.EnforcementMode(m.GetTpsLimit().GetEnforcementMode()), Notes: m.GetNotes(),
		Version: 1, CreatedAt: now, UpdatedAt: now, CreatedBy: who, UpdatedBy: who,
	}, err
}

func ruleOf(m *operatorsv1.RoutingRule) (r operators.Rule, err error) {
	now := time.Now()
	r = operators.Rule{
		Country: m.GetCountry(), Description: m.GetDescription(), MessageTypes: typesOf(m.GetMessageTypes()...),
		Strategy: operators.Strategy(m.GetStrategy()), OnExhausted: operators.OnExhausted(m.GetOnExhausted()), Active: m.GetActive(),
		Version: 1, CreatedAt: now, UpdatedAt: now, CreatedBy: who, UpdatedBy: who,
	}
	if r.ID, err = uuid.Parse(m.GetRuleId()); err != nil {
		return r, err
	}
	if m.GetAccountId() != "" {
		if r.Account, err = uuid.Parse(m.GetAccountId()); err != nil {
			return r, err
		}
	}
	if r.Prefix, err = e164.ParsePrefix(m.GetPrefix()); err != nil {
		return r, err
	}
	for _, c := range m.GetCandidates() {
		one := operators.Candidate{Priority: int(c.GetPriority()), Weight: int(c.GetWeight())}
		if one.OperatorID, err = uuid.Parse(c.GetOperatorId()); err != nil {
			return r, err
		}
		if one.Price, err = moneyOf(c.GetPrice()); err != nil {
			return r, err
		}
		r.Candidates = append(r.Candidates, one)
	}
	return r, nil
}

func rateOf(m *operatorsv1.Rate) (r operators.Rate, err error) {
	r = operators.Rate{MCC: m.GetMcc(), MNC: m.GetMnc(), MessageType: typesOf(m.GetMessageType()), EffectiveFrom: m.GetEffectiveFrom().AsTime()}
	if m.GetEffectiveTo() != nil {
		r.EffectiveTo = m.GetEffectiveTo().AsTime()
	}
	if r.ID, err = uuid.Parse(m.GetRateId()); err != nil {
		return r, err
	}
	if r.OperatorID, err = uuid.Parse(m.GetOperatorId()); err != nil {
		return r, err
	}
	if r.Prefix, err = e164.ParsePrefix(m.GetPrefix()); err != nil {
		return r, err
	}
	r.Price, err = moneyOf(m.GetPrice())
	return r, err
}

// moneyOf gives no price for none.
func moneyOf(m *routingv1.Money) (money.Money, error) {
	if m == nil {
		return money.Money{}, nil
	}
	return money.FromNanos(m.GetNanos(), m.GetCurrencyCode())
}

// typesOf is the set of the types; each is the bit of its number.
func typesOf(all ...routingv1.MessageType) (set operators.MessageTypes) {
	for _, one := range all {
		set |= 1 << (one - 1)
	}
	return set
}
