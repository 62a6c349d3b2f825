// Package ocikms is left out.
package ocikms

import wrapping "github.com/hashicorp/go-kms-wrapping/v2"

// NewWrapper makes a seal that is never used.
func NewWrapper() wrapping.Wrapper { return nil }

// Keys of what a seal tells about itself.
const (
	KmsConfigKeyId              = "key_id"
	KmsConfigCryptoEndpoint     = "crypto_endpoint"
	KmsConfigManagementEndpoint = "management_endpoint"
)
