package access

import (
	"context"
	"net/http"

	"trunkline/services/platform/caller"
)

// Keys recognises API keys.
type Keys interface {
	// Find tells whose key the text is, or gives a fault of this package.
	Find(text string) (caller.Caller, error)
}

// Tokens recognises signed tokens.
type Tokens interface {
	// Verify tells whose token the text is, or gives a fault of this package. It may wait for the issuer's keys.
	Verify(ctx context.Context, text string) (caller.Caller, error)
}

// Authenticator tells who makes a call. Create it with NewAuthenticator.
type Authenticator struct {
	keys   Keys
	tokens Tokens
}

// NewAuthenticator accepts what keys and tokens recognise. Either may be nil: that kind of credential is refused then.
func NewAuthenticator(keys Keys, tokens Tokens) *Authenticator { return &Authenticator{keys, tokens} }

// Authenticate tells whose credential the headers carry. The faults are CREDENTIAL_REQUIRED for none,
// CREDENTIAL_INVALID for more than one or a bad one, and those of the kind of credential. The caller beside a fault has a
// name at most.
func (a *Authenticator) Authenticate(ctx context.Context, header http.Header) (caller.Caller, error) {
	shown, err := credentialIn(header)
	if err != nil {
		return caller.Caller{}, err
	}
	isKey := LooksLikeKey(shown.text)
	switch {
	case shown.keyOnly && !isKey:
		return caller.Caller{}, Invalid("The header x-api-key takes API keys, which start with tl_. Send a token as Authorization: Bearer.")
	case isKey && a.keys == nil:
		return caller.Caller{}, Invalid("API keys are not accepted here. Send a token of the configured issuer.")
	case isKey:
		return a.keys.Find(shown.text)
	case a.tokens == nil:
		return caller.Caller{}, Invalid("Tokens are not accepted here. Send an API key, which starts with tl_.")
	}
	return a.tokens.Verify(ctx, shown.text)
}
