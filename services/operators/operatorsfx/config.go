package operatorsfx

import (
	"errors"

	"trunkline/services/operators/database"
	"trunkline/services/platform/config"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/secrets"
)

// Config is what operator-management is told besides its servers.
type Config struct {
	// Connectors and Engines are the identities that may call the internal API.
	Connectors []rpcserver.Identity     `koanf:"connectors" doc:"Identities (SPIFFE ID or DNS name in the certificate) that may fetch passwords: the SMPP connectors. Empty: nobody."`
	Engines    []rpcserver.Identity     `koanf:"engines" doc:"Identities that may read the configuration and health: the routing engines. Connectors may as well."`
	HealthLog  database.PartitionConfig `koanf:"health_log"`
	Vault      secrets.VaultConfig      `koanf:"vault"`
	Keyring    secrets.KeyringConfig    `koanf:"keyring"`
}

// DefaultConfig lacks a secret store.
func DefaultConfig() Config {
	return Config{HealthLog: database.DefaultPartitionConfig(), Vault: secrets.DefaultVaultConfig()}
}

// Validate wants exactly one secret store. The parts check themselves.
func (c Config) Validate() error {
	var errs []error
	if (c.Vault.Address == "") == (c.Keyring.File == "") {
		errs = append(errs, config.Invalid("vault.address", c.Vault.Address,
			"set the address of Vault, or keyring.file on a single machine, and not both: passwords of operators need a place"))
	}
	return errors.Join(errs...)
}
