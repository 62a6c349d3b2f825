package operators

import (
	"context"
	"fmt"
	"time"

	"trunkline/services/platform/fault"
)

// UpdateOperator gives the operator o.ID the fields of o that the mask names; they are named as in the schema. Without
// a difference nothing is stored. A non-empty etag must be the present one.
func (a *Admin) UpdateOperator(ctx context.Context, r Request, o Operator, etag string, mask []string) (Operator, []Warning, error) {
	if err := checkMask(mask, operatorFields[:]); err != nil {
		return Operator{}, nil, err
	}
	return a.alter(ctx, r, Target{ID: o.ID, ETag: etag}, alteration{
		action: "operator.update", event: EventUpdated,
		make: func(ctx context.Context, tx Tx, old Operator, _ time.Time) (Operator, []Warning, error) {
			next := old.masked(o, mask)
			if err := next.Validate(); err != nil || next == old {
				return next, nil, err
			}
			return next, nil, place(ctx, tx, old, next)
		},
	})
}

// place refuses a new state that the other live operators leave no place for.
func place(ctx context.Context, tx Tx, old, next Operator) error {
	live, err := tx.LiveOperators(ctx)
	if err != nil {
		return err
	}
	var v violations
	if next.BackupID != old.BackupID {
		v.check("backup_operator_id", next.backupProblem(live))
	}
	v.check("bind_type", next.receiverProblem(live))
	if err := invalid(v); err != nil {
		return err
	}
	return next.duplicate(live)
}

// receiverProblem returns why the operator cannot be a RECEIVER, or "".
func (o Operator) receiverProblem(live []Operator) string {
	if o.BindType != Receiver {
		return ""
	}
	for _, other := range live {
		if other.BackupID == o.ID && other.ID != o.ID {
			return fmt.Sprintf("must not be RECEIVER, because the operator is the backup of %q", other.Name)
		}
	}
	return ""
}

// alteration is a change of one live operator.
type alteration struct {
	action, event string
	// make gives the new state, without its version, or the old one when nothing is to be done.
	make func(ctx context.Context, tx Tx, old Operator, at time.Time) (Operator, []Warning, error)
}

// alter carries out an alteration and warns of the rules that it leaves without a usable operator.
func (a *Admin) alter(ctx context.Context, r Request, target Target, alt alteration) (Operator, []Warning, error) {
	answer, warnings, _, err := a.altered(ctx, r, target, alt)
	return answer, warnings, err
}

func (a *Admin) altered(ctx context.Context, r Request, target Target, alt alteration) (Operator, []Warning, outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	var (
		answer   Operator
		warnings []Warning
	)
	end, err := a.apply(ctx, alt.change(r, target, &answer, &warnings, a.now))
	if err != nil {
		return Operator{}, nil, end, err
	}
	return answer, warnings, end, nil
}

// change makes the alteration of the target a change that leaves its answer in the pointers.
func (alt alteration) change(r Request, target Target, answer *Operator, warnings *[]Warning, now func() time.Time) change {
	return change{
		Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (reply string, err error) {
			old, err := liveTarget(ctx, tx, target)
			if err != nil {
				return "", err
			}
			next, own, err := alt.make(ctx, tx, old, at)
			if err != nil {
				return "", err
			}
			reply = operatorReply(old)
			if next != old {
				next = next.next(r, at)
				reply, err = step{
					action: alt.action, event: alt.event, before: &old, after: next,
					credentialsChanged: next.CredentialsVersion != old.CredentialsVersion || !next.bindsAs(old),
				}.store(ctx, tx, r, at)
				if err != nil {
					return "", err
				}
			}
			rules, err := idle(ctx, tx, next.ID, at)
			*answer, *warnings = next, append(own, rules...)
			return reply, err
		},
		again: func(ctx context.Context, tx Tx, reply string) (err error) {
			if *answer, err = repliedOperator(ctx, tx, reply); err != nil {
				return err
			}
			*warnings, err = idle(ctx, tx, answer.ID, moment(now()))
			return err
		},
	}
}

// illegal refuses a status that cannot follow the present one.
func illegal(from, to Status) error {
	return fault.New(fault.FailedPrecondition, ReasonIllegalStatus, "An operator that is %s cannot become %s.", from, to).
		With("status", from.String())
}
