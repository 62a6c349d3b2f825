package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
)

const (
	// firstEngine is how long to wait for any engine: one that had nothing to serve before has never spoken.
	firstEngine = 2 * time.Second
	// firstPoll is the pause before it is asked again what engines serve; pauses double up to lastPoll.
	firstPoll = 50 * time.Millisecond
	lastPoll  = time.Second
)

// reception is what engines made of an activation.
type reception struct {
	heard, done int
	// refused and behind tell of the other engines, a line for each.
	refused, behind []string
	// manifest is true when an engine refuses a manifest, which may be the one before.
	manifest  bool
	announced bool
	calledOff bool
}

// settled tells whether nothing more is to come. An engine that refused the manifest before this one has a moment to take
// this one.
func (r reception) settled(waited time.Duration) bool {
	return r.heard > 0 && len(r.behind) == 0 && (!r.manifest || waited >= firstEngine)
}

// received looks at the words of engines. One that serves what came in force later is done with this one; a higher number
// alone does not tell, because after a restore numbers come again.
func received(res *releasesv1.GetReleaseResponse, activation int64, scheduled bool) reception {
	var r reception
	for _, a := range res.GetActivations() {
		if a.GetActivation() == activation {
			r.announced, r.calledOff = a.GetAnnounced(), a.GetCancelled()
		}
	}
	for _, engine := range res.GetEngines() {
		event := engine.GetEvent()
		this := event.GetServingReleaseId() == res.GetRelease().GetReleaseId()
		about := event.GetActivation() == activation && event.GetReleaseId() == res.GetRelease().GetReleaseId()
		refused := event.GetState() == eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_REFUSED
		name := clean(fmt.Sprintf("engine on %s (%s)", dash(event.GetHost()), event.GetEngineId()))
		r.heard++
		switch {
		case event.GetServingActivation() == activation && this,
			event.GetServingActivation() > activation && engine.GetCurrent(),
			scheduled && about && event.GetState() == eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_PREPARED:
			r.done++
		case refused && isFinal(event.GetReason()) && (about || event.GetActivation() == 0):
			r.manifest = r.manifest || !about
			r.refused = append(r.refused, fmt.Sprintf("%s refused it: %s; it serves %s%s", name, clean(event.GetReason()), servedText(event, this), remedies[event.GetReason()]))
		default:
			text := fmt.Sprintf("%s serves %s, heard at %s", name, servedText(event, this), momentText(event.GetOccurredAt()))
			if refused {
				text += ": " + clean(event.GetReason())
			}
			r.behind = append(r.behind, text)
		}
	}
	return r
}

// remedies are what to do about a manifest that an engine refuses. Publishing again does not help.
var remedies = map[string]string{
	"MANIFEST_OLD": ": the engine knows a newer one. After restoring the database and NATS from a backup, empty the folders of " +
		"engines and restart them",
	"MANIFEST_KEY":         ": give engines the public key of operator-management (engine.release.public_keys)",
	"MANIFEST_ENVIRONMENT": ": two environments share one NATS account: give each its own, or set the same environment on both sides",
}

// servedText says what an engine serves; this is whether that is the release in question.
func servedText(event *eventsv1.ReleaseEvent, this bool) string {
	switch {
	case event.GetServingReleaseId() == "":
		return "nothing"
	case this:
		return fmt.Sprintf("activation %d", event.GetServingActivation())
	}
	return fmt.Sprintf("another release, activation %d", event.GetServingActivation())
}

// isFinal tells a refusal that stays from one that the engine tries again, such as an artifact that is not there yet.
func isFinal(reason string) bool {
	return reason != "ARTIFACT_MISSING" && (strings.HasPrefix(reason, "ARTIFACT_") || strings.HasPrefix(reason, "MANIFEST_"))
}

// awaitEngines waits until every engine that was heard of has an activation, and tells what became of it.
func (c *client) awaitEngines(ctx context.Context, cmd *cobra.Command, r *releasesv1.Release, a *releasesv1.ReleaseActivation, most time.Duration, form string) error {
	scheduled := r.GetState() == releasesv1.ReleaseState_RELEASE_STATE_SCHEDULED
	began, pause := time.Now(), firstPoll
	bar := newProgress(cmd.ErrOrStderr(), "engines", -1)
	defer bar.close()
	var now reception
	for !now.settled(time.Since(began)) && !now.calledOff {
		res, err := c.getRelease(ctx, r.GetReleaseId())
		if ctx.Err() != nil {
			return published(ctx.Err())
		}
		if err == nil { // what cannot be asked now is asked again
			now = received(res, a.GetActivation(), scheduled)
			bar.set(int64(now.done), int64(now.heard))
		}
		left := most
		if now.heard == 0 && now.announced {
			left = min(most, firstEngine)
		}
		if left -= time.Since(began); left <= 0 {
			if err != nil {
				return err
			}
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(pause, left)):
		}
		pause = min(2*pause, lastPoll)
	}
	bar.close()
	return now.tell(cmd, form, scheduled)
}

// published is the end of a wait that was cut short.
func published(cause error) error {
	return &failure{exit: ExitInterrupted, message: "interrupted while engines take it up: it is published; `trunkline releases show` tells which serve it", cause: cause}
}

func (r reception) tell(cmd *cobra.Command, form string, scheduled bool) error {
	verb := [2]string{"serves it", "serve it"}
	if scheduled {
		verb = [2]string{"has it ready", "have it ready"}
	}
	if r.calledOff {
		return failf(ExitConflict, "it was called off meanwhile by another publish or rollback: `trunkline releases list` shows what is in force")
	}
	if !r.announced {
		if err := printf(cmd.ErrOrStderr(), "warning: it is stored, and NATS does not have it yet: engines hear of it when NATS is back\n"); err != nil {
			return err
		}
	}
	switch count := fmt.Sprintf("%d of %s", r.done, plural(int64(r.heard), "engine", "engines")); {
	case r.heard == 0:
		return printf(cmd.ErrOrStderr(), "warning: no engine runs in release mode, so traffic did not change: run engines with engine.table: release (dev: --table release)\n")
	case len(r.refused) > 0:
		return &failure{exit: ExitFailed, message: count + " " + verb[1] + ": it is published, and refused where it cannot be trusted", lines: append(r.refused, r.behind...)}
	case len(r.behind) > 0:
		return &failure{exit: ExitUnavailable, message: count + " " + verb[1] + " yet: it is published; `trunkline releases show` tells how it goes on", lines: r.behind}
	case form == formJSON:
		return nil
	case r.heard == 1:
		return printf(cmd.OutOrStdout(), "the engine %s\n", verb[0])
	}
	return printf(cmd.OutOrStdout(), "all %d engines %s\n", r.heard, verb[1])
}
