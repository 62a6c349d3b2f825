package routing

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
)

// Limits of a Query; the schema states them too.
const (
	MaxMessageID = 128 // characters
	MaxExclude   = 32  // operators
)

// Query is one question: which operator connection carries a message to To?
type Query struct {
	To      e164.Number
	Account uuid.UUID
	Type    MessageType
	// MessageID makes the weighted draw repeatable; without it the decision's own id is drawn by.
	MessageID string
	// Exclude holds operators not to use, because an attempt through them failed.
	Exclude []uuid.UUID
	// At is the moment of the decision: validity, rates and the age of health are judged by it.
	At time.Time
	// Batch is shared by questions that belong together; nil for one alone.
	Batch *Batch
}

// ParseQuery checks the parts of a question as they come from outside. The fault is INVALID_ARGUMENT
// VALIDATION_FAILED with one violation per field, by its JSON name, and never repeats a value. At is left for the caller.
func ParseQuery(to, account string, messageType MessageType, messageID string, exclude []string) (Query, error) {
	q := Query{Type: messageType, MessageID: messageID}
	var bad []fault.Violation
	add := func(field, description string) {
		bad = append(bad, fault.Violation{Field: field, Description: description})
	}
	var err error
	if q.To, err = e164.Parse(to); err != nil {
		add("to", err.Error())
	}
	if q.Account, err = parseUUID(account); err != nil || q.Account == uuid.Nil {
		add("accountId", "must be a UUID that is not all zeros")
	}
	if !messageType.Valid() {
		add("messageType", "must be one of the defined message types")
	}
	if utf8.RuneCountInString(messageID) > MaxMessageID {
		add("messageId", "must be at most "+strconv.Itoa(MaxMessageID)+" characters")
	}
	if len(exclude) > MaxExclude {
		add("excludeOperatorIds", "must hold at most "+strconv.Itoa(MaxExclude)+" operators")
	} else if len(exclude) > 0 {
		q.Exclude = make([]uuid.UUID, len(exclude))
		for i, text := range exclude {
			if q.Exclude[i], err = parseUUID(text); err != nil {
				add("excludeOperatorIds["+strconv.Itoa(i)+"]", "must be a UUID")
			}
		}
	}
	if bad != nil {
		return Query{}, fault.Invalid(ReasonValidation, bad...)
	}
	return q, nil
}

// parseUUID takes only the 36-character form; the library would take three more.
func parseUUID(text string) (uuid.UUID, error) {
	if len(text) != 36 || strings.Count(text, "-") != 4 {
		return uuid.Nil, errNotUUID
	}
	return uuid.Parse(text)
}

// excludes reports whether the caller ruled the operator out.
func (q *Query) excludes(id uuid.UUID) bool {
	for i := range q.Exclude {
		if q.Exclude[i] == id {
			return true
		}
	}
	return false
}
