package secrets_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
	"trunkline/services/platform/secrets"
)

func keyringConfig(t *testing.T) secrets.KeyringConfig {
	t.Helper()
	return secrets.KeyringConfig{File: filepath.Join(t.TempDir(), "keyring")}
}

func randomKey(fill byte) config.Secret {
	return config.NewSecret(base64.StdEncoding.EncodeToString(slices.Repeat([]byte{fill}, 32)))
}

// filled makes a keyring with one secret and closes it.
func filled(t *testing.T, cfg secrets.KeyringConfig) {
	t.Helper()
	k, err := secrets.OpenKeyring(cfg, nil, clock.System())
	require.NoError(t, err)
	put(t, k, "a", "value")
	require.NoError(t, k.Close())
}

func requireNotOpened(t *testing.T, cfg secrets.KeyringConfig, reason string) {
	t.Helper()
	k, err := secrets.OpenKeyring(cfg, nil, clock.System())
	require.Nil(t, k)
	require.True(t, fault.Is(err, reason), "%v", err)
	require.Contains(t, err.Error(), cfg.File, "the text names the file")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func TestAKeyringIsTheSameAfterOpeningAgain(t *testing.T) {
	cfg := keyringConfig(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	clk := clock.NewFake(now)
	k, err := secrets.OpenKeyring(cfg, nil, clk)
	require.NoError(t, err)
	put(t, k, "a/b", "one")
	clk.Advance(time.Hour)
	put(t, k, "a/b", "two")
	require.NoError(t, k.Drop(t.Context(), "a/b", put(t, k, "a/b", "three")))
	put(t, k, "c", "gone")
	require.NoError(t, k.Remove(t.Context(), "c"))
	require.NoError(t, k.Close())

	again := openKeyring(t, cfg)
	all, err := again.List(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, []secrets.Stored{{
		Path: "a/b", UpdatedAt: now.Add(time.Hour),
		Versions: []secrets.Version{{Number: 1, CreatedAt: now}, {Number: 2, CreatedAt: now.Add(time.Hour)}},
	}}, all)
	requireHas(t, again, "a/b", 2, "two")
	require.EqualValues(t, 4, put(t, again, "a/b", "four"), "the dropped number is not used again")
}

func TestTheFilesAreForTheOwnerOnlyAndShowNothing(t *testing.T) {
	cfg := keyringConfig(t)
	filled(t, cfg)
	for _, name := range []string{cfg.File, cfg.File + ".key", cfg.File + ".lock"} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode(), name)
	}
	require.NotContains(t, read(t, cfg.File), "value")
	require.NotContains(t, read(t, cfg.File), `"a"`)
	left, err := filepath.Glob(cfg.File + "*")
	require.NoError(t, err)
	require.Len(t, left, 3, "no temporary file is left")
}

func TestEachWriteOfTheSameLooksDifferent(t *testing.T) {
	cfg := keyringConfig(t)
	k := openKeyring(t, cfg)
	put(t, k, "a", "value")
	require.NoError(t, k.Remove(t.Context(), "a"))
	empty := read(t, cfg.File)
	put(t, k, "a", "value")
	require.NoError(t, k.Remove(t.Context(), "a"))
	require.Len(t, read(t, cfg.File), len(empty))
	require.NotEqual(t, empty, read(t, cfg.File))
}

func TestAKeyInTheSettingsNeedsNoKeyFile(t *testing.T) {
	cfg := keyringConfig(t)
	cfg.Key = randomKey(1)
	filled(t, cfg)
	require.NoFileExists(t, cfg.File+".key")
	requireHas(t, openKeyring(t, cfg), "a", 1, "value")
}

