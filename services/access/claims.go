package access

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"trunkline/services/platform/caller"
)

// maxSubject is the longest subject in characters.
const maxSubject = 256

// scopeRoles are what scopes stand for.
var scopeRoles = map[string]caller.Role{"ops:read": caller.Viewer, "ops:admin": caller.Admin}

// ClaimRules say which claims of a token hold what. A name with dots, such as realm_access.roles, is a path into
// nested objects unless the token has a claim of the whole name. An empty name is never looked for.
type ClaimRules struct {
	// Role names the claim with one role or a list of them: viewer, operator, admin.
	Role string
	// Scope names the claim with scopes, as a list or separated by blanks: ops:read makes a viewer, ops:admin an admin.
	Scope string
	// Account names the claim with the UUID of the one account that the token is bound to.
	Account string
}

// Caller makes a caller of claims that are verified: signature, issuer, audience and times. The values are those of
// encoding/json. The highest role counts that role or scope give; without any it is caller.None, and the caller may
// do nothing. Roles and scopes of other systems are ignored.
//
// A token without the account claim is bound to no account. A claim that is there and names none, such as null, is
// refused: it must not open every account.
func (r ClaimRules) Caller(claims map[string]any) (caller.Caller, error) {
	subject, ok := claims["sub"].(string)
	if !ok || !validSubject(subject) {
		return caller.Caller{}, Invalid("The token names nobody: its claim sub must be a text of 1 to 256 printable characters.")
	}
	role, err := r.role(claims)
	if err != nil {
		return caller.Caller{}, err
	}
	account, err := r.account(claims)
	if err != nil {
		return caller.Caller{}, err
	}
	name := "jwt:" + subject
	if account != uuid.Nil {
		// The same subject bound to two accounts is two callers: what one asked for before is not the other's.
		name = "jwt@" + account.String() + ":" + subject
	}
	return caller.Caller{Name: name, Kind: caller.Token, Role: role, Account: account}, nil
}

func validSubject(subject string) bool {
	if subject == "" || utf8.RuneCountInString(subject) > maxSubject {
		return false
	}
	for _, c := range subject {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}

func (r ClaimRules) role(claims map[string]any) (caller.Role, error) {
	highest := caller.None
	if value, there := claimAt(claims, r.Role); there {
		words, ok := words(value)
		if !ok {
			return caller.None, Invalid("The token's role claim must be a text or a list of texts.")
		}
		for _, word := range words {
			if role, known := caller.ParseRole(word); known {
				highest = max(highest, role)
			}
		}
	}
	if value, there := claimAt(claims, r.Scope); there {
		if text, ok := value.(string); ok {
			value = strings.Split(text, " ")
		}
		words, ok := words(value)
		if !ok {
			return caller.None, Invalid("The token's scope claim must be a text or a list of texts.")
		}
		for _, word := range words {
			highest = max(highest, scopeRoles[word])
		}
	}
	return highest, nil
}

func (r ClaimRules) account(claims map[string]any) (uuid.UUID, error) {
	value, there := claimAt(claims, r.Account)
	if !there {
		return uuid.Nil, nil
	}
	text, _ := value.(string)
	account, err := uuid.Parse(text)
	// The parser takes other spellings as well, and the all-zero UUID would bind to nothing.
	if err != nil || account == uuid.Nil || !strings.EqualFold(account.String(), text) {
		return uuid.Nil, Invalid("The token's account claim must be the UUID of an account.")
	}
	return account, nil
}

// claimAt finds a claim by its whole name, else by a path of names joined by dots. A path that ends early, at
// something that is no object, gives nil as the value: that is a malformed claim, not a missing one.
func claimAt(claims map[string]any, name string) (value any, there bool) {
	if name == "" {
		return nil, false
	}
	if value, there = claims[name]; there {
		return value, true
	}
	first, rest, nested := strings.Cut(name, ".")
	if !nested {
		return nil, false
	}
	outer, there := claims[first]
	inner, ok := outer.(map[string]any)
	if !ok {
		return nil, there
	}
	return claimAt(inner, rest)
}

// words reads one text or a list of them.
func words(value any) ([]string, bool) {
	switch v := value.(type) {
	case string:
		return []string{v}, true
	case []string:
		return v, true
	case []any:
		list := make([]string, len(v))
		for i, one := range v {
			text, ok := one.(string)
			if !ok {
				return nil, false
			}
			list[i] = text
		}
		return list, true
	}
	return nil, false
}
