package cli_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	operatorsbus "trunkline/services/operators/bus"
	"trunkline/services/operators/sessions"
	"trunkline/services/platform/jetstream"
	routingbus "trunkline/services/routing/bus"
)

// TestServicesAgreeOnTheStreamsTheyShare: whoever starts first creates a stream, and with other settings the second one
// would not start.
func TestServicesAgreeOnTheStreamsTheyShare(t *testing.T) {
	engine := map[string]jetstream.StreamSpec{}
	for _, spec := range routingbus.Streams() {
		engine[spec.Name] = spec
	}
	var shared []string
	for _, spec := range slices.Concat(operatorsbus.Streams(), sessions.Streams()) {
		if other, ok := engine[spec.Name]; ok {
			require.Equal(t, other, spec)
			shared = append(shared, spec.Name)
		}
	}
	require.ElementsMatch(t, []string{"OPERATOR_CONFIG", "OPERATOR_HEALTH", "DEAD_LETTER"}, shared)
}
