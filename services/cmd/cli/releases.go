package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
)

func releasesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "releases",
		Short: "Publish whole sets of rules and prices, and take them back",
		Long: `Publish whole sets of rules and prices, and take them back. A release holds the rules, rates, operators and
exchange rates of one moment and never changes. Engines with engine.table: release serve the one in force and
nothing else; the status and settings of operators go on counting at once.

RELEASE is its number (12 or #12), its id, "active" for the one in force, or "latest" for the one made last.`,
		Example: `  trunkline releases create --description "cheaper Britain"
  trunkline releases diff latest
  trunkline releases replay latest --since 1h
  trunkline releases publish latest
  trunkline releases rollback`,
	}
	cmd.AddCommand(
		releaseCreateCommand(), releaseListCommand(), releaseShowCommand(), releaseDiffCommand(), releaseReplayCommand(),
		releaseApproveCommand(), releasePublishCommand(), releaseRollbackCommand(), releaseKeygenCommand(),
	)
	return cmd
}

func releaseState(s releasesv1.ReleaseState) string {
	return strings.TrimPrefix(s.String(), "RELEASE_STATE_")
}

// releaseName is what people call a release.
func releaseName(r *releasesv1.Release) string { return fmt.Sprintf("release %d", r.GetNumber()) }

// releaseHolds counts what is in a release.
func releaseHolds(r *releasesv1.Release) string {
	return fmt.Sprintf("%s, %s, %s", plural(r.GetOperatorCount(), "operator", "operators"),
		plural(r.GetRuleCount(), "rule", "rules"), plural(r.GetRateCount(), "rate", "rates"))
}

func releaseCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Compile the stored rules and prices into a draft",
		Long: fmt.Sprintf(`Compile the operators, rules, rates and exchange rates of this moment into a draft. Nothing changes for traffic
until it is published. Conflicts in the rules are refused: each finding is told, and the exit code is %d.`, ExitConflict),
		Example: `  trunkline releases create --description "cheaper Britain"
  trunkline releases create --dry-run`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	description := cmd.Flags().String("description", "", "why it is made, for people; at most 500 characters")
	noValueCompletion(cmd, "description")
	dryRun := cmd.Flags().Bool("dry-run", false, "check and count everything and store nothing")
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, importTimeout, "the compilation")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			result, err := c.createRelease(ctx, cmd, &releasesv1.CreateReleaseRequest{
				Description: *description, RequestId: newRequestID(), ValidateOnly: *dryRun,
			})
			if err != nil {
				return err
			}
			if output.value == formJSON {
				return writeJSON(cmd.OutOrStdout(), result)
			}
			return c.writeCreated(ctx, cmd, result, *dryRun)
		})
	}
	return cmd
}

func (c *client) createRelease(ctx context.Context, cmd *cobra.Command, req *releasesv1.CreateReleaseRequest) (*releasesv1.CreateReleaseResult, error) {
	callCtx, cancel := c.call(ctx)
	defer cancel()
	bar := newProgress(cmd.ErrOrStderr(), "compiling", -1)
	defer bar.close()
	var result *releasesv1.CreateReleaseResult
	stream, err := c.releases.CreateRelease(callCtx, req)
	if err == nil {
		for stream.Receive() {
			if p := stream.Msg().GetProgress(); p != nil {
				bar.set(p.GetDone(), p.GetTotal())
			}
			if r := stream.Msg().GetResult(); r != nil {
				result = r
			}
		}
		err = stream.Err()
		_ = stream.Close() // nothing is left to be read
	}
	if err != nil {
		return nil, c.describe(ctx, "create a release", err)
	}
	if result == nil {
		return nil, failf(ExitFailed, "create a release: the server ended without a result: `trunkline releases list` shows whether it was stored")
	}
	return result, nil
}

// warningsShown is how many warnings of the conflict checker are told one by one: an old set of rules has many, and most
// are not news.
const warningsShown = 5

