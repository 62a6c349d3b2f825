package access

import (
	"encoding"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/config"
)

func TestDefaultLimitsAreValid(t *testing.T) {
	require.NoError(t, DefaultLimitConfig().Validate())
	require.NoError(t, LimitConfig{}.Validate(), "no limit at all is a choice")
}

func TestLimitsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*LimitConfig)
		says   string
	}{
		"a negative rate":             {func(c *LimitConfig) { c.PerPrincipal.Rate = -1 }, "per_principal: rate"},
		"a rate next to nothing":      {func(c *LimitConfig) { c.PerPrincipal.Rate = 1e-9 }, "per_principal: rate"},
		"a rate that is no number":    {func(c *LimitConfig) { c.PerAccount.Rate = math.NaN() }, "per_account: rate"},
		"an infinite rate":            {func(c *LimitConfig) { c.PerAccount.Rate = math.Inf(1) }, "per_account: rate"},
		"a rate without a burst":      {func(c *LimitConfig) { c.PerPrincipal.Burst = 0 }, "per_principal: burst"},
		"a burst beyond all reason":   {func(c *LimitConfig) { c.PerAccount.Burst = maxBurst + 1 }, "per_account: burst"},
		"an own limit without burst":  {func(c *LimitConfig) { c.Principals = map[string]CustomLimit{"key:a": {Rate: 1}} }, "principals: key:a: burst"},
		"an account that is no id":    {func(c *LimitConfig) { c.Accounts = map[string]CustomLimit{"acme": {}} }, `"acme" must be the id`},
		"no account":                  {func(c *LimitConfig) { c.Accounts = map[string]CustomLimit{uuid.Nil.String(): {}} }, "must be the id"},
		"negative places":             {func(c *LimitConfig) { c.MaxInFlight = -1 }, "max_in_flight"},
		"negative places of a caller": {func(c *LimitConfig) { c.MaxInFlightPerPrincipal = -1 }, "max_in_flight_per_principal"},
		"a negative queue":            {func(c *LimitConfig) { c.Queue = -1 }, "queue must"},
		"a negative wait":             {func(c *LimitConfig) { c.QueueWait = -1 }, "queue_wait"},
		"an endless wait":             {func(c *LimitConfig) { c.QueueWait = time.Minute }, "queue_wait"},
	} {
		t.Run(name, func(t *testing.T) {
			limits := DefaultLimitConfig()
			c.change(&limits)
			require.ErrorContains(t, limits.Validate(), c.says)
		})
	}
}

func TestAnOwnLimitIsWrittenAsRateAndBurst(t *testing.T) {
	var _ encoding.TextUnmarshaler = new(CustomLimit)
	for text, want := range map[string]CustomLimit{
		"500/1000": {Rate: 500, Burst: 1000},
		"0.5/1":    {Rate: 0.5, Burst: 1},
		"0":        {},
	} {
		var got CustomLimit
		require.NoError(t, got.UnmarshalText([]byte(text)))
		require.Equal(t, want, got)
		back, err := got.MarshalText()
		require.NoError(t, err)
		require.Equal(t, text, string(back))
	}
	for _, text := range []string{"", "500", "500/", "/5", "a/b", "5/1.5", "1/2/3", " 0"} {
		require.Error(t, new(CustomLimit).UnmarshalText([]byte(text)), "%q", text)
	}
}

func TestEveryCallerHasALimit(t *testing.T) {
	account, other := uuid.New(), uuid.New()
	c := LimitConfig{
		PerPrincipal: Limit{Rate: 1, Burst: 2},
		PerAccount:   Limit{Rate: 3, Burst: 4},
		Principals:   map[string]CustomLimit{"jwt:alice@example.com": {Rate: 5, Burst: 6}, "key:free": {}},
		Accounts:     map[string]CustomLimit{account.String(): {Rate: 7, Burst: 8}},
	}
	require.NoError(t, c.Validate())
	l := c.Limits()
	require.Equal(t, Limit{1, 2}, l.ofPrincipal("somebody"))
	require.Equal(t, Limit{5, 6}, l.ofPrincipal("jwt:alice@example.com"))
	require.True(t, l.ofPrincipal("key:free").None())
	require.Equal(t, Limit{7, 8}, l.ofAccount(account))
	require.Equal(t, Limit{3, 4}, l.ofAccount(other))
	require.True(t, l.ofAccount(uuid.Nil).None(), "those without an account share no limit")
}

func TestLimitsAreReadFromAFile(t *testing.T) {
	type settings struct {
		Limits LimitConfig `koanf:"limits"`
	}
	account := uuid.New()
	load := func(yaml string) (settings, error) {
		file := filepath.Join(t.TempDir(), "settings.yaml")
		require.NoError(t, os.WriteFile(file, []byte(yaml), 0o600))
		loaded, err := config.Load(settings{DefaultLimitConfig()}, config.Options{File: file})
		if err != nil {
			return settings{}, err
		}
		return loaded.Value, nil
	}
	read, err := load(strings.ReplaceAll(`
limits:
  per_principal: {rate: 0.5, burst: 3}
  principals:
    jwt:alice@example.com: 500/1000
    spiffe://example.com/connector: "0"
  accounts:
    ACCOUNT: 20/40
  max_in_flight: 0
`, "ACCOUNT", account.String()))
	require.NoError(t, err)
	limits := read.Limits.Limits()
	require.Equal(t, Limit{0.5, 3}, limits.ofPrincipal("key:x"))
	require.Equal(t, Limit{500, 1000}, limits.ofPrincipal("jwt:alice@example.com"))
	require.True(t, limits.ofPrincipal("spiffe://example.com/connector").None())
	require.Equal(t, Limit{20, 40}, limits.ofAccount(account))
	require.Equal(t, AdmissionLimits{Queue: 256, QueueWait: 100 * time.Millisecond}, read.Limits.Admission())

	_, err = load("limits: {per_account: {burst: 0}}")
	require.ErrorContains(t, err, "burst")
	require.NotPanics(t, func() { config.Reference(settings{DefaultLimitConfig()}) })
}
