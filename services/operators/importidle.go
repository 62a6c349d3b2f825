package operators

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
)

// carriedTypes are the message types that the operator carries as it stands: none unless it is live, ACTIVE and sends.
func (o Operator) carriedTypes() MessageTypes {
	if !o.Live() || o.Status != Active || o.BindType == Receiver {
		return 0
	}
	return o.MessageTypes
}

// warnIdle warns of the active rules that an import leaves without an operator that could carry their messages, as
// changes of one operator do. lost are the operators that carry less than before, with their lines. All such rules are
// counted and the first MaxWarnings told. It reads all rules, and none when nothing is lost: the answer must be known
// before anything is stored, for a preview gives it too.
func (p *planned) warnIdle(ctx context.Context, tx Tx, live, put []Operator, lost map[uuid.UUID]int64, at time.Time) error {
	if len(lost) == 0 {
		return nil
	}
	before := make(map[uuid.UUID]MessageTypes, len(live))
	for _, o := range live {
		before[o.ID] = o.carriedTypes()
	}
	after := maps.Clone(before)
	for _, o := range put {
		after[o.ID] = o.carriedTypes()
	}
	var idle []Rule
	count := int64(0)
	err := tx.EachRule(ctx, func(some []Rule) error {
		for _, rule := range some {
			if rule.Active && (rule.ValidTo.IsZero() || rule.ValidTo.After(at)) && rule.served(before) && !rule.served(after) {
				if count++; count <= MaxWarnings {
					idle = append(idle, rule)
				}
			}
		}
		return nil
	})
	if err != nil || count == 0 {
		return err
	}
	numbers, err := witnesses(ctx, tx, idle, at)
	if err != nil {
		return err
	}
	for i, rule := range idle {
		first := slices.IndexFunc(rule.Candidates, func(c Candidate) bool { return lost[c.OperatorID] > 0 })
		p.warn(ImportWarning{
			Line: lost[rule.Candidates[first].OperatorID], Reason: WarnRuleWithoutOperator, Message: rule.idleText(), Witness: numbers[i],
		})
	}
	p.WarningCount += count - int64(len(idle))
	return nil
}

// served reports whether a candidate carries some of the rule's messages.
func (r Rule) served(carried map[uuid.UUID]MessageTypes) bool {
	return slices.ContainsFunc(r.Candidates, func(c Candidate) bool {
		types := carried[c.OperatorID]
		return types != 0 && types.Overlaps(r.MessageTypes)
	})
}
