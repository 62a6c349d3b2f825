// Package secretstest says what every store of secrets does. Each implementation runs it, and so may a stand-in that
// other tests use.
package secretstest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
	"trunkline/services/platform/secrets"
)

// Store is what callers see of secrets.Vault and secrets.Keyring.
type Store interface {
	Put(ctx context.Context, path string, value secret.Text) (int64, error)
	Get(ctx context.Context, path string, version int64) (secret.Text, error)
	Drop(ctx context.Context, path string, version int64) error
	Remove(ctx context.Context, path string) error
	List(ctx context.Context, prefix string) ([]secrets.Stored, error)
	Check(ctx context.Context) error
}

// Run gives every case an empty store of its own.
func Run(t *testing.T, newStore func(t *testing.T) Store) {
	for name, check := range map[string]func(*testing.T, suite){
		"each Put makes the next version and the former ones stay":          versions,
		"paths count their versions apart":                                  paths,
		"a secret that is not there is SECRET_NOT_FOUND":                    missing,
		"a dropped version is gone, its number is not used again":           drop,
		"dropping and removing what is not there is no error":               idempotent,
		"a removed path is gone with all its versions and starts anew":      remove,
		"any number of changes that failed leaves the version in force":     failedChanges,
		"List gives the paths below a folder with the versions not dropped": list,
		"List is empty where nothing is":                                    listNothing,
		"List sees many paths":                                              listMany,
		"texts come back as they were, up to the limit":                     texts,
		"twenty Puts at once on one path make twenty versions":              atOnce,
		"a call out of bounds is invalid and changes nothing":               bounds,
		"no error shows the secret":                                         canary,
		"a caller that gave up gets its own error":                          gaveUp,
		"it is usable": usable,
	} {
		t.Run(name, func(t *testing.T) { check(t, suite{t, newStore(t)}) })
	}
}

type suite struct {
	t     *testing.T
	store Store
}

func (s suite) put(path, value string) int64 {
	s.t.Helper()
	version, err := s.store.Put(s.t.Context(), path, secret.New(value))
	require.NoError(s.t, err)
	return version
}

func (s suite) drop(path string, version int64) {
	s.t.Helper()
	require.NoError(s.t, s.store.Drop(s.t.Context(), path, version))
}

func (s suite) has(path string, version int64, want string) {
	s.t.Helper()
	got, err := s.store.Get(s.t.Context(), path, version)
	require.NoError(s.t, err)
	require.Equal(s.t, want, got.Reveal())
}

func (s suite) lacks(path string, version int64) {
	s.t.Helper()
	got, err := s.store.Get(s.t.Context(), path, version)
	require.ErrorIs(s.t, err, secrets.ErrNotFound)
	require.True(s.t, fault.Is(err, "SECRET_NOT_FOUND"))
	require.True(s.t, got.IsZero())
}

func (s suite) list(prefix string) []secrets.Stored {
	s.t.Helper()
	all, err := s.store.List(s.t.Context(), prefix)
	require.NoError(s.t, err)
	return all
}

// listed gives "path: versions" for each path.
func (s suite) listed(prefix string) []string {
	s.t.Helper()
	var lines []string
	for _, one := range s.list(prefix) {
		var numbers []int64
		for _, version := range one.Versions {
			numbers = append(numbers, version.Number)
		}
		lines = append(lines, fmt.Sprint(one.Path, ": ", numbers))
	}
	return lines
}

func versions(t *testing.T, s suite) {
	for i := range int64(3) {
		require.Equal(t, i+1, s.put("a/b", fmt.Sprint("value ", i+1)))
	}
	for i := range int64(3) {
		s.has("a/b", i+1, fmt.Sprint("value ", i+1))
	}
}

func paths(t *testing.T, s suite) {
	require.EqualValues(t, 1, s.put("a/b", "one"))
	require.EqualValues(t, 1, s.put("a/c", "two"))
	require.EqualValues(t, 1, s.put("a", "three"))
	require.EqualValues(t, 1, s.put("a/b/d", "four"))
	s.has("a/b", 1, "one")
	s.has("a/c", 1, "two")
	s.has("a", 1, "three")
	s.has("a/b/d", 1, "four")
}

