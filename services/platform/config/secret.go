package config

import "trunkline/services/platform/secret"

// Secret is a setting that prints "[redacted]" in every form.
type Secret = secret.Text

// NewSecret wraps value.
func NewSecret(value string) Secret { return secret.New(value) }
