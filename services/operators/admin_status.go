package operators

import (
	"context"
	"fmt"
	"time"

	"trunkline/services/platform/fault"
)

// ActivateOperator lets an operator be selected. It needs a password. The status that an operator has already is no
// change, here and below.
func (a *Admin) ActivateOperator(ctx context.Context, r Request, target Target) (Operator, []Warning, error) {
	return a.become(ctx, r, target, "operator.activate", Active)
}

// SuspendOperator takes an ACTIVE operator out of service for now.
func (a *Admin) SuspendOperator(ctx context.Context, r Request, target Target) (Operator, []Warning, error) {
	return a.become(ctx, r, target, "operator.suspend", Suspended)
}

// DeactivateOperator takes an operator out of use.
func (a *Admin) DeactivateOperator(ctx context.Context, r Request, target Target) (Operator, []Warning, error) {
	return a.become(ctx, r, target, "operator.deactivate", Inactive)
}

func (a *Admin) become(ctx context.Context, r Request, target Target, action string, status Status) (Operator, []Warning, error) {
	return a.alter(ctx, r, target, alteration{
		action: action, event: EventUpdated,
		make: func(_ context.Context, _ Tx, old Operator, _ time.Time) (Operator, []Warning, error) {
			next := old
			next.Status = status
			switch {
			case !old.Status.MayBecome(status):
				return next, nil, illegal(old.Status, status)
			case status == Active && old.Status != Active && old.CredentialsVersion == 0:
				return next, nil, fault.New(fault.FailedPrecondition, ReasonNoCredentials,
					"The operator has no password: give it one with RotateCredentials, then activate it.")
			}
			return next, nil, nil
		},
	})
}

// DeleteOperator takes an operator away: it stays readable, its name and connection are free again, its password is
// removed. Rules that name it stay and no longer select it.
func (a *Admin) DeleteOperator(ctx context.Context, r Request, target Target) (Operator, []Warning, error) {
	o, warnings, end, err := a.altered(ctx, r, target, alteration{
		action: "operator.delete", event: EventDeleted,
		make: func(ctx context.Context, tx Tx, old Operator, at time.Time) (Operator, []Warning, error) {
			live, err := tx.LiveOperators(ctx)
			if err != nil {
				return Operator{}, nil, err
			}
			var warnings []Warning
			for _, other := range old.backs(live) {
				if len(warnings) == MaxWarnings {
					break
				}
				warnings = append(warnings, Warning{
					Reason:  WarnBackupDeleted,
					Message: fmt.Sprintf("The operator %q has no backup now: give it another.", other.Name),
				})
			}
			next := old
			next.DeletedAt, next.CredentialsVersion = at, 0
			return next, warnings, nil
		},
	})
	if end == committed {
		a.forget(ctx, o.ID)
	}
	return o, warnings, err
}
