package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
)

// maxSample is the most decisions of the log that the schema allows to ask for.
const maxSample = 1_000_000

// replayFlags are what to replay.
type replayFlags struct {
	base, numbers, at string
	since             time.Duration
	limit             int
	down              []string
}

func releaseReplayCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "replay [RELEASE]",
		Short: "Try a release on real numbers: who moves where, and what it costs",
		Long: fmt.Sprintf(`Decide a sample of numbers by a release and by the one in force, and tell who moves where, what that costs by operator
and country, and who loses the route. Nothing is sent and nothing changes. Without RELEASE it is the one made last.

The sample is the log of decisions of the last 24 hours, or of --since; the log has no whole numbers, so the last digits
are made up, always the same. With --numbers it is a file: a number in each line, or CSV with the header
number,account,message_type,count, of which only number is needed; without an account only global rules count.

All operators are taken to be healthy but those of --down, with the status and settings that they have in each release.
When nothing of a file can be read, the exit code is %d. With --fail-on-lost it is too when any decision loses its
route, and when nothing was replayed.`, ExitInvalid),
		Example: `  trunkline releases replay latest --since 1h
  trunkline releases replay 12 --numbers numbers.txt --fail-on-lost
  trunkline releases replay latest --down "Nordlink Transit" --down "Meridian Carrier"`,
		Args: cobra.MaximumNArgs(1),
	}
	var f replayFlags
	flags := cmd.Flags()
	flags.StringVar(&f.base, "base", "", "the `RELEASE` to compare with; without it the one in force")
	flags.StringVar(&f.numbers, "numbers", "", "`FILE` of numbers, or - for standard input")
	flags.DurationVar(&f.since, "since", 24*time.Hour, "how far back in the log of decisions")
	flags.IntVar(&f.limit, "limit", 0, "most decisions of the log, newest first, up to 1000000; 0 is 100000")
	flags.StringArrayVar(&f.down, "down", nil, "`OPERATOR` taken to be down, by name or id; repeat it")
	flags.StringVar(&f.at, "at", "", "the `MOMENT` at which it is decided, such as 2027-01-01T00:00:00Z; without it now")
	noValueCompletion(cmd, "base", "since", "limit", "at")
	failOnLost := flags.Bool("fail-on-lost", false, "end with an error when any decision loses its route")
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, importTimeout, "the replay")
	operators := completeOperators(conn)
	_ = cmd.RegisterFlagCompletionFunc("down", func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return operators(cmd, nil, typed)
	})
	cmd.ValidArgsFunction = completeReleases(conn)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case f.numbers != "" && (cmd.Flags().Changed("since") || cmd.Flags().Changed("limit")):
			return usagef("--numbers is a sample of its own: leave out --since and --limit")
		case f.since <= 0:
			return usagef("--since %s: must be above 0", f.since)
		case f.limit < 0 || f.limit > maxSample:
			return usagef("--limit: must be 0 to %d", maxSample)
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			r, err := c.releaseNamed(ctx, releaseArgument(args, refLatest))
			if err != nil {
				return err
			}
			req, err := f.request(ctx, c, cmd, r)
			if err != nil {
				return err
			}
			report, err := c.replayRelease(ctx, cmd, req)
			if err != nil {
				return err
			}
			if output.value == formJSON {
				err = writeJSON(cmd.OutOrStdout(), report)
			} else {
				err = c.writeReplay(ctx, cmd, releaseName(r), f.numbers, req, report)
			}
			if err != nil {
				return err
			}
			return f.verdict(report, *failOnLost)
		})
	}
	return cmd
}

// verdict is the error of a replay that cannot be trusted: a check that looked at nothing did not pass.
func (f *replayFlags) verdict(report *releasesv1.ReplayReport, failOnLost bool) error {
	switch {
	case report.GetDecisionCount() == 0 && f.numbers != "":
		return failf(ExitInvalid, "replay: nothing of %s can be read: %s", f.numbers, numbersExpected)
	case !failOnLost:
		return nil
	case report.GetDecisionCount() == 0:
		return failf(ExitInvalid, "replay: nothing was replayed, so --fail-on-lost cannot tell")
	case report.GetLostCount() > 0:
		return failf(ExitInvalid, "replay: %s", plural(report.GetLostCount(), "decision loses its route", "decisions lose their route"))
	}
	return nil
}

// numbersExpected says what a file of numbers holds.
const numbersExpected = "give a number such as +447911123456 in each line, or CSV with the header number,account,message_type,count"

func (f *replayFlags) request(ctx context.Context, c *client, cmd *cobra.Command, r *releasesv1.Release) (*releasesv1.ReplayReleaseRequest, error) {
	req := &releasesv1.ReplayReleaseRequest{ReleaseId: r.GetReleaseId()}
	var err error
	if req.DecideTime, err = momentFlag("--at", f.at); err != nil {
		return nil, err
	}
	if req.BaseReleaseId, err = c.releaseID(ctx, f.base); err != nil {
		return nil, err
	}
	for _, ref := range f.down {
		id, err := c.operatorID(ctx, ref)
		if err != nil {
			return nil, err
		}
		req.DownOperatorIds = append(req.DownOperatorIds, id)
	}
	if f.numbers == "" {
		req.Sample = &releasesv1.ReplayReleaseRequest_Decisions{Decisions: &releasesv1.DecisionSample{
			FromTime: timestamppb.New(time.Now().Add(-f.since)), Limit: int32(f.limit),
		}}
		return req, nil
	}
	name, file, err := readWhole(ctx, cmd.InOrStdin(), f.numbers, "replay", numbersExpected)
	if err != nil {
		return nil, err
	}
	f.numbers = name
	req.Sample = &releasesv1.ReplayReleaseRequest_Csv{Csv: file}
	return req, nil
}

func (c *client) replayRelease(ctx context.Context, cmd *cobra.Command, req *releasesv1.ReplayReleaseRequest) (*releasesv1.ReplayReport, error) {
	const what = "replay the release"
	callCtx, cancel := c.call(ctx)
	defer cancel()
	bar := newProgress(cmd.ErrOrStderr(), "deciding", -1)
	defer bar.close()
	stream, err := c.releases.ReplayRelease(callCtx, req)
	if err != nil {
		return nil, c.describe(ctx, what, err)
	}
	defer func() { _ = stream.Close() }()
	var report *releasesv1.ReplayReport
	for stream.Receive() {
		if p := stream.Msg().GetProgress(); p != nil {
			bar.set(p.GetDone(), p.GetTotal())
		}
		if r := stream.Msg().GetReport(); r != nil {
			report = r
		}
	}
	if err := stream.Err(); err != nil {
		return nil, c.describe(ctx, what, err)
	}
	if report == nil {
		return nil, failf(ExitFailed, "%s: the server ended without a result: run it again", what)
	}
	return report, nil
}
