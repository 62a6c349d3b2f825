package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/config"
)

func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	set.String("server.addr", ":1", "")
	set.Duration("timeout", time.Hour, "")
	set.StringSlice("store.replicas", []string{"flagdefault"}, "")
	set.StringToString("store.labels", nil, "")
	set.String("output", "table", "")
	require.NoError(t, set.Parse(args))
	return set
}

func TestPrecedenceIsFlagThenEnvironmentThenFileThenDefault(t *testing.T) {
	const yaml = "server:\n  addr: file:1\n"
	env := []string{"TRUNKLINE_SERVER_ADDR=env:1", "OTHER_SERVER_ADDR=other:1"}
	for _, c := range []struct {
		name         string
		file         string
		env, args    []string
		want, origin string
	}{
		{"nothing set leaves the default", "", nil, nil, ":8080", "default"},
		{"the file beats the default", yaml, nil, nil, "file:1", "file"},
		{"the environment beats the file", yaml, env, nil, "env:1", "env TRUNKLINE_SERVER_ADDR"},
		{"the flag beats the environment", yaml, env, []string{"--server.addr=flag:1"}, "flag:1", "flag --server.addr"},
		{"a flag equal to its own default still counts when given", yaml, env, []string{"--server.addr=:1"}, ":1", "flag --server.addr"},
		{"a flag that was not given does not count", "", nil, []string{"--output=json"}, ":8080", "default"},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := config.Options{Environ: c.env, Flags: flags(t, c.args...)}
			if c.file != "" {
				opts.File = write(t, c.file)
			}
			l, err := config.Load(defaults(), opts)
			require.NoError(t, err)
			require.Equal(t, c.want, l.Value.Server.Addr)
			got := setting(t, l, "server.addr")
			require.Equal(t, c.want, got.Value)
			if c.origin == "file" {
				c.origin = "file " + opts.File
			}
			require.Equal(t, config.Origin(c.origin), got.Origin)
			require.Equal(t, "TRUNKLINE_SERVER_ADDR", got.Env)
			require.Equal(t, "Address to listen on, host:port.", got.Doc)
		})
	}
}

func TestEverySourceReadsEveryKind(t *testing.T) {
	want := settings{
		Name: "01", Debug: true, Ratio: 0.25, Small: 255,
		Server: server{Addr: ":9", ReadTimeout: 90 * time.Second, MaxInFlight: -3},
		Store: store{
			DSN: config.NewSecret("p:w"), Keys: map[string]config.Secret{"k1": config.NewSecret("s=1")},
			Replicas: []string{"x", "y"}, Labels: map[string]string{"zone.a": "1", "b": "2"},
		},
	}
	t.Run("a YAML file", func(t *testing.T) {
		l, err := config.Load(defaults(), config.Options{File: write(t, `
name: "01"
debug: true
ratio: 0.25
small: 255
server:
  addr: ":9"
  read_timeout: 1m30s
  max_in_flight: -3
store:
  dsn: p:w
  keys: {k1: s=1}
  replicas: [x, y]
  labels:
    zone.a: "1"
    b: "2"
`)})
		require.NoError(t, err)
		require.Equal(t, want, l.Value)
	})
	t.Run("the environment", func(t *testing.T) {
		l, err := config.Load(defaults(), config.Options{Environ: []string{
			"TRUNKLINE_NAME=01", "TRUNKLINE_DEBUG=true", "TRUNKLINE_RATIO=0.25", "TRUNKLINE_SMALL=255",
			"TRUNKLINE_SERVER_ADDR=:9", "TRUNKLINE_SERVER_READ_TIMEOUT=1m30s", "TRUNKLINE_SERVER_MAX_IN_FLIGHT=-3",
			"TRUNKLINE_STORE_DSN=p:w", "TRUNKLINE_STORE_KEYS=k1=s=1", "TRUNKLINE_STORE_REPLICAS=x, y",
			"TRUNKLINE_STORE_LABELS=zone.a=1,b=2",
		}})
		require.NoError(t, err)
		require.Equal(t, want, l.Value)
		require.Empty(t, l.IgnoredEnv)
		require.Equal(t, "b=2,zone.a=1", setting(t, l, "store.labels").Value)
		require.Equal(t, "1m30s", setting(t, l, "server.read_timeout").Value)
	})
	t.Run("flags, some of them mapped", func(t *testing.T) {
		l, err := config.Load(defaults(), config.Options{
			Flags:    flags(t, "--timeout=90s", "--store.replicas=x,y", "--store.labels=zone.a=1,b=2"),
			FlagKeys: map[string]string{"timeout": "server.read_timeout"},
		})
		require.NoError(t, err)
		require.Equal(t, want.Server.ReadTimeout, l.Value.Server.ReadTimeout)
		require.Equal(t, want.Store.Replicas, l.Value.Store.Replicas)
		require.Equal(t, want.Store.Labels, l.Value.Store.Labels)
		require.Equal(t, config.Origin("flag --timeout"), setting(t, l, "server.read_timeout").Origin)
	})
}

