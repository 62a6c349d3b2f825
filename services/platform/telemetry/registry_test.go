package telemetry_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/telemetry"
)

func TestTheRegistryHoldsRuntimeProcessAndBuild(t *testing.T) {
	families, err := telemetry.NewRegistry(telemetry.Version()).Gather()
	require.NoError(t, err)
	byName := map[string]int{}
	for i, f := range families {
		byName[f.GetName()] = i
	}
	require.Contains(t, byName, "go_goroutines")
	require.Contains(t, byName, "process_open_fds")
	require.Contains(t, byName, "trunkline_build_info")

	build := families[byName["trunkline_build_info"]].GetMetric()
	require.Len(t, build, 1)
	require.Equal(t, 1.0, build[0].GetGauge().GetValue())
	labels := map[string]string{}
	for _, l := range build[0].GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	require.Equal(t, map[string]string{"version": telemetry.Version(), "go_version": runtime.Version()}, labels)
}

func TestRegistriesAreIndependent(t *testing.T) {
	require.NotSame(t, telemetry.NewRegistry(telemetry.Version()), telemetry.NewRegistry(telemetry.Version()))
}

func TestTheVersionIsNeverEmpty(t *testing.T) {
	require.NotEmpty(t, telemetry.Version())
}
