package operators

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

const (
	// compileLimit bounds the making of a draft.
	compileLimit = 10 * time.Minute
	// artifactPart is the size of the parts that an artifact is stored in.
	artifactPart = 1 << 20
	// maxConflictTold bounds the errors of a refused release that are told.
	maxConflictTold = 20
)

// CreateRelease compiles the live tables, all of one state, into a draft and gives the findings about them. Errors of the
// conflict checker refuse it: FailedPrecondition ReasonConflict, with a Conflict. One draft is made at a time; others wait.
// A repeat answers the same draft without findings. What a replica of the database has may be old: a draft of it is an
// Unavailable fault. Of drafts that nobody approved only the newest maxDrafts are kept: older ones expire. Progress is told
// for each of four steps: reading, with no total, checking, compiling and storing.
func (a *ReleaseAdmin) CreateRelease(ctx context.Context, r Request, description string, progress Progress) (Release, Report, error) {
	ctx, cancel := context.WithTimeout(ctx, compileLimit)
	defer cancel()
	var v violations
	v.check("description", checkDescription(description))
	if err := invalid(v); err != nil {
		return Release{}, Report{}, err
	}
	if former, done, err := a.formerRelease(ctx, r); done || err != nil {
		return former, Report{}, err
	}
	select {
	case a.compiling <- struct{}{}:
		defer func() { <-a.compiling }()
	case <-ctx.Done():
		return Release{}, Report{}, ctx.Err()
	}
	release, report, parts, err := a.compile(ctx, progress)
	if err != nil {
		return Release{}, Report{}, err
	}
	release.Description = description
	if r.ValidateOnly {
		release.State = ReleaseDraft
		return release, report, nil
	}
	rows := release.Operators + release.Rules + release.Rates
	progress.report(0, rows)
	_, err = a.apply(ctx, change{
		Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (string, error) {
			release.ID, release.Version, release.CreatedAt, release.CreatedBy = newID(), 1, at, r.Actor
			stored, err := tx.AddRelease(ctx, release, parts)
			if err != nil {
				return "", err
			}
			stored.State = ReleaseDraft
			release = stored
			if err := clearDrafts(ctx, tx, at); err != nil {
				return "", err
			}
			return releaseReply(release.ID, 0), tx.Record(ctx, r, Entry{
				Action: "release.create", Entity: "release", EntityID: release.ID.String(), After: release.audited(), At: at,
			})
		},
		again: func(ctx context.Context, tx Tx, reply string) (err error) {
			release, _, err = a.repliedRelease(ctx, tx, reply)
			return err
		},
	})
	if err != nil {
		return Release{}, Report{}, err
	}
	progress.report(rows, rows)
	return release, report, nil
}

// compile reads the live tables in one state, checks what it read and compiles the same.
func (a *ReleaseAdmin) compile(ctx context.Context, progress Progress) (release Release, report Report, parts [][]byte, err error) {
	began := a.now()
	var live int64
	err = a.store.View(ctx, func(ctx context.Context, tx Tx) (err error) {
		live, err = tx.ConfigVersion(ctx)
		return err
	})
	if err != nil {
		return Release{}, Report{}, nil, err
	}
	draft := a.newDraft()
	set := RuleSet{Now: moment(began), Ceiling: a.policy.Ceiling}
	needed := make(map[uuid.UUID]bool)
	read := int64(0)
	err = a.store.Snapshot(ctx, false, set.Now, func(part Snapshot) error {
		release.ConfigVersion = part.ConfigVersion
		set.take(part, needed)
		read += int64(len(part.Operators) + len(part.Rules) + len(part.Rates))
		progress.report(read, 0)
		return draft.Add(part)
	})
	if err != nil {
		return Release{}, Report{}, nil, err
	}
	if release.ConfigVersion < live {
		return Release{}, Report{}, nil, fault.New(fault.Unavailable, reasonDatabase,
			"What was read is older than the configuration: it came from a replica of the database. Try again.").WithRetry(time.Second)
	}
	rules := int64(len(set.Rules))
	progress.report(0, rules)
	report = Check(set)
	set = RuleSet{} // the rows are in the draft: what follows needs the room
	progress.report(rules, rules)
	if report.Errors > 0 {
		report.Findings = report.Findings[:min(len(report.Findings), maxConflictTold)]
		return Release{}, Report{}, nil, (&Conflict{report}).fault()
	}
	progress.report(0, read)
	var stored partWriter
	if release.Artifact, err = draft.Seal(&stored); err != nil {
		return Release{}, Report{}, nil, err
	}
	progress.report(read, read)
	release.Warnings = int64(report.Warnings)
	a.log.InfoContext(ctx, "release compiled", "digest", release.Digest, "rules", release.Rules, "rates", release.Rates,
		"size", release.Size, "stored_size", release.StoredSize, "took", a.now().Sub(began))
	return release, report, stored.parts, nil
}

