package access

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

// Limits of the texts of accounts and keys, in characters.
const (
	MaxName  = 100
	MaxNotes = 2000
)

// Account is a customer of the gateway.
type Account struct {
	ID uuid.UUID
	// Name is unique among live accounts.
	Name string
	// Notes are for people.
	Notes string
	// Version rises with every change, starting at 1.
	Version              int64
	CreatedAt, UpdatedAt time.Time
	CreatedBy, UpdatedBy string
	// DeletedAt is zero while the account lives.
	DeletedAt time.Time
}

// Live reports whether the account is not deleted.
func (a Account) Live() bool { return a.DeletedAt.IsZero() }

// ETag names this state of the account. Callers compare it and read nothing from it.
func (a Account) ETag() string {
	sum := sha256.Sum256([]byte(a.ID.String() + ":" + strconv.FormatInt(a.Version, 10)))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// Validate returns nil, or an InvalidArgument fault with every field that is wrong.
func (a Account) Validate() error {
	return invalid(
		fault.Violation{Field: "account.name", Description: nameProblem(a.Name)},
		fault.Violation{Field: "account.notes", Description: notesProblem(a.Notes)},
	)
}

// AccountFilter says which live accounts a list holds.
type AccountFilter struct {
	// Only is the one account that the caller may see; uuid.Nil lets it see all.
	Only uuid.UUID
	// Search is a text that the name contains, in any case; "" is every account. Letters beyond ASCII have a case on
	// PostgreSQL only.
	Search string
	// AfterName and AfterID are those of the last account of the page before; both are zero for the first page.
	AfterName string
	AfterID   uuid.UUID
	// Limit is the size of the page, at least 1.
	Limit int
}

// nameProblem tells what is wrong with the name of an account or a key, or "".
func nameProblem(name string) string {
	switch {
	case !utf8.ValidString(name):
		return "must be UTF-8"
	case name == "" || utf8.RuneCountInString(name) > MaxName:
		return "must have 1 to 100 characters"
	case strings.TrimSpace(name) != name:
		return "must not start or end with a space"
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "must hold only printable characters"
	}
	return ""
}

func notesProblem(notes string) string {
	if !utf8.ValidString(notes) || strings.ContainsRune(notes, 0) || utf8.RuneCountInString(notes) > MaxNotes {
		return "must be text of at most 2000 characters"
	}
	return ""
}

// invalid is the fault for those of the violations that have a description, or nil.
func invalid(all ...fault.Violation) error {
	var found []fault.Violation
	for _, v := range all {
		if v.Description != "" {
			found = append(found, v)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return fault.Invalid(ReasonInvalidValue, found...)
}
