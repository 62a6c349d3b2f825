package cli

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/config"
)

// testPepper is a good one.
const testPepper = "9f3b77ad51c0e2d84b6a1f9037c5e8d29f3b77ad51c0e2d8"

// planted holds a canary for every secret of a process.
type planted struct {
	settings []config.Setting
	values   map[string]string // by key
	canaries []string          // what must be nowhere
}

func (p *planted) canary(name string) string {
	sum := sha256.Sum256([]byte(name))
	p.canaries = append(p.canaries, hex.EncodeToString(sum[:]))
	return p.canaries[len(p.canaries)-1]
}

// plant finds the secrets of a process by their type and not by a list, so that a new one is planted too.
func plant(t *testing.T, process string) *planted {
	t.Helper()
	environ := []string{"TRUNKLINE_DATABASE_URL=postgres://u@h/d", "TRUNKLINE_OPERATORS_KEYRING_FILE=x", "TRUNKLINE_ACCESS_KEYS_PEPPER=" + testPepper}
	var all []config.Setting
	if process == processEngine {
		loaded, err := config.Load(defaultEngineSettings(), config.Options{Environ: environ})
		require.NoError(t, err)
		all = loaded.Origins()
	} else {
		loaded, err := config.Load(defaultManagementSettings(), config.Options{Environ: environ})
		require.NoError(t, err)
		all = loaded.Origins()
	}
	p := &planted{values: map[string]string{}}
	for _, s := range all {
		if !s.Secret {
			continue
		}
		p.settings = append(p.settings, s)
		switch {
		case strings.HasSuffix(s.Key, "url"):
			p.values[s.Key] = fmt.Sprintf("postgres://trunkline:%s@127.0.0.1:1/%s", p.canary(s.Key), s.Env)
		default:
			// 32 bytes in base64 fit whatever wants a key.
			sum := sha256.Sum256([]byte(s.Key))
			p.values[s.Key] = base64.StdEncoding.EncodeToString(sum[:])
			p.canaries = append(p.canaries, p.values[s.Key])
		}
	}
	require.GreaterOrEqual(t, len(p.settings), 5)
	return p
}

func (p *planted) requireHidden(t *testing.T, what, text string) {
	t.Helper()
	require.NotEmpty(t, text, what)
	for _, canary := range p.canaries {
		require.NotContains(t, text, canary, what)
	}
}

// setRest makes the rest of a process valid. Nothing listens there.
func setRest(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"NATS_USERNAME": "ops", "NATS_URLS": "nats://127.0.0.1:1", "REDIS_ADDRS": "127.0.0.1:1", "SERVER_ADDR": "127.0.0.1:0",
		"SERVER_DRAIN_NOTICE": "0s", "LOG_LEVEL": "debug", "OPERATORS_KEYRING_FILE": filepath.Join(t.TempDir(), "secrets"),
	} {
		t.Setenv(config.EnvPrefix+name, value)
	}
}

func eachProcess(t *testing.T, test func(t *testing.T, process string, p *planted)) {
	for _, process := range []string{processEngine, processManagement} {
		t.Run(process, func(t *testing.T) { test(t, process, plant(t, process)) })
	}
}

func TestConfigPrintHidesEverySecretFromEverySource(t *testing.T) {
	eachProcess(t, func(t *testing.T, process string, p *planted) {
		for source, set := range map[string]func(*testing.T) (args []string){
			"env TRUNKLINE_": func(t *testing.T) []string {
				for _, s := range p.settings {
					t.Setenv(s.Env, p.values[s.Key])
				}
				return nil
			},
			"_FILE": func(t *testing.T) []string {
				for _, s := range p.settings {
					path := filepath.Join(t.TempDir(), "secret")
					require.NoError(t, os.WriteFile(path, []byte(p.values[s.Key]+"\n"), 0o644))
					t.Setenv(s.Env+"_FILE", path)
				}
				return nil
			},
			"file /": func(t *testing.T) []string {
				var content strings.Builder
				for _, s := range p.settings {
					fmt.Fprintf(&content, "%s: %q\n", s.Key, p.values[s.Key])
				}
				path := filepath.Join(t.TempDir(), "config.yaml")
				require.NoError(t, os.WriteFile(path, []byte(content.String()), 0o600))
				return []string{"--config", path}
			},
		} {
			t.Run(source, func(t *testing.T) {
				setRest(t)
				args := set(t)
				for _, form := range []string{"table", "json"} {
					stdout, stderr, code := call(t, append([]string{"config", "print", process, "-o", form}, args...)...)
					require.Zero(t, code, stderr)
					p.requireHidden(t, form, stdout+stderr)
					require.Equal(t, len(p.settings), strings.Count(stdout, "[redacted]"), "each is set")
					require.GreaterOrEqual(t, strings.Count(stdout, source), len(p.settings), "and shows its origin")
				}
			})
		}
	})
}

