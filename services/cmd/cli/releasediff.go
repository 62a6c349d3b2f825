package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
)

// maxChanges is the most changes that the schema allows to ask for.
const maxChanges = 10_000

func releaseDiffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff [RELEASE]",
		Short: "Show what a release would change",
		Long: `Show what differs between a release and the one in force: operators, exchange rates, rules by prefix, and prices,
those that rise most first. Everything is counted; --changes says how much of it is shown. Without RELEASE it
is the one made last.

  + is new   - is gone   ~ differs`,
		Example: "  trunkline releases diff\n  trunkline releases diff 12 --base 11\n  trunkline releases diff latest --changes 1000",
		Args:    cobra.MaximumNArgs(1),
	}
	base := cmd.Flags().String("base", "", "the `RELEASE` to compare with; without it the one in force")
	changes := cmd.Flags().Int("changes", 50, "how many changes to show, up to 10000; 0 shows none")
	noValueCompletion(cmd, "base", "changes")
	output := outputFlag(cmd, formTable, formJSON)
	conn := addClientFlags(cmd, importTimeout, "the comparison")
	cmd.ValidArgsFunction = completeReleases(conn)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		most := *changes
		if most < 0 || most > maxChanges {
			return usagef("--changes: must be 0 to %d", maxChanges)
		}
		if output.value == formJSON && !cmd.Flags().Changed("changes") {
			most = maxChanges
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			r, err := c.releaseNamed(ctx, releaseArgument(args, refLatest))
			if err != nil {
				return err
			}
			baseID, err := c.releaseID(ctx, *base)
			if err != nil {
				return err
			}
			summary, all, err := c.diffRelease(ctx, cmd.ErrOrStderr(), r.GetReleaseId(), baseID, most)
			if err != nil {
				return err
			}
			if output.value == formJSON {
				return writeDifferenceJSON(cmd.OutOrStdout(), summary, all)
			}
			if summary.GetBaseReleaseId() == r.GetReleaseId() {
				text := "is compared with itself"
				if baseID == "" {
					text = "is in force"
				}
				return printf(cmd.OutOrStdout(), "%s %s: --base names another to compare it with\n", releaseName(r), text)
			}
			against, err := c.baseName(ctx, summary.GetBaseReleaseId(), baseID == "")
			if err != nil {
				return err
			}
			return writeDifference(cmd.OutOrStdout(), releaseName(r), against, summary, all)
		})
	}
	return cmd
}

// diffRelease asks for what differs, and at most so many changes.
func (c *client) diffRelease(ctx context.Context, stderr io.Writer, id, base string, most int) (*releasesv1.ReleaseDiffSummary, []*releasesv1.ReleaseChange, error) {
	const what = "compare releases"
	callCtx, cancel := c.call(ctx)
	defer cancel()
	bar := newProgress(stderr, "comparing", -1)
	defer bar.close()
	// 0 would ask for the server's default.
	stream, err := c.releases.DiffRelease(callCtx, &releasesv1.DiffReleaseRequest{ReleaseId: id, BaseReleaseId: base, MaxChanges: int32(max(most, 1))})
	if err != nil {
		return nil, nil, c.describe(ctx, what, err)
	}
	defer func() { _ = stream.Close() }()
	var summary *releasesv1.ReleaseDiffSummary
	var all []*releasesv1.ReleaseChange
	for stream.Receive() {
		if s := stream.Msg().GetSummary(); s != nil {
			summary = s
		}
		all = append(all, stream.Msg().GetChanges().GetChanges()...)
	}
	if err := stream.Err(); err != nil {
		return nil, nil, c.describe(ctx, what, err)
	}
	if summary == nil {
		return nil, nil, failf(ExitFailed, "%s: the server ended without a result: run it again", what)
	}
	return summary, all[:min(most, len(all))], nil
}

// baseName says what a release was compared with.
func (c *client) baseName(ctx context.Context, id string, inForce bool) (string, error) {
	if id == "" {
		return "nothing, since no release is in force", nil
	}
	res, err := c.getRelease(ctx, id)
	name := releaseName(res.GetRelease())
	if inForce {
		name += ", which is in force"
	}
	return name, err
}

// writeDifferenceJSON writes the parts of the answer as one object.
func writeDifferenceJSON(w io.Writer, summary *releasesv1.ReleaseDiffSummary, all []*releasesv1.ReleaseChange) error {
	line, err := appendJSON([]byte(`{"summary":`), summary)
	if err != nil {
		return err
	}
	if _, err := w.Write(append(line, `,"changes":`...)); err != nil {
		return err
	}
	out := &jsonSequence{w: w, array: true}
	for _, change := range all {
		if err := out.add(change); err != nil {
			return err
		}
	}
	if err := out.end(); err != nil {
		return err
	}
	return printf(w, "}\n")
}

func writeDifference(w io.Writer, name, against string, s *releasesv1.ReleaseDiffSummary, all []*releasesv1.ReleaseChange) error {
	if s.GetIdentical() {
		return printf(w, "%s has the same content as %s\n", name, against)
	}
	if err := printf(w, "%s against %s\n", name, against); err != nil {
		return err
	}
	if err := writePairs(w, summaryPairs(s)); err != nil {
		return err
	}
	for _, block := range changeBlocks {
		var rows [][]string
		for _, change := range all {
			if change.GetSubject() == block.subject {
				rows = append(rows, block.rows(change)...)
			}
		}
		if len(rows) == 0 {
			continue
		}
		if err := printf(w, "\n"); err != nil {
			return err
		}
		if err := (&columns{w: w, head: slices.Clone(block.head)}).print(rows); err != nil {
			return err
		}
	}
	if left := changeCount(s) - int64(len(all)); left > 0 {
		return printf(w, "\n%s not shown: --changes %d\n", plural(left, "change is", "changes are"), min(changeCount(s), maxChanges))
	}
	return nil
}