func TestAKeyringThatCannotBeDecryptedIsRefusedAndLeftAsItIs(t *testing.T) {
	cfg := keyringConfig(t)
	cfg.Key = randomKey(1)
	filled(t, cfg)
	good := read(t, cfg.File)
	spoil := func(at int) string {
		b := []byte(good)
		b[at] ^= 1
		return string(b)
	}
	for name, content := range map[string]string{
		"empty":                     "",
		"of another kind":           "user=secret\n",
		"of another version":        spoil(len("trunkline keyring ")),
		"with another nonce":        spoil(len("trunkline keyring 1\n")),
		"with another cipher text":  spoil(len(good) - 20),
		"with another tag":          spoil(len(good) - 1),
		"cut short":                 good[:len(good)-1],
		"cut to the first line":     "trunkline keyring 1\n",
		"with something at the end": good + "x",
	} {
		t.Run(name, func(t *testing.T) {
			writeFile(t, cfg.File, content)
			requireNotOpened(t, cfg, "KEYRING_UNREADABLE")
			require.Equal(t, content, read(t, cfg.File))
		})
	}
	t.Run("with another key", func(t *testing.T) {
		writeFile(t, cfg.File, good)
		cfg := cfg
		cfg.Key = randomKey(2)
		requireNotOpened(t, cfg, "KEYRING_UNREADABLE")
		require.Equal(t, good, read(t, cfg.File))
	})
	writeFile(t, cfg.File, good)
	requireHas(t, openKeyring(t, cfg), "a", 1, "value")
}

func TestAKeyFileThatIsNotRightIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  func(t *testing.T, key string)
		reason string
	}{
		"missing":            {func(t *testing.T, key string) { require.NoError(t, os.Remove(key)) }, "KEYRING_KEY_INVALID"},
		"no key":             {func(t *testing.T, key string) { writeFile(t, key, "hunter2") }, "KEYRING_KEY_INVALID"},
		"too short":          {func(t *testing.T, key string) { writeFile(t, key, "AAAA") }, "KEYRING_KEY_INVALID"},
		"readable to others": {func(t *testing.T, key string) { require.NoError(t, os.Chmod(key, 0o640)) }, "KEYRING_KEY_INVALID"},
		"a folder": {func(t *testing.T, key string) {
			require.NoError(t, os.Remove(key))
			require.NoError(t, os.Mkdir(key, 0o700))
		}, "KEYRING_UNREADABLE"},
		"of another keyring": {func(t *testing.T, key string) { writeFile(t, key, randomKey(7).Reveal()) }, "KEYRING_UNREADABLE"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := keyringConfig(t)
			filled(t, cfg)
			before := read(t, cfg.File)
			c.spoil(t, cfg.File+".key")
			requireNotOpened(t, cfg, c.reason)
			require.Equal(t, before, read(t, cfg.File))
		})
	}
}

func TestAKeyWithoutKeyringIsUsed(t *testing.T) {
	cfg := keyringConfig(t)
	filled(t, cfg)
	key := read(t, cfg.File+".key")
	require.NoError(t, os.Remove(cfg.File)) // as after a crash between the two files
	filled(t, cfg)
	require.Equal(t, key, read(t, cfg.File+".key"))
}

func TestAKeyringNeedsItsFolder(t *testing.T) {
	requireNotOpened(t, secrets.KeyringConfig{File: filepath.Join(t.TempDir(), "missing", "keyring")}, "KEYRING_UNREADABLE")
}

func TestOnlyOneMayUseAKeyring(t *testing.T) {
	cfg := keyringConfig(t)
	k := openKeyring(t, cfg)
	put(t, k, "a", "value")
	requireNotOpened(t, cfg, "KEYRING_IN_USE")
	require.NoError(t, k.Close())
	requireHas(t, openKeyring(t, cfg), "a", 1, "value")
}

func TestAChangeThatCannotBeSavedChangesNothing(t *testing.T) {
	cfg := keyringConfig(t)
	k := openKeyring(t, cfg)
	put(t, k, "a", "value")
	before := read(t, cfg.File)
	blocked := cfg.File + ".tmp"
	require.NoError(t, os.Mkdir(blocked, 0o700)) // in the way of the temporary file
	_, err := k.Put(t.Context(), "a", secret.New("second"))
	for _, err := range []error{err, k.Drop(t.Context(), "a", 1), k.Remove(t.Context(), "a")} {
		require.ErrorIs(t, err, secrets.ErrKeyringUnavailable)
		require.Positive(t, fault.From(err).RetryAfter)
	}
	requireHas(t, k, "a", 1, "value")
	_, err = k.Get(t.Context(), "a", 2)
	require.ErrorIs(t, err, secrets.ErrNotFound)
	require.Equal(t, before, read(t, cfg.File))
	require.NoError(t, os.Remove(blocked))
	require.EqualValues(t, 2, put(t, k, "a", "second"))
}

