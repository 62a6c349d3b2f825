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

// inPlace is what a publish or a rollback meets: what is in force, and what is scheduled; nil for none.
type inPlace struct{ former, scheduled *releasesv1.Release }

// look finds out what there is. What must be in force is asked for, so that what somebody else publishes meanwhile is
// not replaced unseen.
func (f *activationFlags) look(ctx context.Context, c *client) (s inPlace, err error) {
	if f.expect != "" {
		s.former, err = c.releaseNamed(ctx, f.expect)
	} else {
		s.former, err = c.activeRelease(ctx)
	}
	if err == nil {
		s.scheduled, err = c.scheduledRelease(ctx)
	}
	return s, err
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
			met, err := f.look(ctx, c)
			if err != nil {
				return err
			}
			req := &releasesv1.PublishReleaseRequest{
				ReleaseId: r.GetReleaseId(), Etag: r.GetEtag(), ExpectedReleaseId: met.former.GetReleaseId(), ActivateTime: moment,
				Reason: f.reason, RequestId: newRequestID(), ValidateOnly: *f.dryRun,
			}
			send := func(ctx context.Context) (activationAnswer, error) { return c.releases.PublishRelease(ctx, req) }
			if !*f.yes && !*f.dryRun {
				req.ValidateOnly = true
				if _, err := c.activate(ctx, "publish the release", send); err != nil {
					return err
				}
				req.ValidateOnly = false
				if err := c.askToPublish(ctx, cmd, r, met); err != nil {
					return err
				}
			} else if err := warnFewRules(cmd, r, met.former); err != nil {
				return err
			}
			res, err := c.activate(ctx, "publish the release", send)
			if err != nil {
				return err
			}
			return f.finish(ctx, c, cmd, res, met)
		})
	}
	return cmd
}

// askToPublish asks with a word on what would change.
func (c *client) askToPublish(ctx context.Context, cmd *cobra.Command, r *releasesv1.Release, met inPlace) error {
	if !isTerminal(cmd.InOrStdin()) {
		return confirm(cmd, false, "") // nobody is there to read it
	}
	summary, _, err := c.diffRelease(ctx, cmd.ErrOrStderr(), r.GetReleaseId(), met.former.GetReleaseId(), 0)
	if err != nil {
		return err
	}
	return confirm(cmd, false, publishQuestion(r, met.former, met.scheduled, differenceText(summary)))
}

func releaseRollbackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollback [RELEASE]",
		Short: "Go back to a release that was served before",
		Long: `Go back to a release that was served before: without RELEASE to the one before the one in force. When that came by a
rollback itself, RELEASE has to be named, so that a command that is repeated changes nothing. A release that is
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
			met, err := f.look(ctx, c)
			if err != nil {
				return err
			}
			req := &releasesv1.RollbackReleaseRequest{
				ReleaseId: id, ExpectedReleaseId: met.former.GetReleaseId(), Reason: f.reason, RequestId: newRequestID(), ValidateOnly: *f.dryRun,
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
				if err := confirm(cmd, false, rollbackQuestion(met.former, res.GetRelease(), met.scheduled)); err != nil {
					return err
				}
			}
			res, err := c.activate(ctx, "roll back", send)
			if err != nil {
				return err
			}
			return f.finish(ctx, c, cmd, res, met)
		})
	}
	return cmd
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

// outcomeText says what is in force, when, in place of what, and what is called off.
func (f *activationFlags) outcomeText(r *releasesv1.Release, a *releasesv1.ReleaseActivation, met inPlace) string {
	text := releaseName(r)
	scheduled := r.GetState() == releasesv1.ReleaseState_RELEASE_STATE_SCHEDULED
	switch {
	case *f.dryRun && scheduled:
		text += " would be in force from " + momentText(a.GetActivateTime()) + " on"
	case *f.dryRun:
		text += " would be in force at once"
	case scheduled:
		text += " is scheduled for " + momentText(a.GetActivateTime())
	case !a.GetAnnounced():
		text += " will be in force once NATS is back"
	default:
		text += " is in force"
	}
	if met.former != nil && met.former.GetReleaseId() != r.GetReleaseId() {
		text += " in place of " + releaseName(met.former)
	}
	return text + lastly(calledOffText(met.scheduled))
}

// finish tells what was done and waits for engines.
func (f *activationFlags) finish(ctx context.Context, c *client, cmd *cobra.Command, res activationAnswer, met inPlace) error {
	r, a := res.GetRelease(), res.GetActivation()
	text := f.outcomeText(r, a, met)
	switch {
	case f.output.value == formJSON:
		if err := writeJSON(cmd.OutOrStdout(), res); err != nil {
			return err
		}
	case *f.dryRun:
		return printf(cmd.OutOrStdout(), "%s: dry run, nothing was changed\n", text)
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
