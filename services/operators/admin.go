package operators

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

// The reasons of faults about operators.
const (
	ReasonNoSuchOperator    = "NO_SUCH_OPERATOR"
	ReasonDuplicateOperator = "DUPLICATE_OPERATOR"
	ReasonIllegalStatus     = "ILLEGAL_STATUS"
	ReasonUpdateMask        = "INVALID_UPDATE_MASK"
)

// changeLimit bounds one change, whatever the caller allows. A long import may run before it.
const changeLimit = 30 * time.Second

// aftermathLimit bounds what has to be done after a change although its caller may be gone.
const aftermathLimit = 10 * time.Second

// AdminStore is what Admin needs to be kept.
type AdminStore interface {
	Store
	OperatorReader
	// Audit writes an audit row that belongs to no change. It does not wait for changes under way.
	Audit(ctx context.Context, r Request, e Entry) error
}

// OperatorReader reads operators. The answer may come from a replica, and says so.
type OperatorReader interface {
	// Operator gives one operator, also a deleted one, or a NotFound fault.
	Operator(ctx context.Context, id uuid.UUID) (Operator, Freshness, error)
	// ListOperators gives operators by name and id, and whether there are more.
	ListOperators(ctx context.Context, filter OperatorFilter) (page []Operator, more bool, fresh Freshness, err error)
	// LiveOperators gives every live operator by name.
	LiveOperators(ctx context.Context) ([]Operator, Freshness, error)
}

// OperatorTx changes operators.
type OperatorTx interface {
	// Operator gives one operator, also a deleted one, or a NotFound fault.
	Operator(ctx context.Context, id uuid.UUID) (Operator, error)
	// LiveOperators gives every live operator by name.
	LiveOperators(ctx context.Context) ([]Operator, error)
	// PutOperators inserts operators with new ids and replaces those with known ones.
	PutOperators(ctx context.Context, all []Operator) error
	// IdleRules gives up to limit active rules that name the operator and have no usable one, by prefix and without
	// candidates. Usable is an operator that is live, ACTIVE, no RECEIVER and carries some of the rule's message types.
	IdleRules(ctx context.Context, operator uuid.UUID, at time.Time, limit int) ([]Rule, error)
}

// Admin carries out what the people who run carriers ask for. It is safe for concurrent use.
type Admin struct {
	store       AdminStore
	credentials Credentials
	wake        Waker
	now         func() time.Time
	log         *slog.Logger
}

// NewAdmin returns the use cases of operators. It takes the time of a change from now.
func NewAdmin(store AdminStore, credentials Credentials, wake Waker, now func() time.Time, log *slog.Logger) *Admin {
	return &Admin{store: store, credentials: credentials, wake: wake, now: now, log: log}
}

// apply runs a change of operators.
func (a *Admin) apply(ctx context.Context, c change) (outcome, error) {
	return c.run(ctx, a.store, a.wake, a.now)
}

// step is one state of an operator that takes the place of another.
type step struct {
	// action is what the audit log calls it, event the kind of its event.
	action, event string
	// before is nil for a new operator.
	before *Operator
	after  Operator
	// credentialsChanged tells connectors to fetch their credentials again.
	credentialsChanged bool
}

// store writes the new state with everything that belongs to it, and returns the reply to remember.
func (s step) store(ctx context.Context, tx Tx, r Request, at time.Time) (reply string, err error) {
	if err := tx.PutOperators(ctx, []Operator{s.after}); err != nil {
		return "", err
	}
	version, err := tx.RaiseConfigVersion(ctx, false, at)
	if err != nil {
		return "", err
	}
	entry := Entry{Action: s.action, Entity: "operator", EntityID: s.after.ID.String(), After: s.after.audited(), At: at, Events: []Event{{
		ID: newID(), Kind: s.event, ConfigVersion: version, OperatorID: s.after.ID, OperatorVersion: s.after.Version,
		CredentialsChanged: s.credentialsChanged, OccurredAt: at,
	}}}
	if s.before != nil {
		entry.Before = s.before.audited()
	}
	return operatorReply(s.after), tx.Record(ctx, r, entry)
}

// next is the operator as it begins its next version.
func (o Operator) next(r Request, at time.Time) Operator {
	o.Version++
	o.UpdatedAt, o.UpdatedBy = at, r.Actor
	return o
}

type operatorReplyJSON struct {
	OperatorID uuid.UUID `json:"operator_id"`
	// CredentialsVersion is the version of the password that the run put or left in force.
	CredentialsVersion int64 `json:"credentials_version,omitempty"`
}

func operatorReply(o Operator) string {
	return string(mustJSON(operatorReplyJSON{o.ID, o.CredentialsVersion}))
}

// repliedCredentials gives the version of the password that a former run put in force; 0 is none.
func repliedCredentials(reply string) (int64, error) {
	var r operatorReplyJSON
	if err := json.Unmarshal([]byte(reply), &r); err != nil {
		return 0, fmt.Errorf("read the reply of a former request: %w", err)
	}
	return r.CredentialsVersion, nil
}

// repliedOperator gives the present state of the operator that a former run was about.
func repliedOperator(ctx context.Context, tx Tx, reply string) (Operator, error) {
	var r operatorReplyJSON
	if err := json.Unmarshal([]byte(reply), &r); err != nil {
		return Operator{}, fmt.Errorf("read the reply of a former request: %w", err)
	}
	return tx.Operator(ctx, r.OperatorID)
}

// liveTarget gives the operator to change.
func liveTarget(ctx context.Context, tx Tx, target Target) (Operator, error) {
	o, err := tx.Operator(ctx, target.ID)
	switch {
	case err != nil:
		return Operator{}, err
	case !o.Live():
		return Operator{}, fault.New(fault.NotFound, ReasonNoSuchOperator, "The operator was deleted.")
	}
	return o, target.check(o.ETag())
}

// NoSuchOperator is the fault for an id that no operator has.
func NoSuchOperator() error {
	return fault.New(fault.NotFound, ReasonNoSuchOperator, "There is no operator with this id.")
}
