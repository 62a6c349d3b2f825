package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
)

func releaseShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show [RELEASE]",
		Aliases: []string{"get"},
		Short:   "Show a release, its history and what engines serve",
		Long:    "Show a release, when and by whom it was put in force, and what engines in release mode say that they serve.\nWithout RELEASE it is the one in force.",
		Example: "  trunkline releases show\n  trunkline releases show 12 -o json",
		Args:    cobra.MaximumNArgs(1),
	}
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, callTimeout, "each call")
	cmd.ValidArgsFunction = completeReleases(conn)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			res, err := c.releaseWithEngines(ctx, releaseArgument(args, refActive))
			if err != nil {
				return err
			}
			if output.value == formJSON {
				return writeJSON(cmd.OutOrStdout(), res)
			}
			if err := staleLine(cmd.ErrOrStderr(), res.GetFreshness()); err != nil {
				return err
			}
			return writeRelease(cmd.OutOrStdout(), res)
		})
	}
	return cmd
}

func (c *client) releaseWithEngines(ctx context.Context, ref string) (*releasesv1.GetReleaseResponse, error) {
	if strings.EqualFold(ref, refActive) {
		return c.getRelease(ctx, "")
	}
	r, err := c.releaseNamed(ctx, ref)
	if err != nil {
		return nil, err
	}
	return c.getRelease(ctx, r.GetReleaseId())
}

func writeRelease(w io.Writer, res *releasesv1.GetReleaseResponse) error {
	r := res.GetRelease()
	approved := ""
	if r.GetApproveTime() != nil {
		approved = momentText(r.GetApproveTime()) + by(r.GetApprovedBy())
	}
	if err := writePairs(w, []pair{
		{"release", strconv.FormatInt(r.GetNumber(), 10)},
		{"release id", r.GetReleaseId()},
		{"state", releaseState(r.GetState())},
		{"description", r.GetDescription()},
		{"holds", releaseHolds(r)},
		{"warnings", strconv.FormatInt(r.GetWarningCount(), 10)},
		{"made", fmt.Sprintf("%s%s, of configuration version %d", momentText(r.GetCreateTime()), by(r.GetCreatedBy()), r.GetConfigVersion())},
		{"approved", approved},
		{"digest", r.GetDigest()},
		{"size", fmt.Sprintf("%s, stored as %s", bytesText(r.GetSizeBytes()), bytesText(r.GetStoredBytes()))},
	}); err != nil {
		return err
	}
	if err := writeActivations(w, res.GetActivations()); err != nil {
		return err
	}
	return writeEngines(w, r, res.GetEngines())
}

func writeActivations(w io.Writer, all []*releasesv1.ReleaseActivation) error {
	if len(all) == 0 {
		return printf(w, "\nIt was never published.\n")
	}
	rows := make([][]string, len(all))
	for i, a := range all {
		kind := strings.TrimPrefix(a.GetKind().String(), "RELEASE_ACTIVATION_KIND_")
		switch {
		case a.GetCancelled():
			kind += ", called off"
		case !a.GetAnnounced():
			kind += ", not announced"
		}
		rows[i] = []string{strconv.FormatInt(a.GetActivation(), 10), kind, momentText(a.GetActivateTime()), dash(a.GetCreatedBy()), a.GetReason()}
	}
	if err := printf(w, "\n"); err != nil {
		return err
	}
	return (&columns{w: w, head: []string{"ACTIVATION", "KIND", "IN FORCE FROM", "BY", "REASON"}}).print(rows)
}

func writeEngines(w io.Writer, r *releasesv1.Release, all []*releasesv1.ReleaseEngine) error {
	if len(all) == 0 {
		return printf(w, "\nNo engine in release mode was heard of in the last minute and a half.\n")
	}
	rows := make([][]string, len(all))
	for i, e := range all {
		serves := dash("")
		switch event := e.GetEvent(); {
		case event.GetServingReleaseId() == r.GetReleaseId():
			serves = fmt.Sprintf("this, activation %d", event.GetServingActivation())
		case event.GetServingReleaseId() != "":
			serves = fmt.Sprintf("another, activation %d", event.GetServingActivation())
		}
		rows[i] = []string{
			engineHost(all, e), engineWord(e), serves, dash(momentText(e.GetEvent().GetServingSince())),
			dash(momentText(e.GetEvent().GetOccurredAt())),
		}
	}
	if err := printf(w, "\n"); err != nil {
		return err
	}
	return (&columns{w: w, head: []string{"ENGINE ON", "STATE", "SERVES", "SINCE", "HEARD"}}).print(rows)
}

// engineHost is where an engine runs, with the start of its id where several run on one host.
func engineHost(all []*releasesv1.ReleaseEngine, one *releasesv1.ReleaseEngine) string {
	const digits = 8
	host, id := one.GetEvent().GetHost(), one.GetEvent().GetEngineId()
	for _, e := range all {
		if e != one && e.GetEvent().GetHost() == host {
			return fmt.Sprintf("%s (%s)", dash(host), id[:min(digits, len(id))])
		}
	}
	return dash(host)
}

// engineWord says what an engine does with what the manifest asks for.
func engineWord(e *releasesv1.ReleaseEngine) string {
	switch event := e.GetEvent(); {
	case event.GetState() == eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_REFUSED:
		return "REFUSED " + event.GetReason()
	case event.GetState() == eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_PREPARED:
		return "PREPARED"
	case !e.GetCurrent():
		return "BEHIND"
	}
	return "SERVING"
}

// bytesText is a size for people, in units of 1024.
func bytesText(n int64) string {
	const step = 1024
	if n < step {
		return plural(n, "byte", "bytes")
	}
	value := float64(n)
	for _, unit := range []string{"KiB", "MiB"} {
		if value /= step; value < step {
			return fmt.Sprintf("%.1f %s", value, unit)
		}
	}
	return fmt.Sprintf("%.1f GiB", value/step)
}
