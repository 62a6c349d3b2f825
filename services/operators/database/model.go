package database

import (
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
)

type operatorRow struct {
	bun.BaseModel `bun:"table:operators,alias:o"`

	OperatorID   uuid.UUID  `bun:"operator_id,pk"`
	Name         string     `bun:"name"`
	Host         string     `bun:"host"`
	Port         int        `bun:"port"`
	SystemID     string     `bun:"system_id"`
	BindType     string     `bun:"bind_type"`
	MaxTPS       int        `bun:"max_tps"`
	MessageTypes string     `bun:"message_types"`
	Status       string     `bun:"status"`
	Version      int64      `bun:"version"`
	CreatedAt    time.Time  `bun:"created_at"`
	UpdatedAt    time.Time  `bun:"updated_at"`
	DeletedAt    *time.Time `bun:"deleted_at"`

	SystemType         string        `bun:"system_type"`
	BurstMultiplier    float64       `bun:"burst_multiplier"`
	EnforcementMode    string        `bun:"enforcement_mode"`
	BackupOperatorID   uuid.NullUUID `bun:"backup_operator_id"`
	Notes              string        `bun:"notes"`
	CredentialsVersion int64         `bun:"credentials_version"`
	CreatedBy          string        `bun:"created_by"`
	UpdatedBy          string        `bun:"updated_by"`
}

// changingOperator is every column but the id and those of the creation.
var changingOperator = []string{
	"name", "host", "port", "system_id", "bind_type", "max_tps", "message_types", "status", "version", "updated_at", "deleted_at",
	"system_type", "burst_multiplier", "enforcement_mode", "backup_operator_id", "notes", "credentials_version", "updated_by",
}

func fromOperator(o operators.Operator) operatorRow {
	return operatorRow{
		OperatorID: o.ID, Name: o.Name, Host: o.Host, Port: o.Port, SystemID: o.SystemID,
		BindType: o.BindType.String(), MaxTPS: o.MaxTPS, MessageTypes: o.MessageTypes.String(),
		Status: o.Status.String(), Version: o.Version, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt, DeletedAt: optional(o.DeletedAt),
		SystemType: o.SystemType, BurstMultiplier: o.BurstMultiplier, EnforcementMode: o.EnforcementMode.String(),
		BackupOperatorID: nullable(o.BackupID), Notes: o.Notes, CredentialsVersion: o.CredentialsVersion,
		CreatedBy: o.CreatedBy, UpdatedBy: o.UpdatedBy,
	}
}

func (r operatorRow) operator() (operators.Operator, error) {
	bindType, err1 := operators.ParseBindType(r.BindType)
	types, err2 := operators.ParseMessageTypes(r.MessageTypes)
	status, err3 := operators.ParseStatus(r.Status)
	mode, err4 := operators.ParseEnforcementMode(r.EnforcementMode)
	return operators.Operator{
		ID: r.OperatorID, Name: r.Name, Host: r.Host, Port: r.Port, SystemID: r.SystemID,
		BindType: bindType, MaxTPS: r.MaxTPS, MessageTypes: types, Status: status, Version: r.Version,
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(), DeletedAt: moment(r.DeletedAt),
		SystemType: r.SystemType, BurstMultiplier: r.BurstMultiplier, EnforcementMode: mode, BackupID: r.BackupOperatorID.UUID,
		Notes: r.Notes, CredentialsVersion: r.CredentialsVersion, CreatedBy: r.CreatedBy, UpdatedBy: r.UpdatedBy,
	}, errors.Join(err1, err2, err3, err4)
}

type ruleRow struct {
	bun.BaseModel `bun:"table:routing_rules,alias:r"`

	RuleID       uuid.UUID     `bun:"rule_id,pk"`
	AccountID    uuid.NullUUID `bun:"account_id"`
	Prefix       string        `bun:"prefix"`
	Country      string        `bun:"country"`
	MessageTypes string        `bun:"message_types"`
	Strategy     string        `bun:"strategy"`
	OnExhausted  string        `bun:"on_exhausted"`
	Active       bool          `bun:"active"`
	ValidFrom    *time.Time    `bun:"valid_from"`
	ValidTo      *time.Time    `bun:"valid_to"`
	CreatedAt    time.Time     `bun:"created_at"`
	UpdatedAt    time.Time     `bun:"updated_at"`
	DeletedAt    *time.Time    `bun:"deleted_at"`
	Description  string        `bun:"description"`
	Version      int64         `bun:"version"`
	CreatedBy    string        `bun:"created_by"`
	UpdatedBy    string        `bun:"updated_by"`
	// ChangedIn is the version of the configuration in which the row came into force as it is.
	ChangedIn int64 `bun:"changed_in"`
}

