package operatorsfx_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/gen/go/trunkline/releases/v1/releasesv1connect"
	"trunkline/services/operators/demo"
	"trunkline/services/operators/operatorsfx"
	"trunkline/services/platform/config"
	"trunkline/services/platform/release"
)

// last gives the last message of a stream.
func last[T any](t *testing.T, stream *connect.ServerStreamForClient[T], err error) *T {
	t.Helper()
	require.NoError(t, err)
	var message *T
	for stream.Receive() {
		message = stream.Msg()
	}
	require.NoError(t, stream.Err())
	require.NoError(t, stream.Close())
	return message
}

func TestTheModulePublishesReleases(t *testing.T) {
	seed, _ := release.GenerateKey()
	a := newApp(t, func(c *operatorsfx.Config) { c.Releases.SigningKey = config.NewSecret(seed) })
	require.NoError(t, a.importDemo(t, demo.Operators, demo.Rules))
	client := releasesv1connect.NewReleaseServiceClient(http.DefaultClient, a.server.URL())
	created, err := client.CreateRelease(t.Context(), &releasesv1.CreateReleaseRequest{})
	draft := last(t, created, err).GetResult().GetRelease()
	require.Positive(t, draft.GetRuleCount())
	diff, err := client.DiffRelease(t.Context(), &releasesv1.DiffReleaseRequest{ReleaseId: draft.GetReleaseId(), MaxChanges: 1})
	require.NotNil(t, last(t, diff, err))

	_, err = client.PublishRelease(t.Context(), &releasesv1.PublishReleaseRequest{ReleaseId: draft.GetReleaseId()})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		got, err := client.GetRelease(t.Context(), &releasesv1.GetReleaseRequest{})
		return err == nil && got.GetRelease().GetLastActivation().GetAnnounced()
	}, 15*time.Second, 10*time.Millisecond)
	// A file larger than usual requests.
	replay, err := client.ReplayRelease(t.Context(), &releasesv1.ReplayReleaseRequest{
		ReleaseId: draft.GetReleaseId(), Sample: &releasesv1.ReplayReleaseRequest_Csv{Csv: bytes.Repeat([]byte("x"), 20<<20)},
	})
	require.Equal(t, int64(20<<20), last(t, replay, err).GetReport().GetDecisionCount())
}

func TestWithoutAKeyReleasesAreMadeAndNotPublished(t *testing.T) {
	a := newApp(t)
	client := releasesv1connect.NewReleaseServiceClient(http.DefaultClient, a.server.URL())
	created, err := client.CreateRelease(t.Context(), &releasesv1.CreateReleaseRequest{})
	draft := last(t, created, err).GetResult().GetRelease()
	_, err = client.PublishRelease(t.Context(), &releasesv1.PublishReleaseRequest{ReleaseId: draft.GetReleaseId()})
	require.ErrorContains(t, err, "operators.releases.signing_key")
}

func TestReleasesAreConfiguredWithinBounds(t *testing.T) {
	require.NoError(t, operatorsfx.DefaultReleasesConfig().Validate())
	for key, change := range map[string]func(*operatorsfx.ReleasesConfig){
		"environment": func(c *operatorsfx.ReleasesConfig) { c.Environment = "a.b" },
		"keep":        func(c *operatorsfx.ReleasesConfig) { c.Keep = 1 },
		"signing_key": func(c *operatorsfx.ReleasesConfig) { c.SigningKey = config.NewSecret("c2hvcnQ=") },
	} {
		c := operatorsfx.DefaultReleasesConfig()
		change(&c)
		err := c.Validate()
		require.ErrorContains(t, err, key)
		require.NotContains(t, err.Error(), "c2hvcnQ=")
	}
}
