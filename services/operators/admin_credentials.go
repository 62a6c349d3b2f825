package operators

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
)

// RotateCredentials puts a new password in force. It is stored first, as a version that no row names; until the row
// names it, and whenever something fails, the former one stays in force.
func (a *Admin) RotateCredentials(ctx context.Context, r Request, target Target, password secret.Text) (Operator, error) {
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	if problem := checkPassword(password.Reveal()); problem != "" {
		return Operator{}, fault.Invalid(ReasonInvalid, fault.Violation{Field: "password", Description: problem})
	}
	var (
		answer   Operator
		warnings []Warning
		version  int64
	)
	rotate := alteration{
		action: "credentials.rotate", event: EventUpdated,
		make: func(_ context.Context, _ Tx, old Operator, _ time.Time) (Operator, []Warning, error) {
			next := old
			if next.CredentialsVersion = version; r.ValidateOnly {
				next.CredentialsVersion = old.CredentialsVersion + 1
			}
			return next, nil, nil
		},
	}.change(r, target, &answer, &warnings, a.now)
	var former int64 // the version of the password that a repeated request gave
	again := rotate.again
	rotate.again = func(ctx context.Context, tx Tx, reply string) (err error) {
		if former, err = repliedCredentials(reply); err != nil {
			return err
		}
		return again(ctx, tx, reply)
	}
	if r.ValidateOnly {
		_, err := a.apply(ctx, rotate)
		return answer, err
	}

	done, err := rotate.foresee(ctx, a.store, a.now, func(ctx context.Context, tx Tx) error {
		_, err := liveTarget(ctx, tx, target)
		return err
	})
	if err != nil {
		return Operator{}, err
	}
	if done {
		return answer, a.samePassword(ctx, target.ID, former, password)
	}
	if version, err = a.credentials.Put(ctx, target.ID, password); err != nil {
		// If it was stored all the same, no row names its version: Orphans drops it.
		return Operator{}, err
	}
	end, err := a.apply(ctx, rotate)
	if end == unknown {
		switch stored, known := a.settle(ctx, target.ID); {
		case !known:
			return Operator{}, err
		case stored.CredentialsVersion == version:
			return stored, nil
		}
	}
	if end != committed {
		a.drop(ctx, target.ID, version)
	}
	if err != nil {
		return Operator{}, err
	}
	return answer, nil
}

// samePassword refuses a repeated request_id that comes with another password than the first time: to answer it would
// acknowledge a password that is stored nowhere. The fingerprint cannot tell, because no hash of a password is kept. A
// version that is gone since cannot be compared.
func (a *Admin) samePassword(ctx context.Context, id uuid.UUID, version int64, password secret.Text) error {
	given := password.Reveal()
	if version == 0 || given == "" {
		if version == 0 && given == "" {
			return nil
		}
		return otherRequest()
	}
	stored, err := a.credentials.Get(ctx, id, version)
	switch {
	case err != nil && fault.From(err).Kind == fault.NotFound:
		return nil
	case err != nil:
		return err
	case subtle.ConstantTimeCompare([]byte(stored.Reveal()), []byte(given)) == 0:
		return otherRequest()
	}
	return nil
}

func otherRequest() error {
	return fault.Invalid(ReasonRequestReused, fault.Violation{
		Field: "request_id", Description: "was used with another password: take a new request_id for another change",
	})
}

// drop takes away a password that did not come into force. What it cannot drop is left to Orphans.
func (a *Admin) drop(ctx context.Context, id uuid.UUID, version int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), aftermathLimit)
	defer cancel()
	if err := a.credentials.Drop(ctx, id, version); err != nil {
		a.log.WarnContext(ctx, "a password that did not come into force is left to the next sweep",
			"operator_id", id, "credentials_version", version, "error", err)
	}
}

// Credentials gives a live operator and the password in force, for a session with it. The read is in the audit log
// before it is answered.
func (a *Admin) Credentials(ctx context.Context, r Request, id uuid.UUID) (Operator, secret.Text, error) {
	if err := r.check(); err != nil {
		return Operator{}, secret.Text{}, err
	}
	o, password, err := a.password(ctx, id, 0)
	if err != nil {
		return Operator{}, secret.Text{}, err
	}
	err = a.store.Audit(ctx, r, Entry{Action: "credentials.read", Entity: "operator", EntityID: id.String(), At: moment(a.now())})
	if err != nil {
		return Operator{}, secret.Text{}, err
	}
	return o, password, nil
}

// password reads the operator and its password. A version that is gone was perhaps replaced since the row was read;
// missing is that version at the second try, or 0.
func (a *Admin) password(ctx context.Context, id uuid.UUID, missing int64) (Operator, secret.Text, error) {
	o, fresh, err := a.store.Operator(ctx, id)
	switch {
	case err != nil:
		return Operator{}, secret.Text{}, err
	case !o.Live():
		return Operator{}, secret.Text{}, NoSuchOperator()
	case fresh.Stale:
		// An old password could lock the account at the operator, and the read could not be audited anyway.
		return Operator{}, secret.Text{}, fault.New(fault.Unavailable, reasonDatabase,
			"The database answers from a replica; passwords are given from the primary only. Try again.").WithRetry(time.Second)
	case o.CredentialsVersion == 0:
		return Operator{}, secret.Text{}, fault.New(fault.FailedPrecondition, ReasonNoCredentials,
			"The operator has no password: give it one with RotateCredentials.")
	case o.CredentialsVersion == missing:
		return Operator{}, secret.Text{}, fault.New(fault.FailedPrecondition, ReasonNoCredentials,
			"The password is gone from the secret store: give the operator a new one with RotateCredentials.")
	}
	password, err := a.credentials.Get(ctx, id, o.CredentialsVersion)
	if err != nil && fault.From(err).Kind == fault.NotFound {
		return a.password(ctx, id, o.CredentialsVersion)
	}
	return o, password, err
}