func TestALaterSourceReplacesListsAndLeavesTheDefaultsAlone(t *testing.T) {
	base := defaults()
	l, err := config.Load(base, config.Options{Environ: []string{"TRUNKLINE_STORE_REPLICAS=z"}})
	require.NoError(t, err)
	require.Equal(t, []string{"z"}, l.Value.Store.Replicas)
	require.Equal(t, []string{"a", "b"}, base.Store.Replicas)
	l, err = config.Load(base, config.Options{Environ: []string{"TRUNKLINE_STORE_REPLICAS="}})
	require.NoError(t, err)
	require.Empty(t, l.Value.Store.Replicas)
}

func TestASecretIsReadFromTheFileThatItsVariableNames(t *testing.T) {
	path := write(t, "hunter2\r\n")
	l, err := config.Load(defaults(), config.Options{
		File:    write(t, "store: {dsn: from file}"),
		Environ: []string{"TRUNKLINE_STORE_DSN_FILE=" + path},
	})
	require.NoError(t, err)
	require.Equal(t, "hunter2", l.Value.Store.DSN.Reveal())
	got := setting(t, l, "store.dsn")
	require.Equal(t, config.Setting{
		Key: "store.dsn", Env: "TRUNKLINE_STORE_DSN", Value: "[redacted]",
		Origin: "env TRUNKLINE_STORE_DSN_FILE", Doc: "Connection string.", Secret: true,
	}, got)
	require.Empty(t, l.IgnoredEnv)

	t.Run("everybody may be allowed to read it, as in a mount of Kubernetes", func(t *testing.T) {
		require.NoError(t, os.Chmod(path, 0o644))
		_, err := config.Load(defaults(), config.Options{Environ: []string{"TRUNKLINE_STORE_DSN_FILE=" + path}})
		require.NoError(t, err)
	})
	t.Run("a setting that is no secret may be an empty file", func(t *testing.T) {
		_, err := config.Load(defaults(), config.Options{Environ: []string{"TRUNKLINE_NAME_FILE=" + write(t, "")}})
		require.NoError(t, err)
	})
	t.Run("lists and maps of secrets", func(t *testing.T) {
		l, err := config.Load(defaults(), config.Options{Environ: []string{"TRUNKLINE_STORE_KEYS_FILE=" + write(t, "a=hunter2,b=hunter3\n")}})
		require.NoError(t, err)
		require.Equal(t, "hunter3", l.Value.Store.Keys["b"].Reveal())
	})
	t.Run("the largest file", func(t *testing.T) {
		l, err := config.Load(defaults(), config.Options{Environ: []string{"TRUNKLINE_STORE_DSN_FILE=" + write(t, strings.Repeat("x", 64<<10))}})
		require.NoError(t, err)
		require.Len(t, l.Value.Store.DSN.Reveal(), 64<<10)
	})
	t.Run("only the last newline goes", func(t *testing.T) {
		l, err := config.Load(defaults(), config.Options{Environ: []string{"TRUNKLINE_NAME_FILE=" + write(t, " a\n\n")}})
		require.NoError(t, err)
		require.Equal(t, " a\n", l.Value.Name)
	})
	for _, c := range []struct {
		name, want string
		env        []string
	}{
		{"a missing file is an error", "no such file", []string{"TRUNKLINE_STORE_DSN_FILE=" + path + "x"}},
		{"a directory is an error", "cannot be read", []string{"TRUNKLINE_STORE_DSN_FILE=" + filepath.Dir(path)}},
		{"a huge file is an error", "larger than 65536 bytes", []string{"TRUNKLINE_STORE_DSN_FILE=" + write(t, strings.Repeat("x", 64<<10+1))}},
		{"an empty file is an error", "names an empty file", []string{"TRUNKLINE_STORE_DSN_FILE=" + write(t, "\n")}},
		{"both forms at once are an error", "keep one of the two", []string{"TRUNKLINE_STORE_DSN_FILE=" + path, "TRUNKLINE_STORE_DSN=x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Load(defaults(), config.Options{Environ: c.env})
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "store.dsn")
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestProblemsOfTheFile(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"an unknown key names the closest one", "server: {adr: x}", "server.adr (file PATH): is not a known key; remove it, or did you mean server.addr?"},
		{"capital letters are another key", "server: {Addr: x}", "did you mean server.addr?"},
		{"an unknown section", "sever: {addr: x}", "did you mean server.addr?"},
		{"a value in place of a section", "server: x", "is a section, not a value"},
		{"a section in place of a value", "name: {x: y}", "name.x (file PATH): is not a known key"},
		{"a number without a unit is no duration", "server: {read_timeout: 5}", `server.read_timeout = "5" (file PATH): is not a duration; write a number with a unit`},
		{"an unquoted number is no string", "name: 01", "name = \"1\" (file PATH): put the value in quotes"},
		{"an unquoted date is no string", "name: 2026-01-01", "put the value in quotes"},
		{"yes is not a boolean", "debug: yes", "write true or false"},
		{"a fraction is no integer", "server: {max_in_flight: 1.5}", "is not a whole number of at most 64 bits"},
		{"a number too large for its type", "small: 256", "is not a whole number from 0 of at most 8 bits"},
		{"a negative number for an unsigned type", "small: -1", "is not a whole number from 0 of at most 8 bits"},
		{"not a number is no number", "ratio: .nan", "is not a number in range"},
		{"infinity is no number", "ratio: .inf", "is not a number in range"},
		{"a list in place of a value", "name: [a]", "write a single value"},
		{"a number in place of a list", "store: {replicas: 5}", "is not a list"},
		{"a list with a wrong item", "store: {replicas: [a, 5]}", "item 2 put the value in quotes"},
		{"a list in place of a map", "store: {labels: [a]}", "is not a map"},
		{"broken YAML", "server: [", "is not valid YAML"},
		{"a duplicate key", "name: a\nname: b", "is not valid YAML"},
		{"a file that is too large", strings.Repeat("#", 1<<20+1), "is larger than 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.yaml)
			_, err := config.Load(defaults(), config.Options{File: path})
			require.ErrorContains(t, err, strings.ReplaceAll(c.want, "PATH", path))
		})
	}
	t.Run("a missing file", func(t *testing.T) {
		_, err := config.Load(defaults(), config.Options{File: filepath.Join(t.TempDir(), "none.yaml")})
		require.ErrorContains(t, err, "cannot be read (no such file or directory)")
	})
	t.Run("a directory", func(t *testing.T) {
		_, err := config.Load(defaults(), config.Options{File: t.TempDir()})
		require.ErrorContains(t, err, "is not a regular file")
	})
	t.Run("keys and sections without a value leave the defaults", func(t *testing.T) {
		l, err := config.Load(defaults(), config.Options{File: write(t, "name:\nserver:\nstore: {}\n")})
		require.NoError(t, err)
		require.Equal(t, defaults(), l.Value)
		require.Equal(t, config.OriginDefault, setting(t, l, "name").Origin)
	})
	t.Run("an empty file is fine", func(t *testing.T) {
		_, err := config.Load(defaults(), config.Options{File: write(t, "")})
		require.NoError(t, err)
	})
}