// take keeps what a check of all rules looks at: of the rates those of operators that rules price by them. Rules come
// before rates.
func (s *RuleSet) take(part Snapshot, needed map[uuid.UUID]bool) {
	s.Operators = append(s.Operators, part.Operators...)
	s.Rules = append(s.Rules, part.Rules...)
	for _, rule := range part.Rules {
		for _, operator := range rule.unpriced(s.Ceiling) {
			needed[operator] = true
		}
	}
	for _, rate := range part.Rates {
		if needed[rate.OperatorID] {
			s.Rates = append(s.Rates, rate)
		}
	}
	if part.FX != nil {
		s.FX = part.FX
	}
}

// partWriter cuts what is written into parts of artifactPart.
type partWriter struct{ parts [][]byte }

// Write takes everything.
func (w *partWriter) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		last := len(w.parts) - 1
		if last < 0 || len(w.parts[last]) == artifactPart {
			w.parts = append(w.parts, nil)
			last++
		}
		n := min(len(p), artifactPart-len(w.parts[last]))
		w.parts[last] = append(w.parts[last], p[:n]...)
		p = p[n:]
	}
	return written, nil
}

type releaseReplyJSON struct {
	ReleaseID  uuid.UUID `json:"release_id"`
	Activation int64     `json:"activation,omitempty"`
}

func releaseReply(id uuid.UUID, activation int64) string {
	return string(mustJSON(releaseReplyJSON{id, activation}))
}

// repliedRelease gives the present state of the release, and the activation, that a former run was about.
func (a *ReleaseAdmin) repliedRelease(ctx context.Context, tx Tx, reply string) (release Release, activation Activation, err error) {
	var r releaseReplyJSON
	if err := json.Unmarshal([]byte(reply), &r); err != nil {
		return Release{}, Activation{}, fmt.Errorf("read the reply of a former request: %w", err)
	}
	if release, err = tx.Release(ctx, r.ReleaseID); err != nil {
		return Release{}, Activation{}, err
	}
	if r.Activation > 0 {
		if activation, err = tx.Activation(ctx, r.Activation); err != nil {
			return Release{}, Activation{}, err
		}
	}
	force, err := a.force(ctx, tx)
	release.State = force.stateOf(release)
	return release, activation, err
}

// formerRelease looks for a former run of the request before everything is compiled again.
func (a *ReleaseAdmin) formerRelease(ctx context.Context, r Request) (release Release, done bool, err error) {
	if err := r.check(); err != nil || r.ID == "" || r.ValidateOnly {
		return Release{}, false, err
	}
	err = a.store.View(ctx, func(ctx context.Context, tx Tx) error {
		reply, known, err := tx.Repeated(ctx, r, moment(a.now()))
		if err != nil || !known {
			return err
		}
		done = true
		release, _, err = a.repliedRelease(ctx, tx, reply)
		return err
	})
	return release, done && err == nil, err
}

// audited writes the release for the audit log.
func (r Release) audited() []byte {
	return mustJSON(auditedRelease{
		ID: r.ID, Number: r.Number, Description: r.Description, Digest: r.Digest, Operators: r.Operators, Rules: r.Rules,
		Rates: r.Rates, ConfigVersion: r.ConfigVersion, Warnings: r.Warnings, ApprovedBy: r.ApprovedBy, Version: r.Version,
	})
}

type auditedRelease struct {
	ID            uuid.UUID `json:"release_id"`
	Number        int64     `json:"number"`
	Description   string    `json:"description,omitempty"`
	Digest        string    `json:"digest"`
	Operators     int64     `json:"operator_count"`
	Rules         int64     `json:"rule_count"`
	Rates         int64     `json:"rate_count"`
	ConfigVersion int64     `json:"config_version"`
	Warnings      int64     `json:"warning_count"`
	ApprovedBy    string    `json:"approved_by,omitempty"`
	Version       int64     `json:"version"`
}