func TestErrorsOfTheConfigurationShowNoSecret(t *testing.T) {
	eachProcess(t, func(t *testing.T, process string, p *planted) {
		canary := p.canary("in an address")
		setRest(t)
		for name, value := range map[string]string{
			"DATABASE_URL":              "mysql://trunkline:" + canary + "@db/trunkline",
			"DATABASE_REPLICA_URL_FILE": "postgres://trunkline:" + canary + "@db/trunkline",
			"NATS_URLS":                 "nats://nats:4222,nats://ops:" + canary + "@nats:4222",
			"NATS_PASSWORD_FILE":        canary,
			"REDIS_ADDRS":               "redis://:" + canary + "@redis:6379",
			"REDIS_BUDGET":              "https://x:" + canary + "@redis",
			"SERVER_ADDR":               "https://x:" + canary + "@host",
			"OPERATORS_KEYRING_KEY":     canary + "!",
			"OPERATORS_VAULT_ADDRESS":   "https://x:" + canary + "@vault:8200",
		} {
			t.Setenv(config.EnvPrefix+name, value)
		}
		refused := func(says ...string) {
			t.Helper()
			for _, args := range [][]string{{"config", "validate", process}, {"config", "print", process}, {"serve", process}} {
				stdout, stderr, code := call(t, args...)
				require.Equal(t, ExitUsage, code)
				p.requireHidden(t, args[0], stdout+stderr)
				for _, want := range says {
					require.Contains(t, stderr, want)
				}
			}
		}
		refused("database.replica_url", "nats.password", "redis.budget")
		for _, name := range []string{"DATABASE_REPLICA_URL_FILE", "NATS_PASSWORD_FILE", "REDIS_BUDGET"} {
			require.NoError(t, os.Unsetenv(config.EnvPrefix+name)) // Setenv above restores it
		}
		refused("database.url", "nats.urls", "redis.addrs", "server")
	})
}

func TestWeakSecretsDoNotStartInProduction(t *testing.T) {
	eachProcess(t, func(t *testing.T, process string, p *planted) {
		for _, weak := range p.settings {
			t.Run(weak.Key, func(t *testing.T) {
				setRest(t)
				for _, s := range p.settings {
					t.Setenv(s.Env, p.values[s.Key])
				}
				value := base64.StdEncoding.EncodeToString(make([]byte, 32))
				if strings.HasSuffix(weak.Key, "url") {
					value = "postgres://trunkline:changeme@127.0.0.1:1/" + weak.Env
				}
				t.Setenv(weak.Env, value)
				_, stderr, code := call(t, "config", "validate", process)
				require.Equal(t, ExitUsage, code)
				require.Contains(t, stderr, weak.Key+` = "[redacted]" (env `+weak.Env+`): `)
				require.Contains(t, stderr, "make a random one")
				require.Equal(t, 1, strings.Count(stderr, "\n  - "), "and nothing else is wrong")

				t.Setenv("TRUNKLINE_ENVIRONMENT", environmentDevelopment)
				_, stderr, code = call(t, "config", "validate", process)
				require.Zero(t, code, stderr)
			})
		}
	})
}

// TestTheLogOfAStartShowsNoSecret starts both processes with nothing that answers, where errors speak of addresses.
func TestTheLogOfAStartShowsNoSecret(t *testing.T) {
	eachProcess(t, func(t *testing.T, process string, p *planted) {
		setRest(t)
		for _, s := range p.settings {
			t.Setenv(s.Env, p.values[s.Key])
		}
		out, end := background(t, "serve", process)
		require.Eventually(t, func() bool {
			return strings.Contains(out.String(), `"message":"serving"`) || strings.Contains(out.String(), "trunkline: ")
		}, 60*time.Second, 10*time.Millisecond, "neither started nor refused to")
		require.Zero(t, end(), "it stops cleanly")
		p.requireHidden(t, "the log", out.String())
		require.Contains(t, out.String(), "127.0.0.1:1", "the log speaks of an address")
	})
}
