package secrets

import (
	"context"
	"crypto/cipher"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/secret"
)

// ErrKeyringUnavailable means that the keyring could not be written, or was closed. Nothing has changed.
var ErrKeyringUnavailable = fault.New(fault.Unavailable, "KEYRING_UNAVAILABLE",
	"The keyring cannot be written, or was closed. Check that its disk has room and may be written.").WithRetry(5 * time.Second)

// Keyring keeps secrets in one encrypted file, for one process on one machine. Every change writes the whole file, so
// it is meant for up to some thousand secrets. Create it with OpenKeyring. It is safe for concurrent use.
type Keyring struct {
	file    string
	aead    cipher.AEAD
	observe Observer
	clock   clock.Clock

	mu      sync.Mutex
	lock    *os.File         // nil once closed
	entries map[string]entry // what the file holds; replaced, never changed
}

// OpenKeyring opens the file, or prepares a new one. It refuses a file that another process uses, and one that it
// cannot decrypt, which it leaves as it is. Close it at the end.
func OpenKeyring(cfg KeyringConfig, observe Observer, clk clock.Clock) (*Keyring, error) {
	if cfg.File == "" {
		return nil, config.Invalid("file", "", "name the file of the keyring")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	lock, err := lockKeyring(cfg.File)
	if err != nil {
		return nil, err
	}
	k := &Keyring{file: cfg.File, observe: observe, clock: clk, lock: lock}
	if err := k.load(cfg); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return k, nil
}

func (k *Keyring) load(cfg KeyringConfig) error {
	key, err := loadKey(cfg)
	if err != nil {
		return err
	}
	if k.aead, err = newAEAD(key); err != nil {
		return err
	}
	k.entries, err = readEntries(k.file, k.aead)
	return err
}

// Close lets others use the file. Later calls fail.
func (k *Keyring) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lock == nil {
		return nil
	}
	lock := k.lock
	k.lock = nil
	return lock.Close()
}

// Put stores value as the next version of path and returns its number.
func (k *Keyring) Put(ctx context.Context, path string, value secret.Text) (version int64, err error) {
	defer k.observe.watch(OpPut)(&err)
	if err := checkPut(path, value); err != nil {
		return 0, err
	}
	err = k.change(ctx, path, func(e *entry) {
		e.Newest++
		version, e.Updated = e.Newest, k.clock.Now().UTC()
		e.Versions = append(slices.Clone(e.Versions), kept{version, e.Updated, value.Reveal()})
	})
	if err != nil {
		return 0, err
	}
	return version, nil
}

// Get returns one version of path.
func (k *Keyring) Get(ctx context.Context, path string, version int64) (value secret.Text, err error) {
	defer k.observe.watch(OpGet)(&err)
	if err := checkPath(path); err != nil {
		return secret.Text{}, err
	}
	entries, err := k.read(ctx)
	if err != nil {
		return secret.Text{}, err
	}
	for _, one := range entries[path].Versions {
		if one.Number == version {
			return secret.New(one.Value), nil
		}
	}
	return secret.Text{}, ErrNotFound
}

// Drop destroys one version of path for good. What is not there is dropped already.
func (k *Keyring) Drop(ctx context.Context, path string, version int64) (err error) {
	defer k.observe.watch(OpDrop)(&err)
	if err := checkPath(path); err != nil {
		return err
	}
	return k.change(ctx, path, func(e *entry) {
		e.Versions = slices.DeleteFunc(slices.Clone(e.Versions), func(one kept) bool { return one.Number == version })
	})
}

// Remove deletes path with all its versions for good. What is not there is removed already.
func (k *Keyring) Remove(ctx context.Context, path string) (err error) {
	defer k.observe.watch(OpRemove)(&err)
	if err := checkPath(path); err != nil {
		return err
	}
	return k.change(ctx, path, func(e *entry) { *e = entry{} })
}

// List returns every path below prefix, which is a folder such as "a/b", or everything for an empty prefix; sorted by
// path.
func (k *Keyring) List(ctx context.Context, prefix string) (all []Stored, err error) {
	defer k.observe.watch(OpList)(&err)
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	entries, err := k.read(ctx)
	if err != nil {
		return nil, err
	}
	for _, path := range slices.Sorted(maps.Keys(entries)) {
		if prefix != "" && !strings.HasPrefix(path, prefix+"/") {
			continue
		}
		one := Stored{Path: path, UpdatedAt: entries[path].Updated, Versions: []Version{}}
		for _, version := range entries[path].Versions {
			one.Versions = append(one.Versions, Version{version.Number, version.Created})
		}
		all = append(all, one)
	}
	return all, nil
}

// Check returns nil until the keyring is closed.
func (k *Keyring) Check(ctx context.Context) (err error) {
	defer k.observe.watch(OpCheck)(&err)
	_, err = k.read(ctx)
	return err
}

// read returns the entries as they are now.
func (k *Keyring) read(ctx context.Context) (map[string]entry, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.entries, k.usable(ctx)
}

func (k *Keyring) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.From(err)
	}
	if k.lock == nil {
		return ErrKeyringUnavailable.Wrap(os.ErrClosed)
	}
	return nil
}

// change applies edit to a copy of the entry of path and saves it; an entry that was never put is left out. When the
// file cannot be written, memory keeps the former entry too. Edit must not change the versions in place.
func (k *Keyring) change(ctx context.Context, path string, edit func(*entry)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.usable(ctx); err != nil {
		return err
	}
	former := k.entries[path]
	changed := former
	edit(&changed)
	if changed.Newest == former.Newest && len(changed.Versions) == len(former.Versions) {
		return nil
	}
	next := maps.Clone(k.entries)
	delete(next, path)
	if changed.Newest > 0 {
		next[path] = changed
	}
	if err := writeEntries(k.file, k.aead, next); err != nil {
		return ErrKeyringUnavailable.Wrap(err)
	}
	k.entries = next
	return nil
}
