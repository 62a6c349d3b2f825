package operators

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// audited writes the operator for the audit log, with the names of the schema. There is no secret in it.
func (o Operator) audited() []byte {
	types := make([]string, 0, len(messageTypeNames))
	for i, name := range messageTypeNames {
		if o.MessageTypes&(1<<i) != 0 {
			types = append(types, name)
		}
	}
	out := auditedOperator{
		ID: o.ID, Name: o.Name, Host: o.Host, Port: o.Port, SystemID: o.SystemID, SystemType: o.SystemType,
		BindType: o.BindType.String(), MessageTypes: types, Status: o.Status.String(), Notes: o.Notes,
		TPSLimit:           auditedLimit{o.MaxTPS, o.BurstMultiplier, o.EnforcementMode.String()},
		CredentialsVersion: o.CredentialsVersion, Version: o.Version,
	}
	if o.BackupID != uuid.Nil {
		out.BackupID = &o.BackupID
	}
	if !o.Live() {
		out.DeletedAt = &o.DeletedAt
	}
	return mustJSON(out)
}

type auditedOperator struct {
	ID                 uuid.UUID    `json:"operator_id"`
	Name               string       `json:"name"`
	Host               string       `json:"host"`
	Port               int          `json:"port"`
	SystemID           string       `json:"system_id"`
	SystemType         string       `json:"system_type,omitempty"`
	BindType           string       `json:"bind_type"`
	TPSLimit           auditedLimit `json:"tps_limit"`
	MessageTypes       []string     `json:"message_types"`
	BackupID           *uuid.UUID   `json:"backup_operator_id,omitempty"`
	Notes              string       `json:"notes,omitempty"`
	Status             string       `json:"status"`
	CredentialsVersion int64        `json:"credentials_version"`
	Version            int64        `json:"version"`
	DeletedAt          *time.Time   `json:"deleted_at,omitempty"`
}

type auditedLimit struct {
	MaxTPS          int     `json:"max_tps"`
	BurstMultiplier float64 `json:"burst_multiplier"`
	EnforcementMode string  `json:"enforcement_mode"`
}

// mustJSON writes a value of a type of this package, which can always be written.
func mustJSON(value any) []byte {
	out, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return out
}
