package access

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

const (
	// flushEvery is how often the times of last use are stored, flushLimit bounds one such writing.
	flushEvery = time.Minute
	flushLimit = 5 * time.Second
)

// lastUse is when a key was last used, in Unix minutes; 0 is never since the start.
type lastUse struct {
	key           uuid.UUID
	used, flushed atomic.Int64
}

func (w *Watcher) flushUntil(ctx context.Context) {
	pause := time.NewTicker(flushEvery)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			w.flush(context.WithoutCancel(ctx))
			return
		case <-pause.C:
			w.flush(ctx)
		}
	}
}

// flush stores the times of last use that are new. What fails is tried again the next time.
func (w *Watcher) flush(ctx context.Context) {
	held := w.held.Load()
	if held == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushLimit)
	defer cancel()
	uses, keys := map[int64][]*lastUse{}, map[int64][]uuid.UUID{}
	for _, use := range held.use {
		if minute := use.used.Load(); minute > use.flushed.Load() {
			uses[minute], keys[minute] = append(uses[minute], use), append(keys[minute], use.key)
		}
	}
	for minute := range uses {
		if err := w.source.TouchKeys(ctx, keys[minute], time.Unix(minute*60, 0).UTC()); err != nil {
			w.log.WarnContext(ctx, "the last use of API keys could not be stored; it is tried again", "error", err)
			return
		}
		for _, use := range uses[minute] {
			use.flushed.Store(minute)
		}
	}
}
