package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
)

// scheduledRelease is the one that waits for its moment, or nil: a publish or a rollback calls it off.
func (c *client) scheduledRelease(ctx context.Context) (*releasesv1.Release, error) {
	var found *releasesv1.Release
	err := releaseListing.pages(ctx, c, 0, func(all []*releasesv1.Release, _ *operatorsv1.Freshness) error {
		for _, r := range all {
			if r.GetState() == releasesv1.ReleaseState_RELEASE_STATE_SCHEDULED {
				found = r
			}
		}
		return nil
	})
	return found, err
}

// calledOffText says which schedule ends, such as "calls off release 2, scheduled for ... by ann"; empty for none.
func calledOffText(scheduled *releasesv1.Release) string {
	if scheduled == nil {
		return ""
	}
	a := scheduled.GetLastActivation()
	return clean(fmt.Sprintf("calls off %s, scheduled for %s%s", releaseName(scheduled), momentText(a.GetActivateTime()), by(a.GetCreatedBy())))
}

// fewRules says that a release has no rules, or less than half of those of the one in force, which may be nil: somebody
// made it of a table that was not filled. Empty when there is nothing to say.
func fewRules(r, former *releasesv1.Release) string {
	name := releaseName(r)
	if r.GetNumber() == 0 {
		name = "the release" // not stored
	}
	switch {
	case r.GetRuleCount() == 0:
		return name + " has no rules: in force, every number is without a route"
	case r.GetReleaseId() != former.GetReleaseId() && 2*r.GetRuleCount() < former.GetRuleCount():
		return fmt.Sprintf("%s has %s, and %s, which is in force, %d", name, plural(r.GetRuleCount(), "rule", "rules"), releaseName(former), former.GetRuleCount())
	}
	return ""
}

// warnFewRules tells people, and scripts that do not ask, on stderr.
func warnFewRules(cmd *cobra.Command, r, former *releasesv1.Release) error {
	text := fewRules(r, former)
	if text == "" {
		return nil
	}
	return printf(cmd.ErrOrStderr(), "warning: %s\n", text)
}

// publishQuestion asks with a word on what would change.
func publishQuestion(r, former, scheduled *releasesv1.Release, difference string) string {
	place := "is the first to be served"
	if former != nil {
		place = "takes the place of " + releaseName(former)
	}
	return fmt.Sprintf("%s%s %s (%s)%s. Really publish it?", firstly(fewRules(r, former)), releaseName(r), place, difference, lastly(calledOffText(scheduled)))
}

func rollbackQuestion(from, to, scheduled *releasesv1.Release) string {
	if from.GetReleaseId() == to.GetReleaseId() {
		return fmt.Sprintf("%s stays in force%s. Really call it off?", releaseName(to), lastly(calledOffText(scheduled)))
	}
	off := calledOffText(scheduled)
	if off != "" {
		off = "It " + off
	}
	return fmt.Sprintf("%s%sReally go back from %s to %s?", firstly(off), firstly(fewRules(to, from)), releaseName(from), releaseName(to))
}

// firstly makes a sentence of its own of what must not be overlooked.
func firstly(text string) string {
	if text == "" {
		return ""
	}
	return text + ". "
}

func lastly(text string) string {
	if text == "" {
		return ""
	}
	return ", and " + text
}
