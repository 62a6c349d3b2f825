package rpc

import (
	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/operators"
)

// The enums of releases have the same numbers in the schema and in the domain. A test compares their names.

func toRelease(r operators.Release) *releasesv1.Release {
	out := &releasesv1.Release{
		ReleaseId: idText(r.ID), Number: r.Number, State: releasesv1.ReleaseState(r.State), Description: r.Description,
		Digest: r.Digest, SizeBytes: r.Size, StoredBytes: r.StoredSize, OperatorCount: r.Operators, RuleCount: r.Rules, RateCount: r.Rates,
		ConfigVersion: r.ConfigVersion, WarningCount: r.Warnings, CreateTime: toTime(r.CreatedAt), CreatedBy: r.CreatedBy,
		ApproveTime: toTime(r.ApprovedAt), ApprovedBy: r.ApprovedBy,
	}
	if r.Last != nil {
		out.LastActivation = toActivation(r.Last)
	}
	if out.GetReleaseId() != "" {
		out.Etag = r.ETag()
	}
	return out
}

func toActivation(a *operators.Activation) *releasesv1.ReleaseActivation {
	return &releasesv1.ReleaseActivation{
		Activation: a.Number, ReleaseId: a.ReleaseID.String(), Kind: releasesv1.ReleaseActivationKind(a.Kind),
		ActivateTime: toTime(a.ActivateAt), CreateTime: toTime(a.CreatedAt), CreatedBy: a.CreatedBy, Reason: a.Reason,
		FormerReleaseId: idText(a.FormerID), Announced: a.Announced, Cancelled: a.Cancelled(),
	}
}

func toReleaseEvent(w operators.EngineWord) *eventsv1.ReleaseEvent {
	return &eventsv1.ReleaseEvent{
		EngineId: w.EngineID.String(), Host: w.Host, State: eventsv1.ReleaseEngineState(w.State), ReleaseId: idText(w.ReleaseID),
		Activation: w.Activation, Reason: w.Reason, ServingReleaseId: idText(w.ServingID), ServingActivation: w.ServingActivation,
		ServingSince: toTime(w.ServingSince), OccurredAt: toTime(w.At),
	}
}
