package releases

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	"trunkline/services/platform/fault"
)

// ReasonNone tells that there is no release to serve.
const ReasonNone = "RELEASE_NONE"

// show puts on the health pages what is wrong.
func (f *Follower) show(trouble *refusal) {
	switch {
	case trouble != nil:
	case f.keepErr != nil:
		trouble = &refusal{err: errUnkept(f.keepErr)}
	case f.serving == nil && f.manifest == nil:
		trouble = &refusal{err: fault.New(fault.Unavailable, ReasonNone,
			"No release is published in the environment %s, as far as this engine knows: publish one.", f.settings.Environment)}
	}
	f.trouble.Store(trouble)
}

// troubled gives what keeps a release from serving; nil when nothing does.
func (f *Follower) troubled(now time.Time) *refusal {
	if f.refused != nil {
		return f.refused
	}
	for _, e := range f.unbuilt(now) {
		if r := f.failures[e.digest]; r != nil {
			return &refusal{err: r.err, entry: e}
		}
	}
	return nil
}

// word is what this engine says. A refusal comes before anything else, and what is prepared before what serves.
func (f *Follower) word(now time.Time, trouble *refusal) *eventsv1.ReleaseEvent {
	e := &eventsv1.ReleaseEvent{
		EngineId: f.settings.Engine.String(), Host: f.settings.Host, State: eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_SERVING,
	}
	about := f.serving
	if f.serving != nil {
		e.ServingReleaseId, e.ServingActivation = f.serving.ID.String(), f.serving.Activation
		if _, since, ok := f.supply.Serves(); ok {
			e.ServingSince = timestamppb.New(since)
		}
	}
	ahead := f.manifest.ahead(now)
	switch {
	case trouble != nil && trouble.final():
		e.State, e.Reason, about = eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_REFUSED, trouble.reason(), trouble.entry
	case ahead != nil && f.tables[ahead.digest] != nil:
		e.State, about = eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_PREPARED, ahead
	}
	if about != nil {
		e.ReleaseId, e.Activation = about.ID.String(), about.Activation
	}
	return e
}
