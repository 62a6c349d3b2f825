package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
)

// engineWait is how long publish and rollback wait for engines: they need less than 2 s for 100,000 prefixes.
const engineWait = 30 * time.Second

// activationAnswer is what publish and rollback answer.
type activationAnswer interface {
	proto.Message
	GetRelease() *releasesv1.Release
	GetActivation() *releasesv1.ReleaseActivation
}

// activationFlags are what publish and rollback share.
type activationFlags struct {
	yes, dryRun, noWait *bool
	wait                time.Duration
	expect, reason      string
	output              *choice
	conn                *clientFlags
}

func addActivationFlags(cmd *cobra.Command) *activationFlags {
	f := &activationFlags{yes: yesFlag(cmd)}
	flags := cmd.Flags()
	f.dryRun = flags.Bool("dry-run", false, "check everything and change nothing")
	f.noWait = flags.Bool("no-wait", false, "do not wait until engines serve it")
	flags.DurationVar(&f.wait, "wait", engineWait, "longest time to wait until engines serve it")
	flags.StringVar(&f.expect, "expect", "", "only when this `RELEASE` is in force; without it the one that is in force now")
	flags.StringVar(&f.reason, "reason", "", "why, for people; at most 500 characters")
	noValueCompletion(cmd, "wait", "expect", "reason")
	f.output = outputFlag(cmd, formTable, formJSON)
	f.conn = addClientFlags(cmd, callTimeout, "each call")
	cmd.ValidArgsFunction = completeReleases(f.conn)
	return f
}

// expected is the release that must be in force, so that what somebody else publishes meanwhile is not replaced unseen.
func (f *activationFlags) expected(ctx context.Context, c *client) (*releasesv1.Release, error) {
	if f.expect != "" {
		return c.releaseNamed(ctx, f.expect)
	}
	return c.activeRelease(ctx)
}

func releasePublishCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "publish RELEASE",
		Short: "Put a release in force, now or later",
		Long: fmt.Sprintf(`Put a release in force and wait until every engine that was heard of serves it. It asks first and tells what changes.
When another release came in force meanwhile, nothing is changed and the exit code is %d.

With --at it takes effect then; engines have it ready before. A later publish or a rollback calls it off.`, ExitConflict),
		Example: `  trunkline releases publish latest
  trunkline releases publish 12 --yes --reason "prices of January"
  trunkline releases publish 12 --at 2027-01-01T00:00:00Z`,
		Args: cobra.ExactArgs(1),
	}
	at := cmd.Flags().String("at", "", "the `MOMENT` at which it takes effect, such as 2027-01-01T00:00:00Z; without it at once")
	noValueCompletion(cmd, "at")
	f := addActivationFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		moment, err := momentFlag("--at", *at)
		if err != nil {
			return err
		}
		return f.conn.withClient(cmd, func(ctx context.Context, c *client) error {
			r, err := c.releaseNamed(ctx, args[0])
			if err != nil {
				return err
			}
			former, err := f.expected(ctx, c)
			if err != nil {
				return err
			}
			req := &releasesv1.PublishReleaseRequest{
				ReleaseId: r.GetReleaseId(), Etag: r.GetEtag(), ExpectedReleaseId: former.GetReleaseId(), ActivateTime: moment,
				Reason: f.reason, RequestId: newRequestID(), ValidateOnly: *f.dryRun,
			}
			send := func(ctx context.Context) (activationAnswer, error) { return c.releases.PublishRelease(ctx, req) }
			if !*f.yes && !*f.dryRun {
				req.ValidateOnly = true
				if _, err := c.activate(ctx, "publish the release", send); err != nil {
					return err
				}
				req.ValidateOnly = false
				if err := c.askToPublish(ctx, cmd, r, former); err != nil {
					return err
				}
			}
			res, err := c.activate(ctx, "publish the release", send)
			if err != nil {
				return err
			}
			return f.finish(ctx, c, cmd, res, former)
		})
	}
	return cmd
}

