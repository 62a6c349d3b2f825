package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
)

// reportRows is how many rows of each part of a report are shown; -o json has the rest.
const reportRows = 20

func (c *client) writeReplay(ctx context.Context, cmd *cobra.Command, name, file string, req *releasesv1.ReplayReleaseRequest, r *releasesv1.ReplayReport) error {
	for _, line := range r.GetBadLines()[:min(reportRows, len(r.GetBadLines()))] {
		if err := printf(cmd.ErrOrStderr(), "%s\n", badLine(file, line)); err != nil {
			return err
		}
	}
	if bad := r.GetBadLineCount(); bad > 0 {
		if err := printf(cmd.ErrOrStderr(), "warning: %s read: left out\n", plural(bad, "line cannot be", "lines cannot be")); err != nil {
			return err
		}
	}
	switch {
	case r.GetDecisionCount() == 0 && req.GetDecisions() == nil:
		return nil // the error says so
	case r.GetDecisionCount() == 0:
		return printf(cmd.OutOrStdout(), "nothing was replayed: no decision was logged in that time: go further back with --since, or give --numbers FILE\n")
	case r.GetBaseReleaseId() == req.GetReleaseId():
		if err := printf(cmd.ErrOrStderr(), "note: %s is compared with itself, so nothing can move: --base names another\n", name); err != nil {
			return err
		}
	}
	against, err := c.baseName(ctx, r.GetBaseReleaseId(), req.GetBaseReleaseId() == "")
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	if err := printf(w, "%s as of %s: %s against %s\n", plural(r.GetDecisionCount(), "decision", "decisions"), momentText(r.GetDecideTime()), name, against); err != nil {
		return err
	}
	for _, part := range []func(io.Writer, *releasesv1.ReplayReport) error{writeLosses, writeShares, writeMoves, writeCosts} {
		if err := part(w, r); err != nil {
			return err
		}
	}
	return nil
}

// writeLosses comes first, because it is what a release must not do unseen.
func writeLosses(w io.Writer, r *releasesv1.ReplayReport) error {
	if r.GetLostCount() == 0 {
		return nil
	}
	text := fmt.Sprintf("LOST: %s (%s)", plural(r.GetLostCount(), "decision loses its route", "decisions lose their route"), share(r.GetLostCount(), r.GetDecisionCount()))
	if err := printf(w, "\n%s\n", alarm(w, text)); err != nil {
		return err
	}
	var rows [][]string
	for _, loss := range r.GetLosses() {
		rows = append(rows, []string{loss.GetPrefix(), strconv.FormatInt(loss.GetCount(), 10), loss.GetReason()})
	}
	return reportTable(w, []string{"NUMBERS", "DECISIONS", "REASON"}, rows)
}

func writeShares(w io.Writer, r *releasesv1.ReplayReport) error {
	if err := printf(w, "\n"); err != nil {
		return err
	}
	pairs := make([]pair, 0, 4)
	for _, one := range []struct {
		name string
		n    int64
		told bool
	}{
		{"same operator", r.GetSameCount(), true},
		{"other operator", r.GetMovedCount(), true},
		{"route gained", r.GetGainedCount(), false},
		{"no route", r.GetNoRouteCount(), false},
	} {
		if one.told || one.n > 0 {
			pairs = append(pairs, pair{one.name, fmt.Sprintf("%d (%s)", one.n, share(one.n, r.GetDecisionCount()))})
		}
	}
	return writePairs(w, pairs)
}

func writeMoves(w io.Writer, r *releasesv1.ReplayReport) error {
	var rows [][]string
	for _, m := range r.GetMoves() {
		if m.GetFromOperatorId() == m.GetToOperatorId() {
			continue // it stays where it is
		}
		rows = append(rows, []string{
			routeName(m.GetFromOperatorId(), m.GetFromOperatorName()), routeName(m.GetToOperatorId(), m.GetToOperatorName()),
			strconv.FormatInt(m.GetCount(), 10), share(m.GetCount(), r.GetDecisionCount()),
		})
	}
	if len(rows) == 0 {
		return nil
	}
	if err := printf(w, "\n"); err != nil {
		return err
	}
	return reportTable(w, []string{"FROM", "TO", "DECISIONS", "SHARE"}, rows)
}

