package operators

import (
	"bytes"
	"encoding/json"

	"github.com/google/uuid"
)

// Bounds of what the audit log keeps of an import. Files of some hundred operators are usual, and kept whole.
const (
	maxAuditedChanges = 1000
	// maxAuditedBytes bounds the states; what comes after is only named.
	maxAuditedBytes = 512 << 10
)

// auditedImport is what the audit log keeps of an import: an acknowledged change is one row.
type auditedImport struct {
	importCounts
	auditedChanges
}

// auditedChanges are the operators or rules that a file changes, in its order.
type auditedChanges struct {
	Changes []auditedChange `json:"changes"`
	// Omitted counts those that Changes does not hold.
	Omitted int64 `json:"changes_omitted,omitempty"`

	bytes int
}

// auditedChange is one operator or rule.
type auditedChange struct {
	ID uuid.UUID `json:"id"`
	// Name is the name of an operator or the prefix of a rule.
	Name string `json:"name"`
	// Before and After hold the fields that differ, and all when it is new. Both are missing behind maxAuditedBytes.
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// add notes a change. before and after write the states as the audit log has them; before is nil for what is new.
func (a *auditedChanges) add(id uuid.UUID, name string, before, after func() []byte) {
	if len(a.Changes) == maxAuditedChanges {
		a.Omitted++
		return
	}
	change := auditedChange{ID: id, Name: name}
	if a.bytes < maxAuditedBytes {
		change.After = after()
		if before != nil {
			change.Before, change.After = differences(before(), change.After)
		}
		size := len(change.Before) + len(change.After)
		if a.bytes += size; a.bytes > maxAuditedBytes {
			change.Before, change.After = nil, nil
		}
	}
	a.Changes = append(a.Changes, change)
}

// differences leaves of two JSON objects what they do not have in common.
func differences(before, after []byte) (json.RawMessage, json.RawMessage) {
	var old, next map[string]json.RawMessage
	for _, err := range []error{json.Unmarshal(before, &old), json.Unmarshal(after, &next)} {
		if err != nil {
			panic(err) // both were written here
		}
	}
	for field, value := range old {
		if bytes.Equal(value, next[field]) {
			delete(old, field)
			delete(next, field)
		}
	}
	return mustJSON(old), mustJSON(next)
}
