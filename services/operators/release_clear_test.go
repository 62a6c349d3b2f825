package operators

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestWhatIsClearedAwayIsNeededByNobody clears away again and again in random histories, in which releases are made,
// published, scheduled and called off, some of them with the same content, and time goes by.
func TestWhatIsClearedAwayIsNeededByNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), digests: map[uuid.UUID]string{}}
		keep := rapid.IntRange(2, 5).Draw(t, "keep")
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			switch rapid.IntRange(0, 11).Draw(t, "step") {
			case 0, 1, 2:
				h.make(rapid.IntRange(0, 30).Draw(t, "content"))
			case 3, 4, 5:
				h.activate(t, 0)
			case 6:
				h.activate(t, time.Hour)
			case 7:
				h.now = h.now.Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "days")) * 24 * time.Hour)
			case 8:
				h.approve(t)
			case 9:
				for content := range rapid.IntRange(1, 60).Draw(t, "burst") {
					h.make(100 + len(h.releases) + content)
				}
			default:
				h.clear(t, keep)
			}
		}
		h.clear(t, keep)
	})
}

// history is what the tables of releases hold.
type history struct {
	now         time.Time
	releases    []Release
	activations []Activation // oldest first
	digests     map[uuid.UUID]string
}

func (h *history) make(content int) {
	r := Release{ID: newID(), Number: int64(len(h.releases) + 1), CreatedAt: h.now, Artifact: Artifact{Digest: fmt.Sprint(content)}}
	h.releases = append(h.releases, r)
	h.digests[r.ID] = r.Digest
}

func (h *history) stock() (all []Release) {
	for _, r := range h.releases {
		if r.ExpiredAt.IsZero() {
			all = append(all, r)
		}
	}
	return all
}

// valid are the activations that were not called off, newest first.
func (h *history) valid() (all []Activation) {
	for i := len(h.activations) - 1; i >= 0; i-- {
		if !h.activations[i].Cancelled() {
			all = append(all, h.activations[i])
		}
	}
	return all
}

func (h *history) approve(t *rapid.T) {
	if len(h.releases) > 0 {
		h.releases[rapid.IntRange(0, len(h.releases)-1).Draw(t, "approved")].ApprovedAt = h.now
	}
}

func (h *history) activate(t *rapid.T, later time.Duration) {
	stock := h.stock()
	if len(stock) == 0 {
		return
	}
	for i := range h.activations {
		if h.activations[i].ActivateAt.After(h.now) && !h.activations[i].Cancelled() {
			h.activations[i].CancelledAt = h.now
		}
	}
	r := rapid.SampledFrom(stock).Draw(t, "release")
	h.activations = append(h.activations, Activation{
		Number: int64(len(h.activations) + 1), ReleaseID: r.ID, CreatedAt: h.now, ActivateAt: h.now.Add(later),
	})
	for i := range h.releases {
		h.releases[i].Served = 0
		for _, a := range h.valid() {
			if a.ReleaseID == h.releases[i].ID {
				h.releases[i].Served = max(h.releases[i].Served, a.Number)
			}
		}
	}
}

func (h *history) clear(t *rapid.T, keep int) {
	valid := h.valid()
	needed := map[uuid.UUID]bool{}
	for _, a := range valid[:min(2, len(valid))] {
		needed[a.ReleaseID] = true
	}
	stock := h.stock()
	gone := map[string]bool{}
	for _, r := range expendable(stock, needed, keep, h.now) {
		gone[r.Digest] = true
		for i := range h.releases {
			if h.releases[i].ID == r.ID {
				h.releases[i].ExpiredAt = h.now
			}
		}
	}
	// What a manifest names.
	if len(valid) > 0 {
		current, scheduled := announcedOf(valid)
		for _, a := range []*Activation{current, scheduled} {
			if a != nil {
				require.NotContains(t, gone, h.digests[a.ReleaseID], "the manifest names it")
			}
		}
	}
	// The last ones that were in force, and so the way back.
	last := map[uuid.UUID]bool{}
	for _, a := range valid {
		if len(last) < keep {
			last[a.ReleaseID] = true
		}
	}
	for id := range last {
		require.NotContains(t, gone, h.digests[id], "it is one of the last that were in force")
	}
	drafts, approved := 0, 0
	for i := len(stock) - 1; i >= 0; i-- {
		r := stock[i]
		switch {
		case r.Served > 0:
			continue
		case !r.ApprovedAt.IsZero():
			approved++
			require.NotContains(t, gone, r.Digest, "it is approved")
			continue
		}
		if drafts++; drafts <= newestDrafts || drafts <= maxDrafts && h.now.Sub(r.CreatedAt) < draftLife {
			require.NotContains(t, gone, r.Digest, "it is a young draft, or one of the newest")
		}
	}
	left := map[string]bool{}
	for _, r := range h.stock() {
		left[r.Digest] = true
	}
	require.LessOrEqual(t, len(left), keep+len(needed)+approved+maxDrafts)
	// And all others go: what is left is needed.
	require.Empty(t, expendable(h.stock(), needed, keep, h.now))
}
