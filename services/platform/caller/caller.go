// Package caller carries who calls in the context, for handlers that must write
// it down.
package caller

import "context"

// Anonymous is the name of a caller who showed no identity.
const Anonymous = "anonymous"

// Caller is who makes the current call.
type Caller struct {
	// Name is what audit rows call the caller: on the internal listener the SPIFFE
	// ID or DNS name of its certificate, else Anonymous. It is never empty.
	Name string
}

type key struct{}

// With returns a context whose caller is c.
func With(ctx context.Context, c Caller) context.Context { return context.WithValue(ctx, key{}, c) }

// From returns the caller of the current call, the anonymous one when none was named.
func From(ctx context.Context) Caller {
	if c, ok := ctx.Value(key{}).(Caller); ok && c.Name != "" {
		return c
	}
	return Caller{Name: Anonymous}
}