func (c *client) writeCreated(ctx context.Context, cmd *cobra.Command, result *releasesv1.CreateReleaseResult, dryRun bool) error {
	made := result.GetRelease()
	if made.GetWarningCount() > warningsShown {
		if err := printf(cmd.ErrOrStderr(), "warning: %d warnings of the conflict checker: `trunkline rules check` tells them\n", made.GetWarningCount()); err != nil {
			return err
		}
	} else {
		for _, w := range result.GetWarnings() {
			if err := printf(cmd.ErrOrStderr(), "%s\n", findingLine(w)); err != nil {
				return err
			}
		}
	}
	active, err := c.activeRelease(ctx)
	if err != nil {
		active = nil // the release was made; who may not read gets no hint
	}
	if err := warnFewRules(cmd, made, active); err != nil {
		return err
	}
	if dryRun {
		return printf(cmd.OutOrStdout(), "%s: dry run, nothing was stored\n", releaseHolds(made))
	}
	if err := printf(cmd.OutOrStdout(), "%s  %s: created, %s\n", made.GetReleaseId(), releaseName(made), releaseHolds(made)); err != nil {
		return err
	}
	if active.GetDigest() != made.GetDigest() {
		return nil
	}
	return printf(cmd.ErrOrStderr(), "note: it has the same content as %s, which is in force: nothing was changed since\n", releaseName(active))
}

var releaseListing = listing[*releasesv1.Release]{
	what: "releases",
	page: func(ctx context.Context, c *client, size int32, token string) ([]*releasesv1.Release, string, *operatorsv1.Freshness, error) {
		res, err := c.releases.ListReleases(ctx, &releasesv1.ListReleasesRequest{PageSize: size, PageToken: token})
		return res.GetReleases(), res.GetNextPageToken(), res.GetFreshness(), err
	},
	head: []string{"NUMBER", "STATE", "MADE", "BY", "RULES", "RATES", "IN FORCE FROM", "DESCRIPTION"},
	row: func(r *releasesv1.Release) []string {
		return []string{
			strconv.FormatInt(r.GetNumber(), 10), releaseState(r.GetState()), momentText(r.GetCreateTime()), dash(r.GetCreatedBy()),
			strconv.FormatInt(r.GetRuleCount(), 10), strconv.FormatInt(r.GetRateCount(), 10),
			dash(inForceFrom(r)), r.GetDescription(),
		}
	},
	csv: func(all []*releasesv1.Release) ([]byte, error) { return plainCSV(releaseCSV, all, releaseRow) },
}

// inForceFrom leaves out a moment that was called off before it came.
func inForceFrom(r *releasesv1.Release) string {
	if r.GetLastActivation().GetCancelled() {
		return ""
	}
	return momentText(r.GetLastActivation().GetActivateTime())
}

var releaseCSV = []string{
	"release_id", "number", "state", "description", "digest", "size_bytes", "stored_bytes", "operators", "rules", "rates",
	"config_version", "warnings", "create_time", "created_by", "approve_time", "approved_by", "activation", "activate_time",
}

func releaseRow(r *releasesv1.Release) []string {
	count := func(n int64) string { return strconv.FormatInt(n, 10) }
	return []string{
		r.GetReleaseId(), count(r.GetNumber()), releaseState(r.GetState()), neutral(r.GetDescription()), r.GetDigest(), count(r.GetSizeBytes()),
		count(r.GetStoredBytes()), count(r.GetOperatorCount()), count(r.GetRuleCount()), count(r.GetRateCount()), count(r.GetConfigVersion()),
		count(r.GetWarningCount()), momentText(r.GetCreateTime()), neutral(r.GetCreatedBy()), momentText(r.GetApproveTime()), neutral(r.GetApprovedBy()),
		count(r.GetLastActivation().GetActivation()), inForceFrom(r),
	}
}

func releaseListCommand() *cobra.Command {
	return releaseListing.listCommandWith(func(*cobra.Command) {}, func(context.Context, *client) (listing[*releasesv1.Release], error) {
		return releaseListing, nil
	})
}
