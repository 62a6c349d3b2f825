package operators

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
)

// CreateOperator stores a new operator, INACTIVE, and its password when there is one. Ids, status, version and times of
// o do not count; what may be left out gets its default.
//
// The password is stored first, under the id that the row will have. So a row never names a password that does not
// exist; what a crash between the two leaves behind is a password without a row, which Orphans removes.
func (a *Admin) CreateOperator(ctx context.Context, r Request, o Operator, password secret.Text) (Operator, error) {
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	o = o.withDefaults()
	o.ID, o.Status, o.Version, o.CredentialsVersion, o.DeletedAt = newID(), Inactive, 1, 0, time.Time{}
	if err := checkNew(o, password); err != nil {
		return Operator{}, err
	}
	var answer Operator
	var former int64 // the version of the password that a repeated request gave
	create := change{
		Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (string, error) {
			if err := free(ctx, tx, o); err != nil {
				return "", err
			}
			o.CreatedAt, o.UpdatedAt, o.CreatedBy, o.UpdatedBy = at, at, r.Actor, r.Actor
			answer = o
			return step{
				action: "operator.create", event: EventCreated, after: o, credentialsChanged: o.CredentialsVersion > 0,
			}.store(ctx, tx, r, at)
		},
		again: func(ctx context.Context, tx Tx, reply string) (err error) {
			if former, err = repliedCredentials(reply); err != nil {
				return err
			}
			answer, err = repliedOperator(ctx, tx, reply)
			return err
		},
	}
	if password.IsZero() || r.ValidateOnly {
		end, err := a.apply(ctx, create)
		if err == nil && end == repeated {
			err = a.samePassword(ctx, answer.ID, former, password)
		}
		if err != nil {
			return Operator{}, err
		}
		return answer, nil
	}

	done, err := create.foresee(ctx, a.store, a.now, func(ctx context.Context, tx Tx) error { return free(ctx, tx, o) })
	if err != nil {
		return Operator{}, err
	}
	if done {
		return answer, a.samePassword(ctx, answer.ID, former, password)
	}
	if o.CredentialsVersion, err = a.credentials.Put(ctx, o.ID, password); err != nil {
		// If it was stored all the same, it has no row: Orphans removes it.
		return Operator{}, err
	}
	end, err := a.apply(ctx, create)
	if end == unknown {
		switch stored, known := a.settle(ctx, o.ID); {
		case !known:
			return Operator{}, err
		case stored.ID == o.ID:
			return stored, nil
		}
	}
	if end != committed {
		a.forget(ctx, o.ID)
	}
	if err != nil {
		return Operator{}, err
	}
	return answer, nil
}

func checkNew(o Operator, password secret.Text) error {
	v := violations(o.problems())
	if !password.IsZero() {
		v.check("password", checkPassword(password.Reveal()))
	}
	return invalid(v)
}

// free refuses a new operator that the live ones leave no place for.
func free(ctx context.Context, tx Tx, o Operator) error {
	live, err := tx.LiveOperators(ctx)
	if err != nil {
		return err
	}
	if problem := o.backupProblem(live); problem != "" {
		return fault.Invalid(ReasonInvalid, fault.Violation{Field: "backup_operator_id", Description: problem})
	}
	return o.duplicate(live)
}

// settle reads what became of an operator whose change got no answer to its commit. It is not known while the database
// is out of reach. A zero Operator means that there is none.
func (a *Admin) settle(ctx context.Context, id uuid.UUID) (stored Operator, known bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), aftermathLimit)
	defer cancel()
	err := a.store.InTx(ctx, func(ctx context.Context, tx Tx) (err error) {
		stored, err = tx.Operator(ctx, id)
		return err
	})
	switch {
	case err == nil:
		a.wake.Wake()
		return stored, true
	case fault.Is(err, ReasonNoSuchOperator):
		return Operator{}, true
	}
	a.log.WarnContext(ctx, "it is not known whether a change was stored; its password is left to the next sweep", "operator_id", id, "error", err)
	return Operator{}, false
}

// forget removes the password of an operator that has no row, or no longer. What it cannot remove is left to Orphans.
func (a *Admin) forget(ctx context.Context, id uuid.UUID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), aftermathLimit)
	defer cancel()
	if err := a.credentials.Remove(ctx, id); err != nil {
		a.log.WarnContext(ctx, "a password without an operator is left to the next sweep", "operator_id", id, "error", err)
	}
}