func TestATemporaryFileLeftByACrashIsNoObstacle(t *testing.T) {
	cfg := keyringConfig(t)
	filled(t, cfg)
	writeFile(t, cfg.File+".tmp", strings.Repeat("half a keyring", 1000))
	k := openKeyring(t, cfg)
	requireHas(t, k, "a", 1, "value")
	require.EqualValues(t, 2, put(t, k, "a", "second"))
	require.NoError(t, k.Close())
	requireHas(t, openKeyring(t, cfg), "a", 2, "second")
}

func TestAClosedKeyringRefuses(t *testing.T) {
	k := openKeyring(t, keyringConfig(t))
	put(t, k, "a", "value")
	require.NoError(t, k.Close())
	require.NoError(t, k.Close())
	for call, err := range everyCall(t.Context(), k) {
		require.ErrorIs(t, err, secrets.ErrKeyringUnavailable, call)
	}
}

func TestAnObserverIsToldEveryOperation(t *testing.T) {
	seen := &tally{}
	k, err := secrets.OpenKeyring(keyringConfig(t), seen.observe, clock.System())
	require.NoError(t, err)
	for _, err := range everyCall(t.Context(), k) {
		if err != nil {
			require.ErrorIs(t, err, secrets.ErrNotFound)
		}
	}
	require.NoError(t, k.Close())
	everyCall(t.Context(), k)
	for _, op := range []secrets.Operation{secrets.OpPut, secrets.OpGet, secrets.OpDrop, secrets.OpRemove, secrets.OpList, secrets.OpCheck} {
		require.Equal(t, 2, seen.succeeded(op)+seen.failed(op), op)
		require.GreaterOrEqual(t, seen.failed(op), 1, op)
	}
}

// The process that runs TestHoldsAKeyring is this test binary again. It is killed in the middle of its work.
func TestWhatWasAcknowledgedOutlivesAKill(t *testing.T) {
	cfg := keyringConfig(t)
	var acknowledged int64
	for round := range 8 {
		ctx, kill := context.WithCancel(t.Context())
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestHoldsAKeyring$") // ends with SIGKILL
		cmd.Env = append(os.Environ(), "KEYRINGTEST_FILE="+cfg.File)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); {
			text, found := strings.CutPrefix(lines.Text(), "put ")
			if !found {
				continue
			}
			if n == 0 {
				requireNotOpened(t, cfg, "KEYRING_IN_USE")
			}
			if n++; n == 3+round {
				kill() // and read what it still says
			}
			acknowledged, err = strconv.ParseInt(text, 10, 64)
			require.NoError(t, err)
		}
		kill()
		_ = cmd.Wait()

		k := openKeyring(t, cfg)
		for version := int64(1); version <= acknowledged; version++ {
			requireHas(t, k, "a", version, fmt.Sprint("value ", version))
		}
		all, err := k.List(t.Context(), "")
		require.NoError(t, err)
		require.Len(t, all, 1)
		stored := int64(len(all[0].Versions))
		require.GreaterOrEqual(t, stored, acknowledged)
		require.LessOrEqual(t, stored, acknowledged+1, "at most the one whose answer was lost")
		acknowledged = stored
		require.NoError(t, k.Close())
	}
}

func TestHoldsAKeyring(t *testing.T) {
	file := os.Getenv("KEYRINGTEST_FILE")
	if file == "" {
		return
	}
	k, err := secrets.OpenKeyring(secrets.KeyringConfig{File: file}, nil, clock.System())
	require.NoError(t, err)
	for {
		all, err := k.List(t.Context(), "")
		require.NoError(t, err)
		next := 1
		if len(all) > 0 {
			next += len(all[0].Versions)
		}
		version := put(t, k, "a", fmt.Sprint("value ", next))
		fmt.Printf("put %d\n", version)
	}
}

func TestKeyringConfigProblemsAreNamed(t *testing.T) {
	require.NoError(t, secrets.KeyringConfig{}.Validate())
	for name, c := range map[string]struct {
		cfg secrets.KeyringConfig
		key string
	}{
		"no file":                  {secrets.KeyringConfig{}, "file"},
		"a key that is a password": {secrets.KeyringConfig{File: "f", Key: config.NewSecret("hunter2")}, "key"},
		"a key that is too short":  {secrets.KeyringConfig{File: "f", Key: config.NewSecret("AAAA")}, "key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := secrets.OpenKeyring(c.cfg, nil, clock.System())
			var p *config.Problem
			require.True(t, errors.As(err, &p), "%v", err)
			require.Equal(t, c.key, p.Key)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
