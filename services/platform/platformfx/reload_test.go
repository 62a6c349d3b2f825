package platformfx_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"trunkline/services/platform/config"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/telemetry"
)

var quietParts = fx.Supply(slog.New(slog.DiscardHandler), rpcserver.Metrics{})

// settings are those of the process under test.
type settings struct {
	Addr   string              `koanf:"addr" doc:"x"`
	Pass   config.Secret       `koanf:"pass" doc:"x"`
	Log    telemetry.LogConfig `koanf:"log"`
	Limits limits              `koanf:"limits"`
	Tuning limits              `koanf:"tuning"`
}

type limits struct {
	Rate  int `koanf:"rate" doc:"x"`
	Burst int `koanf:"burst" doc:"x"`
}

func (l limits) Validate() error {
	if l.Rate < 0 {
		return config.Invalid("rate", l.Rate, "set 0 or above")
	}
	return nil
}

// lines collects the log.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// reloading is a process that reads file, and what was applied to its limits and tuning.
type reloading struct {
	app      *fxtest.App
	file     string
	log      *lines
	logger   *slog.Logger
	signals  chan os.Signal
	gatherer prometheus.Gatherer

	mu      sync.Mutex
	applied []string
	refuse  bool
}

func newReloading(t *testing.T, content string, watched bool) *reloading {
	t.Helper()
	r := &reloading{file: filepath.Join(t.TempDir(), "config.yaml"), log: &lines{}, signals: make(chan os.Signal, 1)}
	r.put(t, content)
	read := func() (*config.Loaded[settings], error) {
		return config.Load(settings{Log: telemetry.DefaultLogConfig()}, config.Options{File: r.file})
	}
	var watcher *config.Watcher
	if watched {
		watcher = config.Watch(r.file)
	}
	loaded, err := read()
	require.NoError(t, err)
	c := platformfx.DefaultConfig()
	c.Server.Addr, c.Server.Drain.Notice = "127.0.0.1:0", 0
	c.Log = loaded.Value.Log
	c.Log.Control = new(slog.LevelVar)
	p := platformfx.Process{Name: "test", Log: r.log}
	r.logger = platformfx.NewLogger(c, p)
	part := func(name string) func(limits) error {
		return func(l limits) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.applied = append(r.applied, fmt.Sprintf("%s %d %d", name, l.Rate, l.Burst))
			if r.refuse && name == "tuning" {
				return errors.New("not now")
			}
			return nil
		}
	}
	r.app = fxtest.New(t, fx.Supply(c, p, r.logger, rpcserver.Metrics{}, platformfx.Reload{
		Started: loaded.Snapshot(), Signals: r.signals, File: watcher,
		Load: func() (config.Snapshot, error) {
			l, err := read()
			if err != nil {
				return config.Snapshot{}, err
			}
			return l.Snapshot(), nil
		},
	}), fx.Provide(
		platformfx.Reloads(func() platformfx.Reloadable { return platformfx.OnReload("limits", part("limits")) }),
		platformfx.Reloads(func() platformfx.Reloadable { return platformfx.OnReload("tuning", part("tuning")) }),
	), platformfx.Module, fx.Populate(&r.gatherer))
	return r
}

// put replaces the file at once, as deployment tools do.
func (r *reloading) put(t *testing.T, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(r.file+".new", []byte(content), 0o600))
	require.NoError(t, os.Rename(r.file+".new", r.file))
}

// hangUp asks for a reload and waits until it is done, by the metric.
func (r *reloading) hangUp(t *testing.T) {
	t.Helper()
	before := r.count(t, "ok") + r.count(t, "error")
	r.signals <- syscall.SIGHUP
	require.Eventually(t, func() bool { return r.count(t, "ok")+r.count(t, "error") > before }, 15*time.Second, time.Millisecond)
}

func (r *reloading) count(t *testing.T, result string) float64 {
	t.Helper()
	families, err := r.gatherer.Gather()
	if !assert.NoError(t, err) {
		return -1
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "trunkline_config_reload_total" && m.GetLabel()[0].GetValue() == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	assert.Fail(t, "no such metric")
	return -1
}

func (r *reloading) calls() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.applied)
}

func TestASignalTakesUpWhatIsSafeAndNamesTheRest(t *testing.T) {
	r := newReloading(t, "addr: a\npass: hunter2\nlimits: {rate: 1}\n", false)
	r.app.RequireStart()
	r.logger.Debug("unheard")
	r.put(t, "addr: b\npass: hunter3\nlog: {level: debug}\nlimits: {rate: 2}\n")
	r.hangUp(t)
	r.logger.Debug("heard")
	require.Equal(t, []string{"limits 2 0"}, r.calls(), "and nothing of tuning, which is as it was")

	r.put(t, "addr: b\npass: hunter2\nlog: {level: debug}\nlimits: {rate: 2}\n")
	r.hangUp(t)
	require.Equal(t, []string{"limits 2 0"}, r.calls(), "nothing changed since")
	r.app.RequireStop()
	log := r.log.String()
	require.NotContains(t, log, "unheard")
	require.Contains(t, log, `"heard"`)
	require.Contains(t, log, `"cause":"signal","changed":["limits.rate","log.level"]`)
	require.Contains(t, log, `need a restart","service":"test","settings":["addr","pass"]`)
	require.Contains(t, log, `need a restart","service":"test","settings":["addr"]`, "the password is the one of the start again")
	require.NotContains(t, log, "hunter")
}

