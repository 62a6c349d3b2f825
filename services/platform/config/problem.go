package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with a configuration. All parts are safe to
// print: values of secret keys are redacted.
type Problem struct {
	// Key is the dotted key, or "" when the problem has no single key.
	Key string
	// Value is the offending value as text; HasValue tells whether there is one.
	Value    string
	HasValue bool
	// Origin says where the value came from.
	Origin Origin
	// Fix says what is wrong and what to do about it.
	Fix string
}

// Error returns key, value, origin and fix in one line.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Key)
	if p.HasValue {
		b.WriteString(" = ")
		b.WriteString(strconv.Quote(p.Value))
	}
	if p.Origin != "" {
		fmt.Fprintf(&b, " (%s)", p.Origin)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	b.WriteString(p.Fix)
	return b.String()
}

// Error is what Load returns: every problem found, not only the first.
type Error struct {
	Problems []*Problem
}

// Error lists the problems, one per line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("the configuration is not valid:")
	for _, p := range e.Problems {
		b.WriteString("\n  - ")
		b.WriteString(p.Error())
	}
	return b.String()
}

// Unwrap makes the problems reachable with errors.As.
func (e *Error) Unwrap() []error {
	all := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		all[i] = p
	}
	return all
}

// Invalid builds the error that a Validate method returns for one key. The key
// is relative to the struct that validates. Load replaces value by a redacted
// form where the key is secret, and adds the full key and the origin. Fix says
// what is accepted and, where it helps, an example.
func Invalid(key string, value any, fix string) error {
	return &Problem{Key: key, Value: fmt.Sprint(value), HasValue: true, Fix: fix}
}

// flatten lists the leaves of an error tree made with errors.Join. Errors that
// are not problems become problems without a key.
func flatten(err error) []*Problem {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Problem
		for _, one := range joined.Unwrap() {
			all = append(all, flatten(one)...)
		}
		return all
	}
	var p *Problem
	if errors.As(err, &p) {
		c := *p
		return []*Problem{&c}
	}
	return []*Problem{{Fix: err.Error()}}
}