// changeCount is how many changes there are in all.
func changeCount(s *releasesv1.ReleaseDiffSummary) int64 {
	return s.GetOperatorsChanged() + s.GetFxRatesChanged() + s.GetRulesAdded() + s.GetRulesRemoved() + s.GetRulesChanged() +
		s.GetRatesAdded() + s.GetRatesRemoved() + s.GetRatesRaised() + s.GetRatesLowered() + s.GetRatesOther()
}

type counted struct {
	n    int64
	word string
}

// counts joins those that are not 0, such as "2 new, 1 gone".
func counts(all ...counted) string {
	var parts []string
	for _, one := range all {
		if one.n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", one.n, one.word))
		}
	}
	return strings.Join(parts, ", ")
}

func summaryPairs(s *releasesv1.ReleaseDiffSummary) []pair {
	return []pair{
		{"operators", counts(counted{s.GetOperatorsChanged(), "changed"})},
		{"exchange rates", counts(counted{s.GetFxRatesChanged(), "changed"})},
		{"rules", counts(counted{s.GetRulesAdded(), "new"}, counted{s.GetRulesRemoved(), "gone"}, counted{s.GetRulesChanged(), "changed"})},
		{"prices", counts(
			counted{s.GetRatesAdded(), "new"}, counted{s.GetRatesRemoved(), "gone"}, counted{s.GetRatesRaised(), "raised"},
			counted{s.GetRatesLowered(), "lowered"}, counted{s.GetRatesOther(), "changed otherwise"})},
		{"prefixes", counts(counted{s.GetPrefixCount(), "affected"})},
	}
}

// differenceText tells in a few words what would change, for a question.
func differenceText(s *releasesv1.ReleaseDiffSummary) string {
	if s.GetIdentical() {
		return "nothing changes"
	}
	var parts []string
	for _, p := range summaryPairs(s) {
		if p.value != "" && p.key != "prefixes" {
			parts = append(parts, p.key+": "+p.value)
		}
	}
	return strings.Join(parts, "; ")
}

// changeBlocks are the parts of a diff, in the order in which they are shown.
var changeBlocks = []struct {
	subject releasesv1.ReleaseSubject
	head    []string
	rows    func(*releasesv1.ReleaseChange) [][]string
}{
	{releasesv1.ReleaseSubject_RELEASE_SUBJECT_OPERATOR, []string{"", "OPERATOR", "CHANGE"}, func(ch *releasesv1.ReleaseChange) [][]string {
		return detailed(ch, changeSign(ch), dash(ch.GetOperatorName()))
	}},
	{releasesv1.ReleaseSubject_RELEASE_SUBJECT_FX_RATE, []string{"", "EXCHANGE RATE", "CHANGE"}, func(ch *releasesv1.ReleaseChange) [][]string {
		return [][]string{{changeSign(ch), strings.Join(ch.GetDetails(), ", "), percent(ch.GetChangeBasisPoints())}}
	}},
	{releasesv1.ReleaseSubject_RELEASE_SUBJECT_RULE, []string{"", "RULE", "OWNER", "CHANGE"}, func(ch *releasesv1.ReleaseChange) [][]string {
		return detailed(ch, changeSign(ch), ch.GetPrefix(), ownerName(ch.GetAccountId()))
	}},
	{releasesv1.ReleaseSubject_RELEASE_SUBJECT_RATE, []string{"", "PRICE", "TYPE", "OPERATOR", "BEFORE", "AFTER", "CHANGE"}, func(ch *releasesv1.ReleaseChange) [][]string {
		last := ch.GetDetails()
		if points := ch.GetChangeBasisPoints(); points != 0 {
			last = slices.Concat([]string{percent(points)}, last)
		}
		return [][]string{{
			changeSign(ch), ch.GetPrefix(), typeName(ch.GetMessageType()), dash(ch.GetOperatorName()),
			price(ch.GetBefore()), price(ch.GetAfter()), strings.Join(last, " "),
		}}
	}},
}

// detailed is the row of a change with a detail in the last column. Further details have rows of their own.
func detailed(ch *releasesv1.ReleaseChange, cells ...string) [][]string {
	details := ch.GetDetails()
	if len(details) == 0 {
		details = []string{""}
	}
	rows := [][]string{append(cells, details[0])}
	for _, more := range details[1:] {
		row := make([]string, len(cells)+1)
		row[len(cells)] = more
		rows = append(rows, row)
	}
	return rows
}

func changeSign(ch *releasesv1.ReleaseChange) string {
	switch ch.GetKind() {
	case releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_ADDED:
		return "+"
	case releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_REMOVED:
		return "-"
	}
	return "~"
}

// percent shows hundredths of a percent, such as "+12.50 %", and nothing for 0, which is what cannot be told.
func percent(basisPoints int64) string {
	sign := "+"
	if basisPoints == 0 {
		return ""
	}
	if basisPoints < 0 {
		sign, basisPoints = "-", -basisPoints
	}
	return fmt.Sprintf("%s%d.%02d %%", sign, basisPoints/100, basisPoints%100)
}
