package operatorsfx

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"

	"trunkline/services/operators/credentials"
	"trunkline/services/operators/metrics"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/secrets"
)

// secretStore is Vault or a keyring.
type secretStore interface {
	credentials.Secrets
	Check(ctx context.Context) error
}

// newSecretStore opens the one that is configured. Readiness needs it: without it no operator can be created.
func newSecretStore(lc fx.Lifecycle, c Config, m *metrics.Metrics, clk clock.Clock, log *slog.Logger) (secretStore, error) {
	observe := func(op secrets.Operation, took time.Duration, err error) { observeSecrets(m, op, took, err) }
	if c.Keyring.File != "" {
		keyring, err := secrets.OpenKeyring(c.Keyring, observe, clk)
		if err != nil {
			return nil, err
		}
		lc.Append(fx.StopHook(keyring.Close))
		return keyring, nil
	}
	vault, err := secrets.OpenVault(c.Vault, observe, log)
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StopHook(vault.Close))
	platformfx.Background(lc, vault.Run)
	return vault, nil
}

func observeSecrets(m *metrics.Metrics, op secrets.Operation, took time.Duration, err error) {
	kind := metrics.VaultOpAuth
	switch op {
	case secrets.OpPut, secrets.OpDrop, secrets.OpRemove:
		kind = metrics.VaultOpWrite
		m.VaultWrite(took)
	case secrets.OpGet, secrets.OpList:
		kind = metrics.VaultOpRead
		m.VaultRead(took)
	case secrets.OpCheck:
		kind = metrics.VaultOpCheck
	case secrets.OpLogin, secrets.OpRenew:
	}
	if err != nil && !errors.Is(err, secrets.ErrNotFound) {
		m.VaultFailed(kind)
	}
}

func newSecretsDependency(store secretStore) rpcserver.Dependency {
	return rpcserver.Dependency{Name: "secrets", Required: true, Check: store.Check}
}

func newCredentials(store secretStore, tracer trace.Tracer) *credentials.Store {
	return credentials.New(store, tracer)
}
