package operatorsfx_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/operators/operatorsfx"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
)

// processSettings are settings with secrets, nested as those of a process are.
type processSettings struct {
	Operators operatorsfx.Config `koanf:"operators"`
	Database  bunstore.Config    `koanf:"database"`
	NATS      jetstream.Config   `koanf:"nats"`
}

func TestTheModuleTellsItsSettingsAndNoSecret(t *testing.T) {
	seed := base64.StdEncoding.EncodeToString([]byte("Canary-sign-seed-e8d21b6047-more"))
	defaults := processSettings{operatorsfx.DefaultConfig(), bunstore.DefaultConfig(), jetstream.DefaultConfig()}
	loaded, err := config.Load(defaults, config.Options{Environ: []string{
		"TRUNKLINE_OPERATORS_KEYRING_FILE=secrets", "TRUNKLINE_OPERATORS_KEYRING_KEY=" + seed, "TRUNKLINE_OPERATORS_RELEASES_SIGNING_KEY=" + seed,
		"TRUNKLINE_DATABASE_URL=postgres://ops:Canary-database@db/x", "TRUNKLINE_NATS_USERNAME=ops", "TRUNKLINE_NATS_PASSWORD=Canary-nats",
	}})
	require.NoError(t, err)
	a := newAppWith(t, fx.Supply(operatorsfx.Settings(loaded.Origins())))
	client := operatorsv1connect.NewSystemServiceClient(http.DefaultClient, a.server.URL())
	list, err := client.ListSettings(t.Context(), &operatorsv1.ListSettingsRequest{})
	require.NoError(t, err)
	require.Len(t, list.GetSettings(), len(loaded.Origins()))
	text := list.String()
	for _, secret := range []string{"Canary", seed, loaded.Value.Database.URL.Reveal()} {
		require.NotContains(t, text, secret)
	}
	for _, want := range []string{
		"operators.releases.signing_key=[redacted] env TRUNKLINE_OPERATORS_RELEASES_SIGNING_KEY", "nats.username=ops env TRUNKLINE_NATS_USERNAME",
		"operators.keyring.file=secrets env TRUNKLINE_OPERATORS_KEYRING_FILE", "operators.releases.environment=production default",
	} {
		require.Contains(t, lines(list), want)
	}

	about, err := client.GetSystem(t.Context(), &operatorsv1.GetSystemRequest{})
	require.NoError(t, err)
	require.Equal(t, "test", about.GetProcess())
	require.NotNil(t, about.GetStartTime())
}

func lines(list *operatorsv1.ListSettingsResponse) string {
	var out strings.Builder
	for _, s := range list.GetSettings() {
		fmt.Fprintf(&out, "%s=%s %s\n", s.GetKey(), s.GetValue(), s.GetOrigin())
	}
	return out.String()
}
