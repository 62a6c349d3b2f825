package operators

import (
	"context"

	"github.com/google/uuid"

	"trunkline/services/platform/secret"
)

// The reasons of faults about passwords.
const (
	// ReasonVault: the secret store cannot be reached; nothing was changed.
	ReasonVault = "VAULT_UNAVAILABLE"
	// ReasonNoCredentials: the operator has no password.
	ReasonNoCredentials = "NO_CREDENTIALS"

	// reasonDatabase is the reason that adapters give when the database is out of reach.
	reasonDatabase = "DATABASE_UNAVAILABLE"
)

// Credentials keeps the passwords of operators, in versions. Which version is in force stands in the operator's row, so
// a version counts only when a committed row names it. Errors are faults; an Unavailable Put may have stored the
// version all the same.
type Credentials interface {
	// Put stores a password as a new version, counted from 1, and changes no former one.
	Put(ctx context.Context, operator uuid.UUID, password secret.Text) (version int64, err error)
	// Get gives exactly this version, or a NotFound fault.
	Get(ctx context.Context, operator uuid.UUID, version int64) (secret.Text, error)
	// Drop takes one version away for good. It is no error when there is none.
	Drop(ctx context.Context, operator uuid.UUID, version int64) error
	// Remove takes everything of an operator away for good. It is no error when there is nothing.
	Remove(ctx context.Context, operator uuid.UUID) error
}
