package access

import (
	"time"

	"trunkline/services/platform/fault"
)

// Reasons of refused credentials.
const (
	// ReasonRequired: the call shows no credential.
	ReasonRequired = "CREDENTIAL_REQUIRED"
	// ReasonInvalid: the credential is malformed, unknown or not meant for this place.
	ReasonInvalid = "CREDENTIAL_INVALID"
	// ReasonExpired: the credential was good until a moment that has passed.
	ReasonExpired = "CREDENTIAL_EXPIRED"
	// ReasonRevoked: the API key was good until somebody revoked it.
	ReasonRevoked = "CREDENTIAL_REVOKED"
	// ReasonUncheckable: what credentials are checked against was not loaded yet. The credential may be good.
	ReasonUncheckable = "CREDENTIALS_UNCHECKABLE"
)

// uncheckableRetry is when a caller should try again.
const uncheckableRetry = 2 * time.Second

// Invalid refuses a credential. The text says what is wrong with it and what to do, and repeats no part of it.
func Invalid(text string) *fault.Fault {
	return fault.New(fault.Unauthenticated, ReasonInvalid, "%s", text)
}

// Expired refuses a credential whose time has passed.
func Expired(text string) *fault.Fault {
	return fault.New(fault.Unauthenticated, ReasonExpired, "%s", text)
}

// Uncheckable refuses for now, with advice to try again. The text says what is missing.
func Uncheckable(text string) *fault.Fault {
	return fault.New(fault.Unavailable, ReasonUncheckable, "%s", text).WithRetry(uncheckableRetry)
}
