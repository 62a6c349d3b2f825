// Package fault is the one error type that crosses a service boundary. A Fault
// carries what the caller may know (kind, reason, message, violations, retry
// delay) and hides what only the log may know (the cause).
//
// Faults are immutable: Wrap, WithRetry, With and Attach return a changed copy, so a
// fault may be kept in a variable and shared between goroutines.
package fault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"
)

// ReasonInternal, ReasonCanceled and ReasonDeadline are the reasons that From
// gives to errors that are not faults.
const (
	ReasonInternal = "INTERNAL"
	ReasonCanceled = "CANCELED"
	ReasonDeadline = "DEADLINE_EXCEEDED"
)

// shownViolations bounds how many violations Invalid repeats in the message;
// the full list stays in Violations.
const shownViolations = 3

// Violation names one field of a request and what is wrong with it. Field is a
// dotted path in proto field names, such as "candidates[2].weight". Both parts
// reach the caller, so they never repeat a secret or a subscriber number.
type Violation struct {
	Field       string
	Description string
}

// Fault is an error with a kind, a stable reason and details that are safe for
// the caller. Create it with New or Invalid.
type Fault struct {
	// Kind decides the status code.
	Kind Kind
	// Reason is a stable UPPER_SNAKE identifier that programs may test.
	Reason string
	// Message is one sentence for people, safe for the caller.
	Message string
	// Violations lists the offending fields; only for InvalidArgument and FailedPrecondition.
	Violations []Violation
	// RetryAfter is the delay before a retry makes sense; 0 means no advice.
	RetryAfter time.Duration
	// Metadata holds further safe facts, such as the id of the conflicting row.
	// Read it only; change it through With.
	Metadata map[string]string
	// Details are messages of the schema that programs may read; the server sends those it knows how to. Read
	// them only; add through Attach.
	Details []any

	cause error
}

// New returns a fault. The formatted message reaches the caller: put no driver
// text, secret or subscriber number into args. Use Wrap for the cause.
func New(kind Kind, reason, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Invalid returns an InvalidArgument fault. Its message repeats the first few
// violations so that a caller who reads only the text still learns the fields.
func Invalid(reason string, v ...Violation) *Fault {
	return &Fault{
		Kind:       InvalidArgument,
		Reason:     reason,
		Message:    summary(v),
		Violations: append([]Violation(nil), v...),
	}
}

func summary(v []Violation) string {
	if len(v) == 0 {
		return "The request is not valid."
	}
	var b strings.Builder
	for i, one := range v {
		if i == shownViolations {
			fmt.Fprintf(&b, "; and %d more", len(v)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		if one.Field != "" {
			b.WriteString(one.Field)
			b.WriteString(": ")
		}
		b.WriteString(one.Description)
	}
	return b.String()
}

// Wrap returns a copy that carries cause. The cause is reachable with errors.Is
// and errors.As and is logged by LogValue; Error never shows it.
func (f *Fault) Wrap(cause error) *Fault {
	c := *f
	c.cause = cause
	return &c
}

// WithRetry returns a copy that advises a retry after d. A negative d becomes 0.
func (f *Fault) WithRetry(d time.Duration) *Fault {
	c := *f
	c.RetryAfter = max(d, 0)
	return &c
}

// With returns a copy with one more metadata entry; an existing key is replaced.
// Key and value reach the caller.
func (f *Fault) With(key, value string) *Fault {
	c := *f
	c.Metadata = maps.Clone(f.Metadata)
	if c.Metadata == nil {
		c.Metadata = make(map[string]string, 1)
	}
	c.Metadata[key] = value
	return &c
}

// Attach returns a copy with one more detail, a message of the schema that reaches the caller.
func (f *Fault) Attach(detail any) *Fault {
	c := *f
	c.Details = append(slices.Clone(f.Details), detail)
	return &c
}

// Error returns kind, reason and message. It never contains the cause.
func (f *Fault) Error() string {
	if f == nil {
		return "no fault"
	}
	return f.Kind.String() + " " + f.Reason + ": " + f.Message
}

// Unwrap returns the cause, or nil.
func (f *Fault) Unwrap() error {
	if f == nil {
		return nil
	}
	return f.cause
}

// Is makes errors.Is treat two faults with equal kind and reason as the same.
func (f *Fault) Is(target error) bool {
	t, ok := target.(*Fault)
	if !ok || t == nil || f == nil {
		return ok && t == f
	}
	return t.Kind == f.Kind && t.Reason == f.Reason
}

// Is reports whether the outermost fault in err's chain has the reason.
func Is(err error, reason string) bool {
	f, ok := find(err)
	return ok && f.Reason == reason
}

// From turns any error into a fault, or returns nil for nil.
//
// A fault anywhere in the chain is kept; text that was wrapped around it stays
// in the cause for the log. A context error becomes Canceled or
// DeadlineExceeded. Everything else becomes Internal with a fixed message and
// err as the hidden cause.
//
// The result is a *Fault: do not assign it to an error variable without testing
// for nil first.
func From(err error) *Fault {
	if err == nil {
		return nil
	}
	if f, ok := find(err); ok {
		//nolint:errorlint // only the very same fault is returned as it is
		if err == error(f) {
			return f
		}
		return f.Wrap(err)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return New(Canceled, ReasonCanceled, "The caller canceled the request.").Wrap(err)
	case errors.Is(err, context.DeadlineExceeded):
		return New(DeadlineExceeded, ReasonDeadline, "The request ran out of time.").Wrap(err)
	}
	return New(Internal, ReasonInternal, "An internal error occurred. Quote the request id when you report it.").Wrap(err)
}

func find(err error) (*Fault, bool) {
	var f *Fault
	ok := errors.As(err, &f)
	return f, ok && f != nil
}

// LogValue gives structured logs everything, including the cause.
func (f *Fault) LogValue() slog.Value {
	if f == nil {
		return slog.StringValue("no fault")
	}
	attrs := []slog.Attr{
		slog.String("kind", f.Kind.String()),
		slog.String("reason", f.Reason),
		slog.String("message", f.Message),
	}
	if len(f.Violations) > 0 {
		fields := make([]any, len(f.Violations))
		for i, v := range f.Violations {
			fields[i] = slog.String(v.Field, v.Description)
		}
		attrs = append(attrs, slog.Group("violations", fields...))
	}
	if f.RetryAfter > 0 {
		attrs = append(attrs, slog.Duration("retry_after", f.RetryAfter))
	}
	if len(f.Metadata) > 0 {
		attrs = append(attrs, slog.Any("metadata", f.Metadata))
	}
	if f.cause != nil {
		attrs = append(attrs, slog.String("cause", causeText(f.cause)))
	}
	return slog.GroupValue(attrs...)
}

// causeText adds the causes of nested faults, which their Error text hides.
func causeText(err error) string {
	text := err.Error()
	if inner, ok := find(err); ok && inner.cause != nil {
		return text + ": " + causeText(inner.cause)
	}
	return text
}
