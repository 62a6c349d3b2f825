package main

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/e164"
)

func TestAnAnswerIsMixedWhenItsPartsDoNotBelongTogether(t *testing.T) {
	answers := []*routingv1.SelectOperatorResponse{
		{UnitPrice: &routingv1.Money{Nanos: 10}}, {UnitPrice: &routingv1.Money{Nanos: 20}},
	}
	truth := newTruth([]*releasesv1.Release{{ReleaseId: "a"}, {ReleaseId: "b"}}, answers)
	truth.activations[1], truth.activations[2] = "a", "b"
	for name, c := range map[string]struct {
		said  said
		mixed int
	}{
		"all of the first":                   {said{"a", 1, 20, 1}, 0},
		"all of the second":                  {said{"b", 2, 10 + dearer, 0}, 0},
		"the price of the other":             {said{"b", 2, 10, 0}, 1},
		"the activation of the other":        {said{"a", 2, 10, 0}, 1},
		"an activation that never was":       {said{"a", 3, 10, 0}, 1},
		"no release":                         {said{"", 0, 10, 0}, 1},
		"a release that nobody heard of":     {said{"c", 1, 10, 0}, 1},
		"the price of another number":        {said{"a", 1, 10, 1}, 1},
		"the release of the other, in price": {said{"a", 1, 10 + dearer, 0}, 1},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.mixed, truth.mixed([]said{c.said})) })
	}
	require.Equal(t, 2, served([]said{{release: "a"}, {release: "b"}, {release: "a"}}))
}

func TestAPublishBuildsATable(t *testing.T) {
	require.Equal(t, 1, neither(3, 0, -1))
	require.Equal(t, 2, neither(3, 1, 0))
	require.Equal(t, 0, neither(3, 1, 2))
}

func TestAServerThatIsNotInstalledIsNamed(t *testing.T) {
	t.Setenv("PATH", "")
	_, err := newRedis(t.Context(), nil, newCarrier(100))
	require.ErrorIs(t, err, errMissing)
	require.ErrorContains(t, err, "redis-server is not installed")
}

func TestAPeerThatFindsAnotherPrefixIsNotMeasured(t *testing.T) {
	c := newCarrier(300)
	p, err := newBart(t.Context(), nil, c)
	require.NoError(t, err)
	numbers := c.numbers(50, c.uniform())
	require.NoError(t, p.agrees(t.Context(), c, numbers))
	p.ask(c, func(e164.Number) (int32, bool) { return 0, true })
	require.ErrorIs(t, p.agrees(t.Context(), c, numbers), errDisagrees)
}

func TestDigitsAreNibblesOfAnAddress(t *testing.T) {
	require.Equal(t, netip.MustParseAddr("4479:1112:3450::"), nibbles("44791112345"))
	require.True(t, netip.PrefixFrom(nibbles("447"), 12).Contains(nibbles("44791112345")))
	require.False(t, netip.PrefixFrom(nibbles("448"), 12).Contains(nibbles("44791112345")))
}

func TestAllPrefixesOfANumberAreAskedForLongestFirst(t *testing.T) {
	require.Equal(t, []string{"447911123", "44791112", "4479111", "447911", "44791", "4479", "447", "44", "4"}, prefixesOf("+447911123456", nil))
}
