package releases

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/release"
)

// Draft gathers rows for an artifact.
type Draft struct {
	content release.Content
}

var _ operators.Draft = (*Draft)(nil)

// NewDraft returns an empty draft.
func NewDraft() operators.Draft { return new(Draft) }

// Add takes in some rows. It copies what it keeps.
func (d *Draft) Add(part operators.Snapshot) error {
	for i := range part.Operators {
		d.content.Operators = append(d.content.Operators, fromOperator(&part.Operators[i]))
	}
	for i := range part.Rules {
		d.content.Rules = append(d.content.Rules, fromRule(&part.Rules[i]))
	}
	for i := range part.Rates {
		rate, err := fromRate(&part.Rates[i])
		if err != nil {
			return err
		}
		d.content.Rates = append(d.content.Rates, rate)
	}
	for currency, worth := range part.FX {
		d.content.FX = append(d.content.FX, release.FXRate{Currency: currency, Nanos: worth})
	}
	return nil
}

// Seal writes the artifact.
func (d *Draft) Seal(w io.Writer) (operators.Artifact, error) {
	sealed, err := release.Compile(w, &d.content)
	d.content = release.Content{}
	return operators.Artifact{
		Digest: sealed.Digest, Size: sealed.Size, StoredSize: sealed.StoredSize,
		Operators: sealed.Operators, Rules: sealed.Rules, Rates: sealed.Rates,
	}, err
}

func fromOperator(o *operators.Operator) release.Operator {
	return release.Operator{
		ID: o.ID, Name: o.Name, Host: o.Host, Port: int32(o.Port), SystemID: o.SystemID, MaxTPS: int32(o.MaxTPS),
		Types: release.MessageTypes(o.MessageTypes), Status: o.Status.String(), ReceivesOnly: o.BindType == operators.Receiver,
	}
}

// The enums of the schema and of the domain have the same numbers, and sets of message types the same bits; tests hold
// them to it.
func fromRule(r *operators.Rule) release.Rule {
	out := release.Rule{
		ID: r.ID, Account: r.Account, Prefix: r.Prefix, Types: release.MessageTypes(r.MessageTypes),
		Strategy: routingv1.RoutingStrategy(r.Strategy), FallThrough: r.OnExhausted == operators.FallThrough, Inactive: !r.Active,
		From: r.ValidFrom, To: r.ValidTo, Candidates: make([]release.Candidate, len(r.Candidates)),
	}
	if out.Types == 0 {
		out.Types = release.AllTypes
	}
	for i, c := range r.Candidates {
		out.Candidates[i] = release.Candidate{Operator: c.OperatorID, Priority: int32(c.Priority), Weight: int32(c.Weight), Price: c.Price}
	}
	// The same rules must give the same bytes, and engines get candidates in this order from the live tables too.
	slices.SortFunc(out.Candidates, func(a, b release.Candidate) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), bytes.Compare(a.Operator[:], b.Operator[:]))
	})
	return out
}

func fromRate(r *operators.Rate) (release.Rate, error) {
	kind, ok := typeOf[r.MessageType]
	if !ok {
		return release.Rate{}, release.ErrContent.Wrap(fmt.Errorf("rate %s has not one message type but %q", r.ID, r.MessageType))
	}
	return release.Rate{
		ID: r.ID, Operator: r.OperatorID, Prefix: r.Prefix, Type: kind, Price: r.Price, From: r.EffectiveFrom, To: r.EffectiveTo,
	}, nil
}

var typeOf = map[operators.MessageTypes]routingv1.MessageType{
	operators.SMS:   routingv1.MessageType_MESSAGE_TYPE_SMS,
	operators.Flash: routingv1.MessageType_MESSAGE_TYPE_FLASH,
	operators.WAP:   routingv1.MessageType_MESSAGE_TYPE_WAP,
}
