package cli

import (
	"context"
	"strconv"
	"strings"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
)

// Words that stand for a release.
const (
	refActive = "active"
	refLatest = "latest"
)

// releaseNamed finds a release by number, id or word.
func (c *client) releaseNamed(ctx context.Context, ref string) (*releasesv1.Release, error) {
	if id, err := uuid.Parse(ref); err == nil {
		res, err := c.getRelease(ctx, id.String())
		return res.GetRelease(), err
	}
	switch strings.ToLower(ref) {
	case refActive:
		res, err := c.getRelease(ctx, "")
		return res.GetRelease(), err
	case refLatest:
		return c.latestRelease(ctx)
	}
	number, err := strconv.ParseInt(strings.TrimPrefix(ref, "#"), 10, 64)
	if err != nil || number < 1 {
		return nil, usagef("RELEASE %q: give a number such as 12, an id, %s or %s", clean(ref), refActive, refLatest)
	}
	return c.releaseNumbered(ctx, number)
}

func (c *client) latestRelease(ctx context.Context) (*releasesv1.Release, error) {
	var latest *releasesv1.Release
	err := releaseListing.pages(ctx, c, 1, func(all []*releasesv1.Release, _ *operatorsv1.Freshness) error {
		for _, r := range all {
			latest = r
		}
		return nil
	})
	if err == nil && latest == nil {
		err = failf(ExitNotFound, "there is no release yet: `trunkline releases create` makes one")
	}
	return latest, err
}

// releaseNumbered looks for a number in the list, which is newest first.
func (c *client) releaseNumbered(ctx context.Context, number int64) (*releasesv1.Release, error) {
	for token := ""; ; {
		callCtx, cancel := c.call(ctx)
		all, next, _, err := releaseListing.page(callCtx, c, pageSize, token)
		cancel()
		if err != nil {
			return nil, c.describe(ctx, "list releases", err)
		}
		for _, r := range all {
			if r.GetNumber() == number {
				return r, nil
			}
		}
		if len(all) == 0 || all[len(all)-1].GetNumber() < number || next == "" || next == token {
			return nil, failf(ExitNotFound, "there is no release %d: `trunkline releases list` shows them", number)
		}
		token = next
	}
}

func (c *client) getRelease(ctx context.Context, id string) (*releasesv1.GetReleaseResponse, error) {
	callCtx, cancel := c.call(ctx)
	defer cancel()
	res, err := c.releases.GetRelease(callCtx, &releasesv1.GetReleaseRequest{ReleaseId: id})
	if err == nil {
		return res, nil
	}
	if id == "" && connect.CodeOf(err) == connect.CodeNotFound {
		return nil, &failure{exit: ExitNotFound, message: "no release is in force: `trunkline releases publish` puts one in force", cause: err}
	}
	return nil, c.describe(ctx, "get the release", err)
}

// activeRelease is the one in force, or nil when there is none.
func (c *client) activeRelease(ctx context.Context) (*releasesv1.Release, error) {
	res, err := c.getRelease(ctx, "")
	if err != nil && connect.CodeOf(err) == connect.CodeNotFound {
		return nil, nil
	}
	return res.GetRelease(), err
}

// releaseID is releaseNamed for a flag that may be empty.
func (c *client) releaseID(ctx context.Context, ref string) (string, error) {
	if ref == "" {
		return "", nil
	}
	r, err := c.releaseNamed(ctx, ref)
	return r.GetReleaseId(), err
}

// releaseArgument is the RELEASE of a command that may be left out.
func releaseArgument(args []string, other string) string {
	if len(args) == 0 {
		return other
	}
	return args[0]
}

// completeReleases offers the words and the newest numbers.
func completeReleases(f *clientFlags) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		const offered = 20
		names := []string{refLatest, refActive}
		_ = f.withClient(cmd, func(ctx context.Context, c *client) error { // without a server there are the words
			return releaseListing.pages(ctx, c, offered, func(all []*releasesv1.Release, _ *operatorsv1.Freshness) error {
				for _, r := range all {
					names = append(names, cobra.CompletionWithDesc(strconv.FormatInt(r.GetNumber(), 10), clean(releaseState(r.GetState())+" "+r.GetDescription())))
				}
				return nil
			})
		})
		return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}