// askToPublish asks with a word on what would change.
func (c *client) askToPublish(ctx context.Context, cmd *cobra.Command, r, former *releasesv1.Release) error {
	if !isTerminal(cmd.InOrStdin()) {
		return confirm(cmd, false, "") // nobody is there to read it
	}
	summary, _, err := c.diffRelease(ctx, cmd.ErrOrStderr(), r.GetReleaseId(), former.GetReleaseId(), 0)
	if err != nil {
		return err
	}
	place := "is the first to be served"
	if former != nil {
		place = "takes the place of " + releaseName(former)
	}
	return confirm(cmd, false, fmt.Sprintf("%s %s (%s). Really publish it?", releaseName(r), place, differenceText(summary)))
}

func releaseRollbackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollback [RELEASE]",
		Short: "Go back to a release that was served before",
		Long: `Go back to a release that was served before: without RELEASE to the one before the one in force. A release that is
scheduled is called off; "rollback active" does nothing else. It asks first, and waits until every engine that was
heard of serves it.`,
		Example: "  trunkline releases rollback\n  trunkline releases rollback 10 --yes --reason \"complaints from France\"",
		Args:    cobra.MaximumNArgs(1),
	}
	f := addActivationFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return f.conn.withClient(cmd, func(ctx context.Context, c *client) error {
			id, err := c.releaseID(ctx, releaseArgument(args, ""))
			if err != nil {
				return err
			}
			former, err := f.expected(ctx, c)
			if err != nil {
				return err
			}
			req := &releasesv1.RollbackReleaseRequest{
				ReleaseId: id, ExpectedReleaseId: former.GetReleaseId(), Reason: f.reason, RequestId: newRequestID(), ValidateOnly: *f.dryRun,
			}
			send := func(ctx context.Context) (activationAnswer, error) { return c.releases.RollbackRelease(ctx, req) }
			if !*f.yes && !*f.dryRun {
				req.ValidateOnly = true
				res, err := c.activate(ctx, "roll back", send)
				if err != nil {
					return err
				}
				req.ValidateOnly = false
				// The question is about this one, so it is the one to go back to, whatever comes between.
				req.ReleaseId = res.GetRelease().GetReleaseId()
				if err := confirm(cmd, false, rollbackQuestion(former, res.GetRelease())); err != nil {
					return err
				}
			}
			res, err := c.activate(ctx, "roll back", send)
			if err != nil {
				return err
			}
			return f.finish(ctx, c, cmd, res, former)
		})
	}
	return cmd
}

func rollbackQuestion(from, to *releasesv1.Release) string {
	if from.GetReleaseId() == to.GetReleaseId() {
		return fmt.Sprintf("%s stays in force. Really call off what is scheduled?", releaseName(to))
	}
	return fmt.Sprintf("Really go back from %s to %s?", releaseName(from), releaseName(to))
}

func (c *client) activate(ctx context.Context, what string, send func(context.Context) (activationAnswer, error)) (activationAnswer, error) {
	callCtx, cancel := c.call(ctx)
	defer cancel()
	res, err := send(callCtx)
	if err != nil {
		return nil, c.describe(ctx, what, err)
	}
	return res, nil
}

// finish tells what was done and waits for engines.
func (f *activationFlags) finish(ctx context.Context, c *client, cmd *cobra.Command, res activationAnswer, former *releasesv1.Release) error {
	r, a := res.GetRelease(), res.GetActivation()
	text := releaseName(r) + " is in force"
	if r.GetState() == releasesv1.ReleaseState_RELEASE_STATE_SCHEDULED {
		text = releaseName(r) + " is scheduled for " + momentText(a.GetActivateTime())
	}
	if former != nil && former.GetReleaseId() != r.GetReleaseId() {
		text += " in place of " + releaseName(former)
	}
	switch {
	case f.output.value == formJSON:
		if err := writeJSON(cmd.OutOrStdout(), res); err != nil {
			return err
		}
	case *f.dryRun:
		return printf(cmd.OutOrStdout(), "%s: dry run, nothing was changed\n", releaseName(r))
	default:
		if err := printf(cmd.OutOrStdout(), "%s, activation %d\n", text, a.GetActivation()); err != nil {
			return err
		}
	}
	if *f.noWait || *f.dryRun {
		return nil
	}
	return c.awaitEngines(ctx, cmd, r, a, f.wait, f.output.value)
}
