package access

import (
	"time"

	"github.com/google/uuid"
)

// auditedAccount is an account as the audit log shows it, with the names of the schema.
type auditedAccount struct {
	AccountID  uuid.UUID  `json:"account_id"`
	Name       string     `json:"name"`
	Notes      string     `json:"notes,omitempty"`
	Version    int64      `json:"version"`
	DeleteTime *time.Time `json:"delete_time,omitempty"`
	// RevokedKeyIDs are the keys that were revoked with the account.
	RevokedKeyIDs []uuid.UUID `json:"revoked_key_ids,omitempty"`
}

func (a Account) audited(revoked []uuid.UUID) []byte {
	return mustJSON(auditedAccount{a.ID, a.Name, a.Notes, a.Version, optionalTime(a.DeletedAt), revoked})
}

func accountEntry(action string, before, after *Account, revoked []uuid.UUID) *Entry {
	e := &Entry{Action: action, Entity: "account", EntityID: after.ID, After: after.audited(revoked)}
	if before != nil {
		e.Before = before.audited(nil)
	}
	return e
}

func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
