package secrets

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
)

// Limits of paths, of the names that a path is made of, and of values, in bytes.
const (
	MaxPathBytes  = 256
	MaxNameBytes  = 64 // Vault's file storage makes file names of them, twice as long
	MaxValueBytes = 16 << 10
)

// Stored is what List tells about one path.
type Stored struct {
	Path string
	// UpdatedAt is the time of the last Put.
	UpdatedAt time.Time
	// Versions are those that were not dropped, oldest first. It may be empty.
	Versions []Version
}

// Version is one value of a path, without the value.
type Version struct {
	Number    int64
	CreatedAt time.Time
}

// Operation names what an Observer sees.
type Operation string

// Operations of an Observer. OpLogin and OpRenew happen within others or by themselves; only Vault has them.
const (
	OpPut    Operation = "put"
	OpGet    Operation = "get"
	OpDrop   Operation = "drop"
	OpRemove Operation = "remove"
	OpList   Operation = "list"
	OpCheck  Operation = "check"
	OpLogin  Operation = "login"
	OpRenew  Operation = "renew"
)

// Observer is told the end of every operation, with its error if it failed. It is called from many goroutines and must
// return at once. A nil Observer is told nothing.
type Observer func(op Operation, took time.Duration, err error)

// watch starts to measure an operation; call the result with a pointer to its error, deferred.
func (o Observer) watch(op Operation) func(*error) {
	start := time.Now()
	return func(err *error) {
		if o != nil {
			o(op, time.Since(start), *err)
		}
	}
}

// Faults of this package. Test for them with errors.Is.
var (
	// ErrNotFound means that the path does not exist, or not with this version.
	ErrNotFound = fault.New(fault.NotFound, "SECRET_NOT_FOUND", "There is no such secret, or not in this version.")
	// ErrUnavailable means that Vault did not answer, is sealed or has a fault of its own. A Put that returned it may
	// still have made a version.
	ErrUnavailable = fault.New(fault.Unavailable, "VAULT_UNAVAILABLE",
		"The secret store (Vault) is not available. Try again in a few seconds.").WithRetry(5 * time.Second)
	// ErrDenied means that Vault answers and refuses: the log-in, the policy of the token, or the address of the engine
	// is not right. It needs a person; the log says what was refused.
	ErrDenied = fault.New(fault.Unavailable, "VAULT_DENIED",
		"The secret store (Vault) refuses this service. An administrator has to check its log-in, policy and mount.").
		WithRetry(30 * time.Second)
)

// nameForm has no leading dot, so there is no "..".
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]*$`)

func validPath(path string) bool {
	if len(path) > MaxPathBytes {
		return false
	}
	for name := range strings.SplitSeq(path, "/") {
		if len(name) > MaxNameBytes || !nameForm.MatchString(name) {
			return false
		}
	}
	return true
}

func checkPath(path string) error {
	if validPath(path) {
		return nil
	}
	return invalid("path", fmt.Sprintf("write at most %d bytes: names of 1 to %d letters, digits, _, - and . joined by /",
		MaxPathBytes, MaxNameBytes))
}

// checkPut also refuses what JSON would change on its way.
func checkPut(path string, value secret.Text) error {
	if err := checkPath(path); err != nil {
		return err
	}
	if text := value.Reveal(); text == "" || len(text) > MaxValueBytes || !utf8.ValidString(text) {
		return invalid("value", fmt.Sprintf("give 1 to %d bytes of UTF-8 text", MaxValueBytes))
	}
	return nil
}

// checkPrefix accepts the empty prefix, which stands for everything.
func checkPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	return checkPath(prefix)
}

func invalid(field, what string) error {
	return fault.Invalid("SECRET_CALL_INVALID", fault.Violation{Field: field, Description: what})
}
