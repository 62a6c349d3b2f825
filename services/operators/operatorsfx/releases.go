package operatorsfx

import (
	"errors"
	"log/slog"
	"regexp"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"trunkline/services/operators"
	"trunkline/services/operators/database"
	"trunkline/services/operators/difference"
	"trunkline/services/operators/metrics"
	"trunkline/services/operators/releases"
	"trunkline/services/operators/rpc"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/release"
)

// ReleasesConfig is how releases are published.
type ReleasesConfig struct {
	Environment string `koanf:"environment" doc:"The environment whose engines follow these releases: letters, digits, _ and -. Each has its own manifest; engines of another refuse it."`
	// SigningKey is a seed as release.GenerateKey gives it.
	SigningKey      config.Secret `koanf:"signing_key" doc:"The key that manifests are signed with, 32 bytes in base64 (trunkline releases keygen). Engines need its public key. Empty: releases can be made and compared, and not published."`
	RequireApproval bool          `koanf:"require_approval" doc:"Let nothing be published that a second admin has not approved. It separates credentials, not people: it is as good as who may make keys."`
	Keep            int           `koanf:"keep" doc:"How many releases that were in force are kept to go back to, 2 to 1000. Drafts are kept for 30 days, the newest 20 longer, and never more than 50."`
}

// DefaultReleasesConfig cannot publish, for want of a key.
func DefaultReleasesConfig() ReleasesConfig {
	return ReleasesConfig{Environment: "production", Keep: 20}
}

var environmentName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// The least and the most releases that are kept: the one in force and the one before it, and what a scan of all bears.
const (
	leastKept = 2
	mostKept  = 1000
)

// Validate checks the values.
func (c ReleasesConfig) Validate() error {
	var errs []error
	if !environmentName.MatchString(c.Environment) {
		errs = append(errs, config.Invalid("environment", c.Environment, "write 1 to 64 letters, digits, _ and -, such as production"))
	}
	if c.Keep < leastKept || c.Keep > mostKept {
		errs = append(errs, config.Invalid("keep", c.Keep, "keep 2 to 1000 releases: one to serve, and one to go back to"))
	}
	if !c.SigningKey.IsZero() {
		if _, err := release.NewSigner(c.SigningKey); err != nil {
			errs = append(errs, config.Invalid("signing_key", c.SigningKey, err.Error()))
		}
	}
	return errors.Join(errs...)
}

// publication makes releases and tells engines which one is in force.
var publication = fx.Options(
	fx.Provide(
		newBulletin,
		newAnnouncer,
		newEngines,
		newReleaseAdmin,
		func(s *database.Store) *releases.Library { return releases.NewLibrary(s) },
		newReleases,
	),
	fx.Invoke(startAnnouncer, startEngines),
)

func newBulletin(c Config, conn *jetstream.Conn, log *slog.Logger) (*releases.Bulletin, error) {
	return releases.NewBulletin(conn, c.Releases.Environment, c.Releases.SigningKey, log)
}

func newAnnouncer(
	c Config, s *database.Store, b *releases.Bulletin, conn *jetstream.Conn, clk clock.Clock, log *slog.Logger,
) *operators.Announcer {
	announcer := operators.NewAnnouncer(s, b, releases.NewShelf(conn), c.Releases.Keep, clk.Now, log)
	conn.OnConnect(announcer.Recheck)
	return announcer
}

func startAnnouncer(lc fx.Lifecycle, a *operators.Announcer) { platformfx.Background(lc, a.Run) }

func newEngines(
	conn *jetstream.Conn, a *operators.Announcer, clk clock.Clock, reg prometheus.Registerer, log *slog.Logger,
) (*releases.Engines, error) {
	engines := releases.NewEngines(conn, clk, log)
	return engines, metrics.RegisterReleases(reg, engines.Count, a.Pending)
}

func startEngines(lc fx.Lifecycle, e *releases.Engines) { platformfx.Background(lc, e.Listen) }

func newReleaseAdmin(
	c Config, s *database.Store, a *operators.Announcer, b *releases.Bulletin, clk clock.Clock, log *slog.Logger,
) (*operators.ReleaseAdmin, error) {
	ceiling, err := c.ceiling()
	if err != nil {
		return nil, err
	}
	policy := operators.ReleasePolicy{Signs: b.Signs(), RequireApproval: c.Releases.RequireApproval, Ceiling: ceiling}
	return operators.NewReleaseAdmin(s, releases.NewDraft, a, policy, clk.Now, log), nil
}

// Replayer decides samples by releases. Routing has one.
type Replayer interface{ rpc.Replayer }

func newReleases(
	admin *operators.ReleaseAdmin, library *releases.Library, engines *releases.Engines, replayer Replayer, m *metrics.Metrics, clk clock.Clock,
) *rpc.Releases {
	return rpc.NewReleases(admin, library, engines, difference.New(clk.Now), replayer, m)
}
