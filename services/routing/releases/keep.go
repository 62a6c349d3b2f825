package releases

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"trunkline/services/platform/fault"
)

// ReasonDisk tells that the folder cannot be written: what serves is not kept for the next start.
const ReasonDisk = "RELEASE_FOLDER"

var errUnstored = errors.New("the artifact of the release in force could not be written")

// keep brings the folder up to date with what serves.
func (f *Follower) keep(ctx context.Context) {
	if f.serving != nil && f.manifest.names(f.serving) {
		f.servedBy = f.manifest
	}
	live, known := f.supply.Live()
	if !f.unkept && (!known || versionOf(live) == f.saved) {
		return
	}
	var errs []error
	if known && versionOf(live) != f.saved {
		if err := f.folder.saveLive(live); err != nil {
			errs = append(errs, err)
		} else {
			f.saved = versionOf(live)
		}
	}
	if f.unkept {
		err := f.keepManifests()
		f.unkept = err != nil
		errs = append(errs, err)
	}
	err := errors.Join(errs...)
	if err != nil && f.keepErr == nil {
		f.log.ErrorContext(ctx, "the folder of releases cannot be written; the engine cannot start from it", "error", err)
	}
	f.keepErr = err
}

func (f *Follower) keepManifests() error {
	if f.manifest == nil {
		return nil
	}
	// What a crash must not undo comes first: manifests that are older than the newest are refused.
	if err := f.folder.write(newestFile, f.manifest.signed); err != nil {
		return err
	}
	needed := map[string]bool{f.former: true}
	if f.servedBy != nil {
		if _, missing := f.unstored[f.serving.digest]; missing {
			return errUnstored // what the folder says to have served stays complete
		}
		if err := f.folder.writeSealed(activationFile, strconv.AppendInt(nil, f.serving.Activation, 10)); err != nil {
			return err
		}
		if err := f.folder.write(servingFile, f.servedBy.signed); err != nil {
			return err
		}
		needed[f.serving.digest] = true
	}
	for _, e := range f.named() {
		needed[e.digest] = true
	}
	return f.folder.retain(needed)
}

// Recall takes in what operators were set to last, before Run and before the supply asks anybody else.
func (f *Follower) Recall(ctx context.Context) {
	live, known, err := f.folder.loadLive()
	switch {
	case err != nil:
		f.log.ErrorContext(ctx, "what operators were set to last cannot be read from the folder of releases", "error", err)
	case known:
		f.saved = versionOf(live)
		f.supply.Recall(live)
	}
}

// restore puts in force what the folder holds: the newest that verifies. What does not is named and left out.
func (f *Follower) restore(ctx context.Context) {
	newest, serving := f.reopen(ctx, newestFile), f.reopen(ctx, servingFile)
	if newest == nil || serving != nil && serving.revision > newest.revision {
		newest = serving
	}
	if newest == nil {
		return
	}
	f.resume(ctx, newest, serving)
	now := f.clock.Now()
	f.manifest, f.arrived = newest, now
	candidates := newest.wanted(now)
	if serving != nil {
		candidates = append(candidates, serving.wanted(now)...)
	}
	for _, e := range candidates {
		table, err := f.artifacts.fromFolder(ctx, e)
		if err != nil && ctx.Err() == nil {
			f.name(ctx, e, err)
		}
		if table == nil {
			continue
		}
		if f.servedBy = newest; !newest.names(e) {
			f.servedBy = serving
		}
		f.tables[e.digest] = table
		f.former = f.leftOver(e.digest)
		f.serve(ctx, e, table)
		return
	}
}

// reopen reads a kept manifest; nil when there is none that may be followed.
func (f *Follower) reopen(ctx context.Context, name string) *manifest {
	signed, err := f.folder.read(name)
	if err != nil || signed == nil {
		if err != nil {
			f.log.ErrorContext(ctx, "a manifest in the folder of releases cannot be read", "file", name, "error", err)
		}
		return nil
	}
	m, err := open(f.settings.Keys, f.settings.Environment, signed)
	if err != nil {
		f.refuse(ctx, err)
		return nil
	}
	return m
}

// resume lets what was scheduled and has served go on, whatever the clock says now.
func (f *Follower) resume(ctx context.Context, manifests ...*manifest) {
	data, err := f.folder.readSealed(activationFile)
	activation, parseErr := strconv.ParseInt(string(data), 10, 64)
	switch {
	case err != nil:
		f.log.ErrorContext(ctx, "which release served last cannot be read from the folder of releases", "error", err)
		return
	case parseErr != nil:
		return // none has served
	}
	for _, m := range manifests {
		if m != nil && m.scheduled != nil && m.scheduled.Activation == activation {
			m.begun = true
		}
	}
}

// leftOver gives the digest of what served before the engine stopped, as far as the folder tells: the newest artifact
// that nothing names any more.
func (f *Follower) leftOver(serving string) string {
	kept, err := f.folder.artifacts()
	if err != nil {
		return ""
	}
	kept = slices.DeleteFunc(kept, func(digest string) bool {
		return digest == serving || slices.ContainsFunc(f.named(), func(e *entry) bool { return e.digest == digest })
	})
	if len(kept) == 0 {
		return ""
	}
	return kept[0]
}

// errUnkept is what the health pages show while the folder cannot be written.
func errUnkept(err error) error {
	return fault.New(fault.Unavailable, ReasonDisk, "The folder of releases cannot be written: the engine could not start from it.").Wrap(err)
}
