package operatorsfx

import (
	"errors"
	"strings"

	"trunkline/services/operators/database"
	"trunkline/services/platform/config"
	"trunkline/services/platform/money"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/secrets"
)

// Config is what operator-management is told besides its servers.
type Config struct {
	// Connectors and Engines are the identities that may call the internal API.
	Connectors []rpcserver.Identity `koanf:"connectors" doc:"Identities (SPIFFE ID or DNS name in the certificate) that may fetch passwords: the SMPP connectors. Empty: nobody."`
	Engines    []rpcserver.Identity `koanf:"engines" doc:"Identities that may read the configuration and health: the routing engines. Connectors may as well."`
	// PriceCeiling is such as "0.25 EUR"; "" is none.
	PriceCeiling string                   `koanf:"price_ceiling" doc:"Highest usual price per segment with its currency, such as 0.25 EUR. Rules with numbers above it get the warning PRICE_ABOVE_CEILING when they are created, changed, imported or checked; nothing is refused. Empty: no ceiling."`
	HealthLog    database.PartitionConfig `koanf:"health_log"`
	Vault        secrets.VaultConfig      `koanf:"vault"`
	Keyring      secrets.KeyringConfig    `koanf:"keyring"`
	Releases     ReleasesConfig           `koanf:"releases"`
}

// DefaultConfig lacks a secret store.
func DefaultConfig() Config {
	return Config{HealthLog: database.DefaultPartitionConfig(), Vault: secrets.DefaultVaultConfig(), Releases: DefaultReleasesConfig()}
}

// Validate wants exactly one secret store. The parts check themselves.
func (c Config) Validate() error {
	var errs []error
	if (c.Vault.Address == "") == (c.Keyring.File == "") {
		errs = append(errs, config.Invalid("vault.address", c.Vault.Address,
			"set the address of Vault, or keyring.file on a single machine, and not both: passwords of operators need a place"))
	}
	if _, err := c.ceiling(); err != nil {
		errs = append(errs, config.Invalid("price_ceiling", c.PriceCeiling, "write an amount above 0 and an ISO 4217 currency, such as 0.25 EUR"))
	}
	return errors.Join(errs...)
}

// ceiling gives the price ceiling; the zero Money is none.
func (c Config) ceiling() (money.Money, error) {
	if c.PriceCeiling == "" {
		return money.Money{}, nil
	}
	amount, currency, _ := strings.Cut(c.PriceCeiling, " ")
	ceiling, err := money.Parse(amount, currency)
	if err == nil && ceiling.Nanos == 0 {
		err = errors.New("the ceiling is 0")
	}
	return ceiling, err
}