// ruleColumns is the order of ruleRow.fields.
const ruleColumns = `rule_id, account_id, prefix, country, message_types, strategy, on_exhausted, active, valid_from, valid_to,
	created_at, updated_at, description, version, created_by, updated_by`

// fields is where a row goes that is read without bun, which takes as long as the database when rows are many.
func (r *ruleRow) fields() []any {
	return []any{
		&r.RuleID, &r.AccountID, &r.Prefix, &r.Country, &r.MessageTypes, &r.Strategy, &r.OnExhausted, &r.Active, &r.ValidFrom, &r.ValidTo,
		&r.CreatedAt, &r.UpdatedAt, &r.Description, &r.Version, &r.CreatedBy, &r.UpdatedBy,
	}
}

func fromRule(r operators.Rule) ruleRow {
	return ruleRow{
		RuleID: r.ID, AccountID: nullable(r.Account),
		Prefix: r.Prefix.String(), Country: r.Country, MessageTypes: r.MessageTypes.String(),
		Strategy: r.Strategy.String(), OnExhausted: r.OnExhausted.String(), Active: r.Active,
		ValidFrom: optional(r.ValidFrom), ValidTo: optional(r.ValidTo), CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		Description: r.Description, Version: r.Version, CreatedBy: r.CreatedBy, UpdatedBy: r.UpdatedBy,
	}
}

// rule converts all but the candidates.
func (r ruleRow) rule() (operators.Rule, error) {
	prefix, err1 := e164.ParsePrefix(r.Prefix)
	types, err2 := operators.ParseMessageTypes(r.MessageTypes)
	strategy, err3 := operators.ParseStrategy(r.Strategy)
	onExhausted, err4 := operators.ParseOnExhausted(r.OnExhausted)
	return operators.Rule{
		ID: r.RuleID, Account: r.AccountID.UUID, Prefix: prefix, Country: r.Country, MessageTypes: types,
		Strategy: strategy, OnExhausted: onExhausted, Active: r.Active,
		ValidFrom: moment(r.ValidFrom), ValidTo: moment(r.ValidTo), CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
		Description: r.Description, Version: r.Version, CreatedBy: r.CreatedBy, UpdatedBy: r.UpdatedBy,
	}, errors.Join(err1, err2, err3, err4)
}

type candidateRow struct {
	bun.BaseModel `bun:"table:rule_candidates,alias:c"`

	RuleID       uuid.UUID `bun:"rule_id,pk"`
	OperatorID   uuid.UUID `bun:"operator_id,pk"`
	Priority     int       `bun:"priority"`
	Weight       int       `bun:"weight"`
	PriceNanos   *int64    `bun:"price_nanos"`
	Currency     *string   `bun:"currency"`
	OperatorName string    `bun:"operator_name,scanonly"`
}

// candidateColumns is the order of candidateRow.fields.
const candidateColumns = `rule_id, operator_id, priority, weight, price_nanos, currency`

func (r *candidateRow) fields() []any {
	return []any{&r.RuleID, &r.OperatorID, &r.Priority, &r.Weight, &r.PriceNanos, &r.Currency}
}

func fromCandidates(rule operators.Rule, rows []candidateRow) []candidateRow {
	for _, c := range rule.Candidates {
		row := candidateRow{RuleID: rule.ID, OperatorID: c.OperatorID, Priority: c.Priority, Weight: c.Weight}
		if !c.Price.IsZero() {
			currency := c.Price.Currency.String()
			row.PriceNanos, row.Currency = &c.Price.Nanos, &currency
		}
		rows = append(rows, row)
	}
	return rows
}

func (r candidateRow) candidate() (operators.Candidate, error) {
	c := operators.Candidate{OperatorID: r.OperatorID, OperatorName: r.OperatorName, Priority: r.Priority, Weight: r.Weight}
	if r.PriceNanos == nil || r.Currency == nil {
		return c, nil
	}
	var err error
	c.Price, err = money.FromNanos(*r.PriceNanos, *r.Currency)
	return c, err
}

func nullable(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