func routeName(id, name string) string {
	switch {
	case id == "":
		return "no route"
	case name == "":
		return id
	}
	return name
}

func writeCosts(w io.Writer, r *releasesv1.ReplayReport) error {
	var rows [][]string
	for _, cost := range r.GetCosts() {
		if sameCost(cost) {
			continue
		}
		rows = append(rows, costRow(routeName(cost.GetOperatorId(), cost.GetOperatorName()), cost.GetCallingCode(), cost))
	}
	hidden := len(rows) - reportRows
	rows = rows[:min(reportRows, len(rows))]
	for _, total := range r.GetTotals() {
		name := "all"
		if total.GetBefore() == nil && total.GetAfter() == nil {
			name = "without a price"
		}
		rows = append(rows, costRow(name, "", total))
	}
	if len(rows) == 0 {
		return nil
	}
	if err := printf(w, "\n"); err != nil {
		return err
	}
	head := []string{"COST BY", "COUNTRY", "DECISIONS", "BEFORE", "AFTER", "CHANGE"}
	if err := (&columns{w: w, head: head}).print(rows); err != nil {
		return err
	}
	return hiddenLine(w, hidden)
}

func sameCost(cost *releasesv1.ReplayCost) bool {
	return cost.GetBeforeCount() == cost.GetAfterCount() && cost.GetBefore().GetNanos() == cost.GetAfter().GetNanos() &&
		(cost.GetBefore() == nil) == (cost.GetAfter() == nil)
}

func costRow(name, country string, cost *releasesv1.ReplayCost) []string {
	decisions := strconv.FormatInt(cost.GetBeforeCount(), 10)
	if cost.GetAfterCount() != cost.GetBeforeCount() {
		decisions = fmt.Sprintf("%d -> %d", cost.GetBeforeCount(), cost.GetAfterCount())
	}
	return []string{name, dash(country), decisions, price(cost.GetBefore()), price(cost.GetAfter()), costChange(cost.GetBefore(), cost.GetAfter())}
}

// costChange is the difference in percent, or "-" where it cannot be told. For a ratio of two sums a float is exact enough.
func costChange(before, after *routingv1.Money) string {
	if before.GetNanos() == 0 {
		return "-"
	}
	const hundredths = 10_000
	change := math.Round(float64(after.GetNanos()-before.GetNanos()) / float64(before.GetNanos()) * hundredths)
	if change == 0 {
		return "0.00 %"
	}
	return percent(int64(change))
}

// share is a part in percent. What is not nothing is never shown as 0, nor what is not all as 100.
func share(part, whole int64) string {
	value := float64(part) / float64(whole) * 100
	switch {
	case part > 0 && value < 0.01:
		return "<0.01 %"
	case part < whole && value > 99.99:
		return ">99.99 %"
	}
	return fmt.Sprintf("%.2f %%", value)
}

func reportTable(w io.Writer, head []string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	if err := (&columns{w: w, head: head}).print(rows[:min(reportRows, len(rows))]); err != nil {
		return err
	}
	return hiddenLine(w, len(rows)-reportRows)
}

func hiddenLine(w io.Writer, n int) error {
	if n <= 0 {
		return nil
	}
	return printf(w, "%s not shown: -o json has them\n", plural(int64(n), "row is", "rows are"))
}

// alarm makes text red on a terminal that wants colours.
func alarm(w io.Writer, text string) string {
	f, isFile := w.(*os.File)
	if !isFile || os.Getenv("NO_COLOR") != "" || !term.IsTerminal(int(f.Fd())) {
		return text
	}
	return "\x1b[31m" + text + "\x1b[0m"
}
