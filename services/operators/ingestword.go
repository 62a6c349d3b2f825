package operators

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

// ReasonNewWord marks a word that was not published because another came before it.
const ReasonNewWord = "NEW_WORD"

// Word is what stands on the board about one operator: the last word that reaches an engine which starts now. The zero
// Word is none.
type Word struct {
	// Place names the word; 0 is none.
	Place uint64
	// Bind and Quality are what it says; unknown is what it does not speak of. A word that cannot be read says
	// nothing.
	Bind    BindState
	Quality Quality
	// Version is 0 for a word by hand, or of a neighbour that counts no versions.
	Version int64
	// At is when it was published, by the clock of the reports.
	At time.Time
	// Provisional tells that this service said it without a version, because the store was down.
	Provisional bool
}

// HealthBoard is where engines read the health of operators. Neighbours may write on it too.
type HealthBoard interface {
	// Standing gives the word that stands.
	Standing(ctx context.Context, operator uuid.UUID) (Word, error)
	// Replace publishes a health in place of that word. It is an Aborted fault, ReasonNewWord, when another word
	// stands by now.
	Replace(ctx context.Context, h Health, standing Word) error
}

// say publishes a health that was not published yet, and repeats one as a heartbeat when it is time to. A late report
// is no heartbeat: it does not say that the state is still so.
func (i *Ingest) say(ctx context.Context, w *watched, p SessionReport, late bool) error {
	h := w.health
	owed := w.said != h.Version
	if h.Version == 0 || !owed && (late || p.ReceivedAt.Sub(w.saidAt) < heartbeatPause) {
		return nil
	}
	if !late {
		w.health.ObservedAt = later(h.ObservedAt, p.ReceivedAt)
	}
	published, err := i.publish(ctx, w, late)
	switch {
	case errors.Is(err, errForeign):
		return err
	case err != nil && !owed:
		i.log.DebugContext(ctx, "a heartbeat of an operator was not published; the next one follows", "error", err)
		return nil
	case err != nil:
		// The cache is read regularly, so the change may reach engines all the same.
		i.cache.KeepHealth(ctx, w.health)
		return err
	}
	w.said, w.saidAt = w.health.Version, later(w.saidAt, p.ReceivedAt)
	if published {
		i.cache.KeepHealth(ctx, w.health)
	} else {
		w.health.ObservedAt = h.ObservedAt
	}
	return nil
}

// publish puts the health on the board. It reports false when another word stays there: the health is then not
// refreshed anywhere, so that an engine which looks elsewhere does not find it newer than that word.
func (i *Ingest) publish(ctx context.Context, w *watched, late bool) (published bool, err error) {
	for range ingestTries {
		standing, err := i.board.Standing(ctx, w.health.OperatorID)
		if err != nil {
			return false, err
		}
		switch w.health.meets(standing, w.reducer.latest) {
		case yields:
			i.yield(ctx, w, standing)
			return false, nil
		case repeats:
			if late {
				return false, nil
			}
		case outdated:
			if err := i.overtake(ctx, w, standing); err != nil {
				return false, err
			}
		case restates:
			if err := i.restate(ctx, w, w.health.Version+1); err != nil {
				return false, err
			}
		}
		w.yields = false
		err = i.board.Replace(ctx, w.health, standing)
		if err == nil || !fault.Is(err, ReasonNewWord) {
			return err == nil, err
		}
	}
	return false, fault.New(fault.Aborted, ReasonNewWord, "Others keep publishing words about this operator.")
}

func (i *Ingest) yield(ctx context.Context, w *watched, standing Word) {
	if !w.yields {
		i.log.InfoContext(ctx, "a neighbour's word about an operator stands until its health changes", "operator_id", w.health.OperatorID,
			"bind", standing.Bind.String(), "quality", standing.Quality.String(), "reported_bind", w.health.Bind.String(), "reported_quality", w.health.Quality.String())
	}
	w.yields = true
}

// errForeign says that another process has changed the health, which is now what that stored, or that the operator is
// not live any more. The report is judged again.
var errForeign = errors.New("another process has changed the health")

// overtake is called when a higher version than ours stands. Either another process has taken over, then ours becomes
// what that stored. Or the store lost what it had, and engines would ignore every word of ours: then the versions go on
// above the one that stands.
func (i *Ingest) overtake(ctx context.Context, w *watched, standing Word) error {
	live, err := i.reload(ctx, w)
	if err != nil {
		return err
	}
	if !live || w.health.Version >= standing.Version {
		return errForeign
	}
	return i.restate(ctx, w, standing.Version+1)
}

// meeting says how a health stands to the word on the board.
type meeting uint8

const (
	// replaces: the health is newer.
	replaces meeting = iota
	// repeats: the word is this health.
	repeats
	// outdated: the word has a higher version.
	outdated
	// restates: a neighbour has said the same since, or something good that is too old to count, or the word was
	// provisional. Engines hold another state under the version that they know, so the health is published with a
	// higher one.
	restates
	// yields: a neighbour has said something else since. That stays until the health changes, or it is too old.
	yields
)

// meets compares a health with the word that stands at a moment. Words with a version are taken for those of this
// service.
func (h Health) meets(standing Word, now time.Time) meeting {
	out := standing.Bind == Unbound || standing.Quality == Unhealthy
	switch {
	case standing.Bind == BindUnknown && standing.Quality == QualityUnknown:
		return replaces
	case standing.Version == math.MaxInt64 && h.Version < math.MaxInt64:
		return yields
	case standing.Version > h.Version:
		return outdated
	case standing.Version == h.Version:
		return repeats
	case standing.Version > 0 || !standing.At.After(h.ChangedAt):
		return replaces
	case standing.Provisional, !out && now.Sub(standing.At) > HealthTTL:
		return restates
	case standing.Bind != BindUnknown && standing.Bind != h.Bind, standing.Quality != QualityUnknown && standing.Quality != h.Quality:
		return yields
	}
	return restates
}

// Under gives the health as engines hold it that heard this one and then the word that stands, at a moment. Of words by
// hand only the last one stands; what others said before it is not known here.
func (h Health) Under(standing Word, now time.Time) Health {
	heard := standing.At.After(h.ChangedAt)
	if standing.Version > 0 {
		heard = standing.Version > h.Version
	}
	good := standing.Bind != Unbound && standing.Quality != Unhealthy
	silent := standing.Bind == BindUnknown && standing.Quality == QualityUnknown
	if !heard || silent || standing.Version == 0 && good && now.Sub(standing.At) > HealthTTL {
		return h
	}
	next := h
	if standing.Bind != BindUnknown {
		next.Bind = standing.Bind
	}
	// What a word does not say of quality follows from its bind state.
	switch {
	case standing.Quality != QualityUnknown:
		next.Quality = standing.Quality
	case standing.Bind == Unbound:
		next.Quality = Unhealthy
	case h.Bind == Unbound, h.Quality == QualityUnknown:
		next.Quality = Healthy
	}
	next.ByHand = standing.Version == 0 && !standing.Provisional || standing.Version == math.MaxInt64
	next.Version = max(h.Version, standing.Version)
	next.ObservedAt = standing.At
	if next.Bind != h.Bind || next.Quality != h.Quality {
		next.ChangedAt = standing.At
	}
	return next
}
