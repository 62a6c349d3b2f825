package fault

import "strconv"

// Kind says what went wrong in terms a caller can act on. The names equal the
// canonical RPC status codes, so a transport maps them one to one. The zero
// value is no kind at all; a transport treats it as Internal.
type Kind uint8

const (
	// InvalidArgument: the request can never succeed as sent.
	InvalidArgument Kind = iota + 1
	// NotFound: the named thing does not exist, or the caller may not know that it does.
	NotFound
	// AlreadyExists: a live thing with this identity is there already.
	AlreadyExists
	// Aborted: a concurrent change won; read again, then retry.
	Aborted
	// FailedPrecondition: the state of the system forbids this until someone changes it.
	FailedPrecondition
	// PermissionDenied: the caller is known and not allowed.
	PermissionDenied
	// Unauthenticated: the caller is not known.
	Unauthenticated
	// ResourceExhausted: a limit or quota is used up; retry after RetryAfter.
	ResourceExhausted
	// Unavailable: a dependency is down or nothing can serve now; retry after RetryAfter.
	Unavailable
	// DeadlineExceeded: the time allowed ran out; the effect is unknown.
	DeadlineExceeded
	// Canceled: the caller went away.
	Canceled
	// Unimplemented: this deployment does not offer the operation.
	Unimplemented
	// Internal: a defect of ours; the cause is logged and hidden.
	Internal
)

var kindNames = [...]string{
	InvalidArgument:    "INVALID_ARGUMENT",
	NotFound:           "NOT_FOUND",
	AlreadyExists:      "ALREADY_EXISTS",
	Aborted:            "ABORTED",
	FailedPrecondition: "FAILED_PRECONDITION",
	PermissionDenied:   "PERMISSION_DENIED",
	Unauthenticated:    "UNAUTHENTICATED",
	ResourceExhausted:  "RESOURCE_EXHAUSTED",
	Unavailable:        "UNAVAILABLE",
	DeadlineExceeded:   "DEADLINE_EXCEEDED",
	Canceled:           "CANCELED",
	Unimplemented:      "UNIMPLEMENTED",
	Internal:           "INTERNAL",
}

// String returns the UPPER_SNAKE name, or KIND(n) for a value outside the list.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "KIND(" + strconv.Itoa(int(k)) + ")"
}

// Kinds returns every kind in declaration order. Transports use it to prove
// that their mapping is complete.
func Kinds() []Kind {
	all := make([]Kind, 0, len(kindNames)-1)
	for k := InvalidArgument; k <= Internal; k++ {
		all = append(all, k)
	}
	return all
}
