package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"go.uber.org/fx"

	"trunkline/services/operators"
	"trunkline/services/operators/operatorsfx"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/release"
	"trunkline/services/routing/routingfx"
)

// devEnvironment keeps an engine elsewhere from serving what was tried on a laptop.
const devEnvironment = "dev"

// devReleases lets the control plane sign releases with a key of this installation, and the engine trust it.
func devReleases(dir string, control *operatorsfx.Config, engine *routingfx.Config) error {
	seed, err := devSigningKey(filepath.Join(dir, "release.key"))
	if err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	signer, err := release.NewSigner(seed)
	if err != nil {
		return fmt.Errorf("--data-dir: release.key: %w", err)
	}
	control.Releases.Environment, control.Releases.SigningKey = devEnvironment, seed
	engine.Release.Environment, engine.Release.PublicKeys = devEnvironment, []string{signer.PublicKey()}
	engine.Release.Folder = filepath.Join(dir, "releases")
	return nil
}

// devSigningKey reads the key of this installation, and makes it at the first start.
func devSigningKey(file string) (config.Secret, error) {
	if _, err := newSigningKey(file); err != nil && !errors.Is(err, os.ErrExist) {
		return config.Secret{}, err
	}
	text, err := os.ReadFile(file)
	return config.NewSecret(strings.TrimSpace(string(text))), err
}

// firstRelease publishes what there is when nothing is in force yet, so that an engine in release mode has something to
// serve. Place it behind the demo data and before the engine.
func firstRelease(f devFlags) fx.Option {
	if f.table != routingfx.TableRelease {
		return fx.Options()
	}
	// In a module of its own: invocations outside modules come after those of all modules, and so after the engine.
	return fx.Module("first-release", fx.Invoke(func(lc fx.Lifecycle, admin *operators.ReleaseAdmin) {
		lc.Append(fx.StartHook(func(ctx context.Context) error {
			_, _, _, _, err := admin.GetRelease(ctx, uuid.Nil)
			if !fault.Is(err, operators.ReasonNoActiveRelease) {
				return err
			}
			who := operators.Request{Actor: "dev"}
			made, _, err := admin.CreateRelease(ctx, who, "what there was at the first start", nil)
			if err != nil {
				return fmt.Errorf("make the first release: %w", err)
			}
			_, _, err = admin.PublishRelease(ctx, who, operators.Publication{Target: operators.Target{ID: made.ID}})
			return err
		}))
	}))
}
