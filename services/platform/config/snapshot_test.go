package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/config"
)

func snapshot(t *testing.T, env ...string) config.Snapshot {
	t.Helper()
	l, err := config.Load(defaults(), config.Options{Environ: env})
	require.NoError(t, err)
	return l.Snapshot()
}

func TestChangedNamesEveryKeyThatDiffers(t *testing.T) {
	base := snapshot(t, "TRUNKLINE_STORE_DSN=hunter2", "TRUNKLINE_STORE_KEYS=a=hunter2")
	for _, c := range []struct {
		name string
		env  []string
		want []string
	}{
		{"nothing", []string{"TRUNKLINE_STORE_DSN=hunter2", "TRUNKLINE_STORE_KEYS=a=hunter2"}, nil},
		{"a secret", []string{"TRUNKLINE_STORE_DSN=hunter3", "TRUNKLINE_STORE_KEYS=a=hunter2"}, []string{"store.dsn"}},
		{"a secret in a map", []string{"TRUNKLINE_STORE_DSN=hunter2", "TRUNKLINE_STORE_KEYS=a=hunter3"}, []string{"store.keys"}},
		{"a secret that is gone", []string{"TRUNKLINE_STORE_KEYS=a=hunter2"}, []string{"store.dsn"}},
		{
			"several, in the order of their declaration",
			[]string{"TRUNKLINE_STORE_REPLICAS=b", "TRUNKLINE_NAME=x", "TRUNKLINE_STORE_DSN=hunter2", "TRUNKLINE_STORE_KEYS=a=hunter2"},
			[]string{"name", "store.replicas"},
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, base.Changed(snapshot(t, c.env...))) })
	}
}

func TestWithinKeepsAKeyAndWhatLiesBelow(t *testing.T) {
	keys := []string{"store.dsn", "stores.dsn", "store", "name"}
	require.Equal(t, []string{"store.dsn", "store"}, config.Within(keys, "store"))
	require.Equal(t, []string{"store.dsn"}, config.Within(keys, "store.dsn"))
	require.Empty(t, config.Within(keys, "nam"))
}

func TestGetGivesASettingOrASectionOfItsType(t *testing.T) {
	s := snapshot(t, "TRUNKLINE_SERVER_ADDR=:1")
	addr, err := config.Get[string](s, "server.addr")
	require.NoError(t, err)
	require.Equal(t, ":1", addr)
	section, err := config.Get[server](s, "server")
	require.NoError(t, err)
	require.Equal(t, ":1", section.Addr)
	_, err = config.Get[int](s, "server.addr")
	require.ErrorContains(t, err, "server.addr is a string, not a int")
	for _, key := range []string{"server.adr", "", "server.addr.x"} {
		_, err = config.Get[string](s, key)
		require.ErrorContains(t, err, "neither a setting nor a section")
	}
}

func TestASnapshotStaysAsItWas(t *testing.T) {
	l, err := config.Load(defaults(), config.Options{})
	require.NoError(t, err)
	s := l.Snapshot()
	l.Value.Name = "other"
	name, err := config.Get[string](s, "name")
	require.NoError(t, err)
	require.Equal(t, "dev", name)
}