func missing(_ *testing.T, s suite) {
	s.lacks("a/b", 1)
	s.put("a/b", "one")
	s.lacks("a/b", 2)
	s.lacks("a/b", 0)
	s.lacks("a/b", -1)
	s.lacks("a", 1)
	s.lacks("a/b/c", 1)
}

func drop(t *testing.T, s suite) {
	s.put("a", "one")
	second := s.put("a", "two")
	s.drop("a", second)
	s.lacks("a", second)
	s.has("a", 1, "one")
	third := s.put("a", "three")
	require.EqualValues(t, 3, third)
	s.drop("a", 1)
	s.lacks("a", 1)
	s.has("a", third, "three")
	s.drop("a", third)
	require.EqualValues(t, 4, s.put("a", "four"))
}

func idempotent(t *testing.T, s suite) {
	s.drop("a", 1)
	require.NoError(t, s.store.Remove(t.Context(), "a"))
	s.put("a", "one")
	for _, version := range []int64{-1, 0, 2, 99} {
		s.drop("a", version)
	}
	s.has("a", 1, "one")
	s.drop("a", 1)
	s.drop("a", 1)
	require.NoError(t, s.store.Remove(t.Context(), "a"))
	require.NoError(t, s.store.Remove(t.Context(), "a"))
	require.Empty(t, s.list(""))
}

func remove(t *testing.T, s suite) {
	s.put("a/b", "one")
	s.put("a/b", "two")
	s.put("a/b/c", "below")
	require.NoError(t, s.store.Remove(t.Context(), "a/b"))
	s.lacks("a/b", 1)
	s.lacks("a/b", 2)
	s.has("a/b/c", 1, "below")
	require.Equal(t, []string{"a/b/c: [1]"}, s.listed(""))
	require.EqualValues(t, 1, s.put("a/b", "anew"))
	s.has("a/b", 1, "anew")
}

func failedChanges(t *testing.T, s suite) {
	inForce := s.put("a", "in force")
	for range 3 {
		for range 25 {
			s.drop("a", s.put("a", "failed"))
		}
		s.put("a", "failed and could not be dropped")
	}
	s.has("a", inForce, "in force")
	require.EqualValues(t, 80, s.put("a", "next"))
	s.has("a", inForce, "in force")
}

func list(t *testing.T, s suite) {
	for _, path := range []string{"b/2/key", "b/1/key", "b/1/other", "ba/1", "b", "c"} {
		s.put(path, "one")
	}
	s.put("b/1/key", "two")
	s.drop("b/1/key", s.put("b/1/key", "three"))
	s.put("b/1/key", "four")
	s.drop("b/2/key", 1)

	require.Equal(t, []string{"b/1/key: [1 2 4]", "b/1/other: [1]", "b/2/key: []"}, s.listed("b"))
	require.Equal(t, []string{"b/1/key: [1 2 4]", "b/1/other: [1]"}, s.listed("b/1"))
	require.Equal(t, []string{
		"b: [1]", "b/1/key: [1 2 4]", "b/1/other: [1]", "b/2/key: []", "ba/1: [1]", "c: [1]",
	}, s.listed(""))

	for _, one := range s.list("") {
		require.Less(t, time.Since(one.UpdatedAt).Abs(), time.Hour, one.Path)
		last := time.Time{}
		for _, version := range one.Versions {
			require.Less(t, time.Since(version.CreatedAt).Abs(), time.Hour, one.Path)
			require.False(t, version.CreatedAt.Before(last), one.Path)
			last = version.CreatedAt
		}
		require.False(t, one.UpdatedAt.Before(last), one.Path)
	}
}

func listNothing(t *testing.T, s suite) {
	require.Empty(t, s.list(""))
	require.Empty(t, s.list("a/b"))
	s.put("a/b", "one")
	require.Empty(t, s.list("a/b"), "a path is not below itself")
	require.Empty(t, s.list("c"))
}

func listMany(t *testing.T, s suite) {
	const many = 120
	var want []string
	for i := range many {
		path := fmt.Sprintf("folder-%03d/key", i)
		s.put(path, "one")
		want = append(want, path+": [1]")
	}
	slices.Sort(want)
	require.Equal(t, want, s.listed(""))
}

