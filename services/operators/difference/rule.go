package difference

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/money"
	"trunkline/services/platform/release"
)

// maxDetails is how many details a change has, maxNames how many operators are named in one.
const (
	maxDetails = 20
	maxNames   = 10
)

func compareRuleKeys(a, b *release.Rule) int {
	return cmp.Or(cmp.Compare(a.Prefix, b.Prefix), bytes.Compare(a.Account[:], b.Account[:]), cmp.Compare(a.Types, b.Types))
}

// ruleChange tells what happens to a rule; nil when nothing does. Either may be nil, but not both.
func ruleChange(before, after *release.Rule, names map[uuid.UUID]string) *releasesv1.ReleaseChange {
	of, kind := after, releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_CHANGED
	var details []string
	switch {
	case before == nil:
		kind, details = releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_ADDED, describeRule(after, names)
	case after == nil:
		of, kind, details = before, releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_REMOVED, describeRule(before, names)
	default:
		if details = compareRules(before, after, names); details == nil {
			return nil
		}
	}
	if of.Types != release.AllTypes {
		details = append([]string{"message types " + typesText(of.Types)}, details...)
	}
	return &releasesv1.ReleaseChange{
		Subject: releasesv1.ReleaseSubject_RELEASE_SUBJECT_RULE, Kind: kind, EntityId: of.ID.String(), Prefix: of.Prefix.String(),
		AccountId: idText(of.Account), Details: bounded(details),
	}
}

func describeRule(r *release.Rule, names map[uuid.UUID]string) []string {
	details := []string{"strategy " + strategyText(r)}
	if r.FallThrough {
		details = append(details, "on exhausted "+exhaustedText(r))
	}
	if r.Inactive {
		details = append(details, stateText(r))
	}
	if !r.From.IsZero() {
		details = append(details, "valid from "+timeText(r.From))
	}
	if !r.To.IsZero() {
		details = append(details, "valid to "+timeText(r.To))
	}
	var list []string
	for _, c := range r.Candidates[:min(len(r.Candidates), maxNames)] {
		list = append(list, nameOf(c.Operator, names))
	}
	text := "operators " + strings.Join(list, ", ")
	if rest := len(r.Candidates) - len(list); rest > 0 {
		text += " and " + strconv.Itoa(rest) + " more"
	}
	return append(details, text)
}

// compareRules gives nil for rules that do the same. Ids do not count.
func compareRules(before, after *release.Rule, names map[uuid.UUID]string) (details []string) {
	for _, d := range []struct{ what, old, present string }{
		{"strategy", strategyText(before), strategyText(after)},
		{"on exhausted", exhaustedText(before), exhaustedText(after)},
		{"state", stateText(before), stateText(after)},
		{"valid from", timeText(before.From), timeText(after.From)},
		{"valid to", timeText(before.To), timeText(after.To)},
	} {
		if d.old != d.present {
			details = append(details, changed(d.what, d.old, d.present))
		}
	}
	if slices.Equal(before.Candidates, after.Candidates) {
		return details
	}
	// The order of candidates does not count. Lists cannot fail to be read.
	_ = merge(each(byOperator(before.Candidates)), each(byOperator(after.Candidates)), compareCandidates, func(old, present []release.Candidate) {
		for i := range max(len(old), len(present)) {
			if d := candidateDetail(at(old, i), at(present, i), names); d != "" {
				details = append(details, d)
			}
		}
	})
	return details
}

func byOperator(list []release.Candidate) []release.Candidate {
	return slices.SortedStableFunc(slices.Values(list), func(a, b release.Candidate) int { return compareCandidates(&a, &b) })
}

func compareCandidates(a, b *release.Candidate) int {
	return bytes.Compare(a.Operator[:], b.Operator[:])
}

// at gives a row of a list; nil when it has none there.
func at[R any](list []R, i int) *R {
	if i >= len(list) {
		return nil
	}
	return &list[i]
}

func candidateDetail(before, after *release.Candidate, names map[uuid.UUID]string) string {
	switch {
	case before == nil:
		return fmt.Sprintf("operator %s added: priority %d, weight %d, price %s", nameOf(after.Operator, names), after.Priority, after.Weight, priceText(after.Price))
	case after == nil:
		return fmt.Sprintf("operator %s removed", nameOf(before.Operator, names))
	}
	var parts []string
	if before.Priority != after.Priority {
		parts = append(parts, changed("priority", before.Priority, after.Priority))
	}
	if before.Weight != after.Weight {
		parts = append(parts, changed("weight", before.Weight, after.Weight))
	}
	if before.Price != after.Price {
		parts = append(parts, changed("price", priceText(before.Price), priceText(after.Price))+percent(before.Price, after.Price))
	}
	if parts == nil {
		return ""
	}
	return "operator " + nameOf(after.Operator, names) + ": " + strings.Join(parts, ", ")
}

func bounded(details []string) []string {
	if len(details) <= maxDetails {
		return details
	}
	rest := len(details) - (maxDetails - 1)
	return append(details[:maxDetails-1], "and "+strconv.Itoa(rest)+" more")
}

func changed[V any](what string, before, after V) string {
	return fmt.Sprintf("%s %v -> %v", what, before, after)
}

func strategyText(r *release.Rule) string {
	return strings.TrimPrefix(r.Strategy.String(), "ROUTING_STRATEGY_")
}

func exhaustedText(r *release.Rule) string {
	if r.FallThrough {
		return "FALL_THROUGH"
	}
	return "FAIL"
}

func stateText(r *release.Rule) string {
	if r.Inactive {
		return "inactive"
	}
	return "active"
}

// none stands for no time and no price.
const none = "none"

func timeText(t time.Time) string {
	if t.IsZero() {
		return none
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func priceText(m money.Money) string {
	if m.IsZero() {
		return none
	}
	return m.String()
}

func typesText(set release.MessageTypes) string {
	var list []string
	for i, name := range []string{"SMS", "FLASH", "WAP"} {
		if set&(1<<i) != 0 {
			list = append(list, name)
		}
	}
	return strings.Join(list, ",")
}

func nameOf(id uuid.UUID, names map[uuid.UUID]string) string { return cmp.Or(names[id], id.String()) }

func idText(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}

// percent says by how much a price changes, such as " (+12.50 %)"; "" when that cannot be told.
func percent(before, after money.Money) string {
	points := basisPoints(before.Nanos, after.Nanos)
	if points == 0 || before.Currency != after.Currency {
		return ""
	}
	sign := '+'
	if points < 0 {
		sign, points = '-', -points
	}
	return fmt.Sprintf(" (%c%d.%02d %%)", sign, points/100, points%100)
}
