package config_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/config"
)

func TestAChangeOfTheFileCountsOnceTwoLooksSeeTheSame(t *testing.T) {
	path := write(t, "name: a")
	put := func(content string) { require.NoError(t, os.WriteFile(path, []byte(content), 0o600)) }
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := config.Watch(path)
		put("name: b") // between the first look and Run
		var calls atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.Run(ctx, func() { calls.Add(1) })
		}()
		look := func(want int64, why string) {
			t.Helper()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			require.Equal(t, want, calls.Load(), why)
		}
		look(0, "seen once")
		look(1, "seen twice")
		look(1, "still the same")
		put("name: half of i")
		look(1, "seen once")
		put("name: half of it")
		look(1, "another one, seen once")
		look(2, "seen twice")
		put("name: half of it")
		look(2, "written again, the same content")
		look(2, "written again, the same content")
		put("name: c")
		look(2, "seen once")
		put("name: half of it")
		look(2, "back before it counted")
		look(2, "back before it counted")
		require.NoError(t, os.Remove(path))
		look(2, "gone, seen once")
		look(3, "gone")
		look(3, "still gone")
		require.NoError(t, os.Mkdir(path, 0o700))
		look(3, "a folder, seen once")
		look(4, "a folder")
		cancel()
		<-done
	})
}

func TestASwapOfFoldersByLinkIsAChange(t *testing.T) {
	dir := t.TempDir()
	stamp := time.Unix(1_700_000_000, 0)
	for name, content := range map[string]string{"one": "name: a", "two": "name: b"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		file := filepath.Join(dir, name, "config.yaml")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		require.NoError(t, os.Chtimes(file, stamp, stamp))
	}
	link := filepath.Join(dir, "data")
	require.NoError(t, os.Symlink("one", link))
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := config.Watch(filepath.Join(link, "config.yaml"))
		changed := make(chan struct{}, 1)
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.Run(ctx, func() { changed <- struct{}{} })
		}()
		require.NoError(t, os.Symlink("two", link+".new"))
		require.NoError(t, os.Rename(link+".new", link))
		<-changed
		cancel()
		<-done
	})
}