func texts(_ *testing.T, s suite) {
	for name, text := range map[string]string{
		"short":     "x",
		"spaces":    "  two  ends\t\n",
		"quotes":    `"'\` + "`${}<>&%s\x00\x7f",
		"unicode":   "pässwörd 密码 🔑 \u2028",
		"long":      strings.Repeat("k", secrets.MaxValueBytes),
		"many-byte": strings.Repeat("é", secrets.MaxValueBytes/2),
	} {
		s.put("texts/"+name, text)
		s.has("texts/"+name, 1, text)
	}
	name := strings.Repeat("p", secrets.MaxNameBytes)
	longest := strings.Join([]string{name, name, name, name}, "/")[:secrets.MaxPathBytes]
	s.put(longest, "one")
	s.has(longest, 1, "one")
	s.put("A-Z_a.z/0-9/-/_", "one")
	s.has("A-Z_a.z/0-9/-/_", 1, "one")
}

func atOnce(t *testing.T, s suite) {
	const puts = 20
	var mu sync.Mutex
	var numbers []int64
	var running sync.WaitGroup
	for i := range puts {
		running.Go(func() {
			version, err := s.store.Put(t.Context(), "a", secret.New(fmt.Sprint("value ", i)))
			if assert.NoError(t, err) {
				got, err := s.store.Get(t.Context(), "a", version)
				assert.NoError(t, err)
				assert.Equal(t, fmt.Sprint("value ", i), got.Reveal())
			}
			mu.Lock()
			defer mu.Unlock()
			numbers = append(numbers, version)
		})
	}
	running.Wait()
	slices.Sort(numbers)
	for i, number := range numbers {
		require.EqualValues(t, i+1, number)
	}
}

func bounds(t *testing.T, s suite) {
	invalid := func(err error) {
		t.Helper()
		require.True(t, fault.Is(err, "SECRET_CALL_INVALID"), "%v", err)
	}
	for _, path := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", ".a", "a b", "a?b", "a#b", "a%2fb", "ä", "a\x00", "a\n",
		strings.Repeat("p", secrets.MaxNameBytes+1), strings.Repeat("p/", secrets.MaxPathBytes/2) + "pp",
	} {
		_, err := s.store.Put(t.Context(), path, secret.New("one"))
		invalid(err)
		_, err = s.store.Get(t.Context(), path, 1)
		invalid(err)
		invalid(s.store.Drop(t.Context(), path, 1))
		invalid(s.store.Remove(t.Context(), path))
		if path != "" {
			_, err = s.store.List(t.Context(), path)
			invalid(err)
		}
	}
	for _, value := range []string{"", "\xff", strings.Repeat("k", secrets.MaxValueBytes+1)} {
		_, err := s.store.Put(t.Context(), "a", secret.New(value))
		invalid(err)
	}
	require.Empty(t, s.list(""))
}

func canary(t *testing.T, s suite) {
	const value = "canary-7f3a"
	_, err := s.store.Put(t.Context(), "a/../b", secret.New(value))
	require.Error(t, err)
	_, tooLong := s.store.Put(t.Context(), "a", secret.New(strings.Repeat(value, secrets.MaxValueBytes)))
	require.Error(t, tooLong)
	version := s.put("a", value)
	_, missing := s.store.Get(t.Context(), "a", version+1)
	require.Error(t, missing)
	for _, err := range []error{err, tooLong, missing} {
		require.NotContains(t, fmt.Sprintf("%v %+v %s", err, err, fault.From(err).LogValue()), value)
	}
}

func gaveUp(t *testing.T, s suite) {
	version := s.put("a", "one")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.store.Put(gone, "a", secret.New("two"))
	errs := []error{err, s.store.Drop(gone, "a", version), s.store.Remove(gone, "a"), s.store.Check(gone)}
	_, err = s.store.Get(gone, "a", version)
	errs = append(errs, err)
	_, err = s.store.List(gone, "")
	for _, err := range append(errs, err) {
		require.True(t, fault.Is(err, fault.ReasonCanceled), "%v", err)
	}
	s.has("a", version, "one")
	require.Equal(t, []string{"a: [1]"}, s.listed(""))
}

func usable(t *testing.T, s suite) {
	require.NoError(t, s.store.Check(t.Context()))
}
