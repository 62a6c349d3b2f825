package difference

import (
	"bytes"
	"fmt"
	"strconv"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/release"
)

func compareOperatorIDs(a, b *release.Operator) int { return bytes.Compare(a.ID[:], b.ID[:]) }

// operatorChange tells what happens to an operator; nil when nothing does. Either may be nil, but not both.
func operatorChange(before, after *release.Operator) *releasesv1.ReleaseChange {
	out := &releasesv1.ReleaseChange{Subject: releasesv1.ReleaseSubject_RELEASE_SUBJECT_OPERATOR}
	of := after
	switch {
	case before == nil:
		out.Kind, out.Details = releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_ADDED, []string{"status " + after.Status}
	case after == nil:
		of, out.Kind = before, releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_REMOVED
	default:
		if out.Details = compareOperators(before, after); out.Details == nil {
			return nil
		}
		out.Kind = releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_CHANGED
	}
	out.EntityId, out.OperatorId, out.OperatorName = of.ID.String(), of.ID.String(), of.Name
	return out
}

func compareOperators(before, after *release.Operator) (details []string) {
	for _, d := range []struct{ what, old, present string }{
		{"name", before.Name, after.Name},
		{"host", before.Host, after.Host},
		{"port", strconv.Itoa(int(before.Port)), strconv.Itoa(int(after.Port))},
		{"system_id", before.SystemID, after.SystemID},
		{"max_tps", strconv.Itoa(int(before.MaxTPS)), strconv.Itoa(int(after.MaxTPS))},
		{"message types", typesText(before.Types), typesText(after.Types)},
		{"status", before.Status, after.Status},
		{"receives only", strconv.FormatBool(before.ReceivesOnly), strconv.FormatBool(after.ReceivesOnly)},
	} {
		if d.old != d.present {
			details = append(details, changed(d.what, d.old, d.present))
		}
	}
	return details
}

func compareCurrencies(a, b *release.FXRate) int { return bytes.Compare(a.Currency[:], b.Currency[:]) }

// fxChange tells what happens to the worth of a currency; nil when nothing does. Either may be nil, but not both.
func fxChange(before, after *release.FXRate) *releasesv1.ReleaseChange {
	out := &releasesv1.ReleaseChange{Subject: releasesv1.ReleaseSubject_RELEASE_SUBJECT_FX_RATE}
	switch {
	case before == nil:
		out.Kind = releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_ADDED
		out.Details = []string{fmt.Sprintf("%s %s", after.Currency, worthText(after))}
	case after == nil:
		out.Kind = releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_REMOVED
		out.Details = []string{fmt.Sprintf("%s %s", before.Currency, worthText(before))}
	case before.Nanos == after.Nanos:
		return nil
	default:
		out.Kind = releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_CHANGED
		out.Details = []string{changed(after.Currency.String(), worthText(before), worthText(after))}
		out.ChangeBasisPoints = basisPoints(before.Nanos, after.Nanos)
	}
	return out
}

// worthText gives what a currency is worth in the base currency.
func worthText(r *release.FXRate) string {
	return fmt.Sprintf("%d.%09d", r.Nanos/1_000_000_000, r.Nanos%1_000_000_000)
}
