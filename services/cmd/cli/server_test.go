package cli

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"trunkline/services/platform/config"
	"trunkline/services/platform/pgtest"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
)

// TestEveryProcessShapeIsComplete proves that the container of each process has all it needs.
func TestEveryProcessShapeIsComplete(t *testing.T) {
	engine := defaultEngineSettings()
	engine.Database.URL = config.NewSecret("postgres://u@127.0.0.1:1/d")
	management := defaultManagementSettings()
	management.Database.URL = engine.Database.URL
	for name, options := range map[string]fx.Option{processEngine: engineOptions(engine), processManagement: managementOptions(management)} {
		t.Run(name, func(t *testing.T) {
			p := platformfx.Process{Name: name, Log: t.Output()}
			log := platformfx.NewLogger(engine.platform(), p)
			require.NoError(t, fx.ValidateApp(platformfx.Quiet(log), fx.Supply(engine.platform(), p, log), options, platformfx.Module))
		})
	}
}

// output collects what a command prints while it runs.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// background runs a command until the test ends it, and gives its exit code then.
func background(t *testing.T, args ...string) (out *output, end func() int) {
	t.Helper()
	out = &output{}
	ctx, cancel := context.WithCancel(t.Context())
	code := make(chan int, 1)
	go func() {
		code <- Run(ctx, args, strings.NewReader(""), out, out, "test", ServerCommands("test")...)
	}()
	var once sync.Once
	result := 0
	end = func() int {
		once.Do(func() {
			cancel()
			result = <-code
		})
		return result
	}
	t.Cleanup(func() { end() })
	return out, end
}

func servedAt(t *testing.T, out *output) string {
	t.Helper()
	re := regexp.MustCompile(`(?:http://|"addr":")(127\.0\.0\.1:\d+)`)
	require.Eventually(t, func() bool { return re.MatchString(out.String()) }, 60*time.Second, 10*time.Millisecond, "never served")
	return "http://" + re.FindStringSubmatch(out.String())[1]
}

func call(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Run(t.Context(), args, strings.NewReader(""), &out, &errs, "test", ServerCommands("test")...)
	return out.String(), errs.String(), code
}

func TestDevServesAndStops(t *testing.T) {
	for _, table := range []string{"database", "memory", "release"} {
		out, end := background(t, "dev", "--addr", "127.0.0.1:0", "--nats-addr", "127.0.0.1:0", "--table", table)
		url := servedAt(t, out)
		stdout, stderr, code := call(t, "routes", "select", "+447911123456", "--server", url)
		require.Zero(t, code, stderr)
		require.Contains(t, stdout, "Nordlink Transit")
		for _, path := range []string{"/health", "/healthz", "/ready", "/readyz", "/health/detailed", "/metrics"} {
			res, err := http.Get(url + path)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, http.StatusOK, res.StatusCode, path)
		}
		require.Zero(t, end(), out.String())
	}
}

// TestAProcessThatIsStoppedWhileItStarts leaves nothing running: neither what had started by then nor what had not.
func TestAProcessThatIsStoppedWhileItStarts(t *testing.T) {
	for name, stop := range map[string]func(cancel func()) error{
		"by the end of its context": func(cancel func()) error { cancel(); return nil },
		"by a signal":               func(func()) error { return syscall.Kill(os.Getpid(), syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := platformfx.DefaultConfig()
			c.Server.Addr, c.Server.Drain.Notice = "127.0.0.1:0", 0
			begun, ended := 0, 0
			part := func(begin func() error) fx.Option {
				return fx.Invoke(func(lc fx.Lifecycle) {
					lc.Append(fx.Hook{
						OnStart: func(context.Context) error { begun++; return begin() },
						OnStop:  func(context.Context) error { ended++; return nil },
					})
				})
			}
			require.NoError(t, runProcess(ctx, c, platformfx.Process{Name: "test", Log: t.Output()}, nil,
				fx.Provide(func(r prometheus.Registerer) (rpcserver.Metrics, error) { return rpcserver.NewMetrics(r, "test", nil) }),
				part(func() error { return stop(cancel) }), part(func() error { return nil })))
			require.NotZero(t, begun)
			require.Equal(t, begun, ended)
		})
	}
}

func TestDevRefusesWhatCannotBe(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		says string
	}{
		"an address that others reach": {[]string{"--addr", "0.0.0.0:8080"}, "loopback"},
		"an address that is none":      {[]string{"--addr", "8080"}, "host:port"},
		"an unknown table":             {[]string{"--table", "paper"}, "database, memory or release"},
		"an unknown level":             {[]string{"--log-level", "loud"}, "debug, info, warn or error"},
		"an open NATS":                 {[]string{"--nats-addr", "0.0.0.0:0"}, "127.0.0.1"},
		"an argument":                  {[]string{"now"}, "dev"},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := call(t, append([]string{"dev"}, tt.args...)...)
			require.NotZero(t, code)
			require.Contains(t, stderr, tt.says)
		})
	}
}

