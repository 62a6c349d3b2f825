package routing

import (
	"context"
	"sync"
	"time"
)

// Run keeps the supply up to date until ctx ends.
func (s *Supply) Run(ctx context.Context) {
	var rereading sync.WaitGroup
	rereading.Go(func() { s.keepRereading(ctx) })
	s.Refresher.Run(ctx)
	rereading.Wait()
}

// keepRereading reads everything anew every SweepEvery while changes are taken in one by one: whatever such a change
// got wrong lives no longer, and what it replaced leaves the memory. Changes do not wait for it.
func (s *Supply) keepRereading(ctx context.Context) {
	ticker := time.NewTicker(SweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := s.reread(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "reading all routing rules anew failed; those in force stay", "error", err)
		}
	}
}

func (s *Supply) reread(ctx context.Context) error {
	old := s.inForce.Load()
	if old == nil || old.table == nil || old.table.patched == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	table, err := s.store.Load(ctx, s.health)
	if err != nil {
		return err
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.end()
	// What changed meanwhile, and is in force already, must not go away.
	if now := s.inForce.Load(); now.reach() > table.reach {
		if table, err = s.follow(ctx, table); err != nil || table == nil {
			return err // too much changed meanwhile: at the next time
		}
	}
	s.put(ctx, &supplied{
		state: State{Versions: table.versions, Longest: table.longest()},
		table: table, usable: table.UsableOperators(), origin: FromDatabase,
	})
	return nil
}