func TestABrokenConfigurationLeavesTheOldInForceAndSaysWhy(t *testing.T) {
	const good = "pass: hunter2\nlimits: {rate: 1}\n"
	for name, tt := range map[string]struct{ content, says string }{
		"no YAML":                     {"pass: hunter3\nlimits: {", "is not valid YAML"},
		"an unknown key":              {"pass: hunter3\nlimit: {rate: 2}\n", "did you mean limits.rate?"},
		"a value that is refused":     {"pass: hunter3\nlog: {level: debug}\nlimits: {rate: -1}\n", "limits.rate = \\\"-1\\\""},
		"a value of the wrong type":   {"pass: hunter3\nlog: {level: loud}\nlimits: {rate: 2}\n", "log.level"},
		"a file that is not readable": {"", "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReloading(t, good, false)
			r.app.RequireStart()
			if tt.content == "" {
				require.NoError(t, os.Remove(r.file))
			} else {
				r.put(t, tt.content)
			}
			r.hangUp(t)
			require.Empty(t, r.calls())
			require.NoError(t, testutil.GatherAndCompare(r.gatherer, strings.NewReader(`
# HELP trunkline_config_last_reload_success 1 while the last reload of the configuration was taken up, or there was none.
# TYPE trunkline_config_last_reload_success gauge
trunkline_config_last_reload_success 0
# HELP trunkline_config_reload_total Reloads of the configuration by result: ok or error.
# TYPE trunkline_config_reload_total counter
trunkline_config_reload_total{result="error"} 1
trunkline_config_reload_total{result="ok"} 0
`), "trunkline_config_last_reload_success", "trunkline_config_reload_total"))
			r.put(t, good)
			r.hangUp(t)
			require.InDelta(t, 1, r.count(t, "ok"), 0)
			r.app.RequireStop()
			require.Contains(t, r.log.String(), `"WARN","message":"the new configuration is not usable, the old one stays in force"`)
			require.Contains(t, r.log.String(), tt.says)
			require.NotContains(t, r.log.String(), "hunter")
		})
	}
}

func TestAPartThatRefusesTakesAllBack(t *testing.T) {
	r := newReloading(t, "limits: {rate: 1}\ntuning: {rate: 5}\n", false)
	r.app.RequireStart()
	r.refuse = true
	r.put(t, "limits: {rate: 2}\ntuning: {rate: 6}\nlog: {level: debug}\n")
	r.hangUp(t)
	require.Equal(t, []string{"limits 2 0", "tuning 6 0", "limits 1 0", "tuning 5 0"}, r.calls(), "the new ones, then the old ones")
	r.logger.Debug("unheard")
	r.mu.Lock()
	r.refuse, r.applied = false, nil
	r.mu.Unlock()
	r.hangUp(t)
	require.ElementsMatch(t, []string{"limits 2 0", "tuning 6 0"}, r.calls(), "the next try gives it again")
	r.app.RequireStop()
	require.Contains(t, r.log.String(), "tuning: not now")
	require.NotContains(t, r.log.String(), "unheard")
}

func TestAChangeOfTheFileIsTakenUpByItself(t *testing.T) {
	r := newReloading(t, "limits: {rate: 1}\n", true)
	r.put(t, "limits: {rate: 2}\n") // before the start is complete
	r.app.RequireStart()
	require.Eventually(t, func() bool { return len(r.calls()) == 1 }, 15*time.Second, 10*time.Millisecond)
	r.app.RequireStop()
	require.Contains(t, r.log.String(), `"cause":"file","changed":["limits.rate"]`)
}

func TestAReloadOfWhatIsNoSettingStopsTheStart(t *testing.T) {
	loaded, err := config.Load(settings{Log: telemetry.DefaultLogConfig()}, config.Options{})
	require.NoError(t, err)
	for says, part := range map[string]platformfx.Reloadable{
		"limit is neither a setting nor a section": platformfx.OnReload("limit", func(limits) error { return nil }),
		"limits is a platformfx_test.limits":       platformfx.OnReload("limits", func(string) error { return nil }),
	} {
		app := fx.New(fx.NopLogger, fx.Supply(platformfx.DefaultConfig(), platformfx.Process{Name: "test"}, platformfx.Reload{
			Started: loaded.Snapshot(), Load: func() (config.Snapshot, error) { return loaded.Snapshot(), nil },
		}), fx.Provide(platformfx.Reloads(func() platformfx.Reloadable { return part })), quietParts, platformfx.Module)
		require.ErrorContains(t, app.Err(), says)
	}
}