func TestServeRefusesAnUnsafeOrUnfinishedConfiguration(t *testing.T) {
	for name, tt := range map[string]struct {
		process string
		env     map[string]string
		says    []string
	}{
		"no database":                {processEngine, nil, []string{"database.url", "postgres://"}},
		"SQLite in production":       {processEngine, map[string]string{"DATABASE_URL": "sqlite:x.db"}, []string{"environment to development"}},
		"reflection in production":   {processEngine, map[string]string{"DATABASE_URL": "postgres://u@h/d", "SERVER_REFLECTION": "true"}, []string{"server.reflection"}},
		"plaintext for others":       {processEngine, map[string]string{"DATABASE_URL": "postgres://u@h/d", "SERVER_ADDR": "0.0.0.0:8080"}, []string{"server.addr", "allow_plaintext", "server.tls.cert_file"}},
		"the profiler in production": {processManagement, map[string]string{"DATABASE_URL": "postgres://u@h/d", "OPERATORS_KEYRING_FILE": "x", "PROFILING_ADDR": "127.0.0.1:6060"}, []string{"profiling.addr", "environment to development"}},
		"the profiler for others":    {processEngine, map[string]string{"DATABASE_URL": "postgres://u@h/d", "ENVIRONMENT": "development", "PROFILING_ADDR": ":6060"}, []string{"profiling.addr", "loopback"}},
		"an unknown environment":     {processEngine, map[string]string{"DATABASE_URL": "postgres://u@h/d", "ENVIRONMENT": "moon"}, []string{"production or development"}},
		"an unknown table":           {processEngine, map[string]string{"DATABASE_URL": "postgres://u@h/d", "ENGINE_TABLE": "paper"}, []string{"engine.table", "database, memory or release"}},
		"a poll that is too fast":    {processEngine, map[string]string{"DATABASE_URL": "postgres://u@h/d", "ENGINE_HEALTH_POLL": "1ms"}, []string{"engine.health_poll"}},
		"changes open to the world":  {processManagement, map[string]string{"DATABASE_URL": "postgres://u@h/d", "SERVER_ADDR": "0.0.0.0:80"}, []string{"server.addr", "allow_plaintext"}},
		"management without a store": {processManagement, nil, []string{"database.url"}},
	} {
		t.Run(name, func(t *testing.T) {
			for key, value := range tt.env {
				t.Setenv("TRUNKLINE_"+key, value)
			}
			_, stderr, code := call(t, "serve", tt.process)
			require.Equal(t, ExitUsage, code)
			for _, want := range tt.says {
				require.Contains(t, stderr, want)
			}
			_, stderr, code = call(t, "config", "validate", tt.process)
			require.NotZero(t, code)
			require.Contains(t, stderr, tt.says[0])
		})
	}
}

func TestConfigPrintShowsOriginsAndHidesSecrets(t *testing.T) {
	t.Setenv("TRUNKLINE_DATABASE_URL", "postgres://engine:canary-secret@db/trunkline")
	t.Setenv("TRUNKLINE_ACCESS_KEYS_PEPPER", testPepper)
	t.Setenv("TRUNKLINE_NO_SUCH_KEY", "1")
	for _, form := range []string{"table", "json"} {
		stdout, stderr, code := call(t, "config", "print", "-o", form, "--addr", "127.0.0.1:9999")
		require.Zero(t, code, stderr)
		require.Contains(t, stdout, "127.0.0.1:9999")
		require.Contains(t, stdout, "flag")
		require.Contains(t, stdout, "[redacted]")
		require.NotContains(t, stdout, "canary")
		require.Contains(t, stderr, "TRUNKLINE_NO_SUCH_KEY")
	}
	_, _, code := call(t, "config", "print", "-o", "xml")
	require.NotZero(t, code)
	t.Setenv("TRUNKLINE_OPERATORS_KEYRING_FILE", "secrets")
	stdout, _, code := call(t, "config", "validate", processManagement)
	require.Zero(t, code)
	require.Contains(t, stdout, "valid")
	stdout, _, code = call(t, "config", "reference")
	require.Zero(t, code)
	require.Contains(t, stdout, "engine.table")
}

func TestMigrateGoesUpAndDownOnBothStores(t *testing.T) {
	for name, url := range map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "m.db"), "postgres": pgtest.Database(t)} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TRUNKLINE_DATABASE_URL", url)
			step := func(want string, args ...string) {
				t.Helper()
				stdout, stderr, code := call(t, append([]string{"migrate"}, args...)...)
				require.Zero(t, code, stderr)
				require.Contains(t, stdout, want)
			}
			step("connect", "preflight")
			step("pending", "status")
			step("applied 20261121000001", "up")
			step("up to date", "up")
			step("applied", "status")
			_, stderr, code := call(t, "migrate", "down")
			require.NotZero(t, code, "data would be lost")
			require.Contains(t, stderr, "--yes")
			step("took back", "down", "--yes")
			step("nothing to do", "down", "--yes")
		})
	}
	_, stderr, code := call(t, "migrate", "preflight", "--database-url", "postgres://nobody@127.0.0.1:1/none")
	require.NotZero(t, code)
	require.Contains(t, stderr, "checks failed")
}
