package operators

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

// Limits of lists.
const (
	MaxPage   = 1000
	MaxSearch = 100 // characters
)

// OperatorFilter says which operators a list holds.
type OperatorFilter struct {
	// Search is a text that name, host or system_id contains, in any case; "" is every operator. Letters beyond ASCII
	// have a case on PostgreSQL only.
	Search string
	// Statuses are the wanted ones; none is all.
	Statuses []Status
	// ShowDeleted gives deleted operators too.
	ShowDeleted bool
	// BindStates are the wanted ones of the reduced health, as it is at Now (Health.Aged); none is all. BindUnknown stands
	// also for operators of which nothing was reported, and for deleted ones.
	BindStates []BindState
	Now        time.Time
	// AfterName and AfterID are those of the last operator of the page before; both are zero for the first page.
	AfterName string
	AfterID   uuid.UUID
	// Limit is the size of the page, 1 to MaxPage.
	Limit int
}

func (f OperatorFilter) validate() error {
	var v violations
	v.check("search", checkSearch(f.Search))
	v.check("page_size", checkRange(f.Limit, 1, MaxPage))
	for _, s := range f.Statuses {
		v.check("statuses", checkSet(s.String(), statusNames[1:]))
	}
	for _, s := range f.BindStates {
		v.check("bind_states", checkSet(s.String(), bindStateNames))
	}
	if !utf8.ValidString(f.AfterName) || strings.ContainsRune(f.AfterName, 0) {
		v.check("page_token", "must be the next_page_token of the page before")
	}
	return invalid(v)
}

func checkSearch(text string) string {
	if utf8.RuneCountInString(text) > MaxSearch || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "must be text of at most 100 characters"
	}
	return ""
}

// GetOperator gives one operator, also a deleted one.
func (a *Admin) GetOperator(ctx context.Context, id uuid.UUID) (Operator, Freshness, error) {
	return a.store.Operator(ctx, id)
}

// ListOperators gives operators by name, and whether there are more. The health that counts is that of now.
func (a *Admin) ListOperators(ctx context.Context, filter OperatorFilter) (page []Operator, more bool, fresh Freshness, err error) {
	if err := filter.validate(); err != nil {
		return nil, false, Freshness{}, err
	}
	filter.Now = a.now()
	return a.store.ListOperators(ctx, filter)
}

// duplicate refuses an operator whose name or connection another live one has. The database refuses it too; this says
// which one it is.
func (o Operator) duplicate(live []Operator) error {
	for _, other := range live {
		if other.ID == o.ID {
			continue
		}
		var what string
		switch {
		case other.Name == o.Name:
			what = "name"
		case other.Connection() == o.Connection():
			what = "host, port and system_id"
		default:
			continue
		}
		return fault.New(fault.AlreadyExists, ReasonDuplicateOperator, "The operator %q has this %s.", other.Name, what).
			With("operator_id", other.ID.String())
	}
	return nil
}

// backupProblem returns what is wrong with the operator's backup, or "". A backup that is deleted later stays named and
// counts as none.
func (o Operator) backupProblem(live []Operator) string {
	if o.BackupID == uuid.Nil {
		return ""
	}
	for _, other := range live {
		if other.ID == o.BackupID {
			if other.BindType == Receiver {
				return "must be an operator that sends; this one only receives"
			}
			return ""
		}
	}
	return "must be a live operator"
}

// backs gives the live operators whose backup this one is.
func (o Operator) backs(live []Operator) []Operator {
	var all []Operator
	for _, other := range live {
		if other.BackupID == o.ID {
			all = append(all, other)
		}
	}
	return all
}
