package database

import (
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
)

type healthRow struct {
	bun.BaseModel `bun:"table:operator_health,alias:h"`

	OperatorID uuid.UUID `bun:"operator_id,pk"`
	BindState  string    `bun:"bind_state"`
	Quality    string    `bun:"quality"`
	Throttled  bool      `bun:"throttled"`
	Version    int64     `bun:"version"`
	ChangedAt  time.Time `bun:"changed_at"`
	ObservedAt time.Time `bun:"observed_at"`
}

func fromHealth(h operators.Health) healthRow {
	return healthRow{
		OperatorID: h.OperatorID, BindState: h.Bind.String(), Quality: h.Quality.String(), Throttled: h.Throttled,
		Version: h.Version, ChangedAt: h.ChangedAt, ObservedAt: h.ObservedAt,
	}
}

// knownHealthRow is an operator with its health, which may be missing.
type knownHealthRow struct {
	OperatorID uuid.UUID      `bun:"operator_id"`
	BindState  sql.NullString `bun:"bind_state"`
	Quality    sql.NullString `bun:"quality"`
	Throttled  sql.NullBool   `bun:"throttled"`
	Version    sql.NullInt64  `bun:"version"`
	ChangedAt  *time.Time     `bun:"changed_at"`
	ObservedAt *time.Time     `bun:"observed_at"`
}

func (r knownHealthRow) health() (operators.Health, error) {
	h := operators.Health{OperatorID: r.OperatorID}
	if !r.Version.Valid {
		return h, nil
	}
	var err1, err2 error
	h.Bind, err1 = operators.ParseBindState(r.BindState.String)
	h.Quality, err2 = operators.ParseQuality(r.Quality.String)
	h.Throttled, h.Version = r.Throttled.Bool, r.Version.Int64
	h.ChangedAt, h.ObservedAt = moment(r.ChangedAt), moment(r.ObservedAt)
	return h, errors.Join(err1, err2)
}

type transitionRow struct {
	bun.BaseModel `bun:"table:health_transitions,alias:t"`

	TransitionID uuid.UUID `bun:"transition_id,pk"`
	OperatorID   uuid.UUID `bun:"operator_id"`
	OccurredAt   time.Time `bun:"occurred_at"`
	FromBind     string    `bun:"from_bind"`
	ToBind       string    `bun:"to_bind"`
	FromQuality  string    `bun:"from_quality"`
	ToQuality    string    `bun:"to_quality"`
	Cause        string    `bun:"cause"`
	Submits      int64     `bun:"submits"`
	Errors       int64     `bun:"errors"`
	Version      int64     `bun:"version"`
}

func fromTransition(t operators.Transition) *transitionRow {
	return &transitionRow{
		TransitionID: t.ID, OperatorID: t.OperatorID, OccurredAt: t.OccurredAt,
		FromBind: t.FromBind.String(), ToBind: t.ToBind.String(), FromQuality: t.FromQuality.String(), ToQuality: t.ToQuality.String(),
		Cause: t.Cause, Submits: t.Submits, Errors: t.Errors, Version: t.Version,
	}
}

func (r transitionRow) transition() (operators.Transition, error) {
	fromBind, err1 := operators.ParseBindState(r.FromBind)
	toBind, err2 := operators.ParseBindState(r.ToBind)
	fromQuality, err3 := operators.ParseQuality(r.FromQuality)
	toQuality, err4 := operators.ParseQuality(r.ToQuality)
	return operators.Transition{
		ID: r.TransitionID, OperatorID: r.OperatorID, OccurredAt: r.OccurredAt.UTC(), FromBind: fromBind, ToBind: toBind,
		FromQuality: fromQuality, ToQuality: toQuality, Cause: r.Cause, Submits: r.Submits, Errors: r.Errors, Version: r.Version,
	}, errors.Join(err1, err2, err3, err4)
}
