package secrets

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// listAtOnce bounds the calls that one List has under way.
const listAtOnce = 8

// metadata is what the engine knows about a path. Versions that were pushed out are not in it.
type metadata struct {
	Current     int64     `json:"current_version"`
	MaxVersions int64     `json:"max_versions"`
	Updated     time.Time `json:"updated_time"`
	Versions    map[string]struct {
		Created   time.Time `json:"created_time"`
		Destroyed bool      `json:"destroyed"`
	} `json:"versions"`
}

// live returns the versions that were not dropped, oldest first. One that somebody deleted with Vault's own tools is
// among them: it can be brought back.
func (m metadata) live() []Version {
	live := make([]Version, 0, len(m.Versions))
	for name, one := range m.Versions {
		if number, err := strconv.ParseInt(name, 10, 64); err == nil && !one.Destroyed {
			live = append(live, Version{Number: number, CreatedAt: one.Created})
		}
	}
	slices.SortFunc(live, func(a, b Version) int { return int(a.Number - b.Number) })
	return live
}

// metadata reports whether path is there.
func (v *Vault) metadata(ctx context.Context, path string) (metadata, bool, error) {
	var answer struct {
		Data metadata `json:"data"`
	}
	err := v.call(ctx, request{http.MethodGet, v.at("metadata", path), nil, nil}, &answer)
	if errors.Is(err, ErrNotFound) {
		return metadata{}, false, nil
	}
	return answer.Data, err == nil, err
}

// List returns every path below prefix, which is a folder such as "a/b", or everything for an empty prefix; sorted by
// path. It is no snapshot: a path that comes or goes meanwhile may be in it or not.
func (v *Vault) List(ctx context.Context, prefix string) (all []Stored, err error) {
	defer v.observe.watch(OpList)(&err)
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	paths, err := v.paths(ctx, prefix)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	err = each(ctx, paths, func(ctx context.Context, path string) error {
		m, found, err := v.metadata(ctx, path)
		if err != nil || !found {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, Stored{Path: path, UpdatedAt: m.Updated, Versions: m.live()})
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b Stored) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

// paths walks the folders below prefix, one level after the other.
func (v *Vault) paths(ctx context.Context, prefix string) ([]string, error) {
	var mu sync.Mutex
	paths := map[string]bool{}
	for folders := []string{prefix}; len(folders) > 0; {
		var deeper []string
		err := each(ctx, folders, func(ctx context.Context, folder string) error {
			names, err := v.names(ctx, folder)
			mu.Lock()
			defer mu.Unlock()
			for _, name := range names {
				path := strings.TrimPrefix(folder+"/"+name, "/")
				if below, isFolder := strings.CutSuffix(path, "/"); isFolder {
					deeper = append(deeper, below)
				} else if validPath(path) { // others were not put by this package
					paths[path] = true
				}
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		folders = deeper
	}
	return slices.Sorted(maps.Keys(paths)), nil
}

// names returns what is directly in a folder; folders end with a slash.
func (v *Vault) names(ctx context.Context, folder string) ([]string, error) {
	var answer struct {
		Data struct {
			Keys []string `json:"keys"`
		} `json:"data"`
	}
	err := v.call(ctx, request{http.MethodGet, v.at("metadata", folder), url.Values{"list": {"true"}}, nil}, &answer)
	return answer.Data.Keys, found(err)
}

// each runs do for every item, listAtOnce at a time, and returns the first error.
func each(ctx context.Context, items []string, do func(context.Context, string) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(listAtOnce)
	for _, item := range items {
		group.Go(func() error { return do(ctx, item) })
	}
	return group.Wait()
}