func TestASharedFileMayHoldSettingsOfOthers(t *testing.T) {
	file := write(t, "name: shared\nserver: {adr: x, addr: ':9'}\nsever: {addr: x}\nstore: {labels: {a: b}}\n")
	_, err := config.Load(defaults(), config.Options{File: file})
	require.Error(t, err)
	l, err := config.Load(defaults(), config.Options{File: file, Shared: true})
	require.NoError(t, err)
	require.Equal(t, []string{"shared", ":9", "b"}, []string{l.Value.Name, l.Value.Server.Addr, l.Value.Store.Labels["a"]})
	for yaml, want := range map[string]string{
		"server: x": "is a section, not a value", "small: 256": "of at most 8 bits", "store: {dsn: {hunter2: }}": "store.dsn",
	} {
		_, err := config.Load(defaults(), config.Options{File: write(t, yaml), Shared: true})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestAllProblemsAreReportedAtOnceInOrder(t *testing.T) {
	_, err := config.Load(defaults(), config.Options{
		File:     write(t, "nme: x\nserver: {read_timeout: 5}"),
		Environ:  []string{"TRUNKLINE_SMALL=300"},
		Flags:    flags(t),
		FlagKeys: map[string]string{"timeout": "server.read_timeot"},
	})
	var all *config.Error
	require.ErrorAs(t, err, &all)
	keys := make([]string, len(all.Problems))
	for i, p := range all.Problems {
		keys[i] = p.Key
	}
	require.Equal(t, []string{"nme", "server.read_timeot", "small", "server.read_timeout"}, keys)
	require.Equal(t, 4, strings.Count(err.Error(), "\n  - "))
	var first *config.Problem
	require.ErrorAs(t, err, &first)
}

func TestTwoFlagsForOneKeyAreRefused(t *testing.T) {
	set := flags(t, "--server.addr=a", "--output=b")
	_, err := config.Load(defaults(), config.Options{Flags: set, FlagKeys: map[string]string{"output": "server.addr"}})
	require.ErrorContains(t, err, "keep one of the two")
}

func TestVariablesThatNameNoKeyAreListed(t *testing.T) {
	l, err := config.Load(defaults(), config.Options{Environ: []string{
		"TRUNKLINE_SERVICE_HOST=10.0.0.1", "TRUNKLINE_PORT=tcp://10.0.0.1", "TRUNKLINE_NOPE_FILE=/x", "PATH=/bin",
	}})
	require.NoError(t, err)
	require.Equal(t, []string{"TRUNKLINE_NOPE_FILE", "TRUNKLINE_PORT", "TRUNKLINE_SERVICE_HOST"}, l.IgnoredEnv)
}

func TestValidationNamesFullKeyValueOriginAndFix(t *testing.T) {
	for _, c := range []struct {
		name, want string
		env        []string
	}{
		{"a nested key", "  - server.read_timeout = \"-1s\" (env TRUNKLINE_SERVER_READ_TIMEOUT): set a duration above 0, such as 5s", []string{"TRUNKLINE_SERVER_READ_TIMEOUT=-1s"}},
		{"several findings of one struct", "  - server.addr = \"\" (env TRUNKLINE_SERVER_ADDR): set host:port, such as :8080\n  - server.read_timeout", []string{"TRUNKLINE_SERVER_READ_TIMEOUT=0s", "TRUNKLINE_SERVER_ADDR="}},
		{"a secret that the check passed in clear", "  - store.dsn = \"[redacted]\" (env TRUNKLINE_STORE_DSN): choose a better one", []string{"TRUNKLINE_STORE_DSN=weak"}},
		{"a finding of the root without a key", "  - debug and the name production exclude each other", []string{"TRUNKLINE_DEBUG=true", "TRUNKLINE_NAME=production"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Load(defaults(), config.Options{Environ: c.env})
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "weak")
		})
	}
	t.Run("a bad default says that it is one", func(t *testing.T) {
		_, err := config.Load(settings{Server: server{Addr: "x"}}, config.Options{})
		require.ErrorContains(t, err, `server.read_timeout = "0s" (default)`)
	})
	t.Run("long values are cut", func(t *testing.T) {
		_, err := config.Load(defaults(), config.Options{Environ: []string{"TRUNKLINE_SMALL=" + strings.Repeat("é", 5000)}})
		require.Error(t, err)
		require.Less(t, len(err.Error()), 600)
	})
}

func TestASettingsStructThatBreaksTheRulesIsRefused(t *testing.T) {
	type nested struct {
		B string `koanf:"b" doc:"x"`
	}
	for _, c := range []struct {
		name, want string
		load       func() error
	}{
		{"no tag", "field A of", load[struct{ A string }]},
		{"no doc", `needs a tag doc`, load[struct {
			A string `koanf:"a"`
		}]},
		{"a bad name", `needs a tag koanf`, load[struct {
			A string `koanf:"A.b" doc:"x"`
		}]},
		{"a type that cannot be set", "has the type chan int", load[struct {
			A chan int `koanf:"a" doc:"x"`
		}]},
		{"a pointer", "cannot be configured", load[struct {
			A *nested `koanf:"a"`
		}]},
		{"the same key twice", "declared twice", load[struct {
			A string `koanf:"a" doc:"x"`
			B string `koanf:"a" doc:"x"`
		}]},
		{"two keys with one variable", "share the variable TRUNKLINE_A_B", load[struct {
			A nested `koanf:"a"`
			C string `koanf:"a_b" doc:"x"`
		}]},
		{"a key that looks like the file of another", "would mean both", load[struct {
			A string `koanf:"cert" doc:"x"`
			B string `koanf:"cert_file" doc:"x"`
		}]},
		{"not a struct", "must be a struct", load[string]},
	} {
		t.Run(c.name, func(t *testing.T) { require.ErrorContains(t, c.load(), c.want) })
	}
}

func load[T any]() error {
	var zero T
	_, err := config.Load(zero, config.Options{})
	return err
}

func TestReferenceListsEveryKey(t *testing.T) {
	base := defaults()
	base.Store.DSN = config.NewSecret("hunter2")
	got := config.Reference(base)
	want, err := os.ReadFile(filepath.Join("testdata", "reference.md"))
	require.NoError(t, err)
	require.Equal(t, string(want), got)
	require.Panics(t, func() { config.Reference(struct{ A string }{}) })
}

func TestOriginsReturnsACopy(t *testing.T) {
	l, err := config.Load(defaults(), config.Options{})
	require.NoError(t, err)
	l.Origins()[0].Key = "changed"
	require.Equal(t, "name", l.Origins()[0].Key)
	require.False(t, reflect.ValueOf(l.Value.Wired).IsValid() && l.Value.Wired != nil)
}
