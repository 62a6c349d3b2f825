package access

import (
	"time"

	"github.com/google/uuid"
)

// auditedKey is a key as the audit log shows it, with the names of the schema. The MAC is not in it.
type auditedKey struct {
	KeyID      uuid.UUID  `json:"key_id"`
	AccountID  string     `json:"account_id,omitempty"`
	Name       string     `json:"name"`
	Role       string     `json:"role"`
	Hint       string     `json:"hint"`
	ExpireTime *time.Time `json:"expire_time,omitempty"`
	RevokeTime *time.Time `json:"revoke_time,omitempty"`
}

func (k APIKey) audited() auditedKey {
	out := auditedKey{
		KeyID: k.KeyID, Name: k.Name, Role: k.Role.String(), Hint: KeyPrefix + k.Hint,
		ExpireTime: optionalTime(k.ExpiresAt), RevokeTime: optionalTime(k.RevokedAt),
	}
	if k.Account != uuid.Nil {
		out.AccountID = k.Account.String()
	}
	return out
}

func keyEntry(action string, before *APIKey, after APIKey) *Entry {
	e := &Entry{Action: action, Entity: "api_key", EntityID: after.KeyID, After: mustJSON(after.audited())}
	if before != nil {
		e.Before = mustJSON(before.audited())
	}
	return e
}
