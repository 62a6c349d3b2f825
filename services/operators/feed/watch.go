package feed

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
)

// beatEvery is after how long without anything else a watcher is told a heartbeat.
const beatEvery = 10 * time.Second

// watcher is somebody who is told. The feed's mutex guards it, but for wake.
type watcher struct {
	// told is the number of the last word.
	told uint64
	// change waits to be told; nil when there is none.
	change *eventsv1.OperatorConfigEvent
	// beat asks for a heartbeat.
	beat bool
	// wake holds a token when there is something to tell.
	wake chan struct{}
}

func (w *watcher) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Watch sends the last words, a heartbeat, and then what is new, until ctx ends, stop closes or send fails. It returns the
// error of ctx or send, and nil after stop. What is sent belongs to all watchers and must not be changed. The caller bounds how
// many watch.
func (f *Feed) Watch(ctx context.Context, stop <-chan struct{}, send func(*operatorsv1.WatchEventsResponse) error) error {
	w := f.join()
	defer f.leave(w)
	idle := time.NewTimer(beatEvery)
	defer idle.Stop()
	for silent := false; !over(ctx, stop); {
		news := f.news(w, silent)
		for _, event := range news {
			if over(ctx, stop) {
				break
			}
			if err := send(event); err != nil {
				return err
			}
		}
		if len(news) > 0 {
			idle.Reset(beatEvery)
		}
		select {
		case <-stop:
		case <-ctx.Done():
		case <-w.wake:
			silent = false
		case <-idle.C:
			silent = true
		}
	}
	return ctx.Err()
}

// over tells whether a watch has ended. It is asked before each word: a long list of them must not hold up the end.
func over(ctx context.Context, stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return ctx.Err() != nil
	}
}

func (f *Feed) join() *watcher {
	w := &watcher{beat: true, wake: make(chan struct{}, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers[w] = struct{}{}
	f.watching.Inc()
	return w
}

func (f *Feed) leave(w *watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.watchers, w)
	f.watching.Dec()
}

// news gives what the watcher was not told, with a heartbeat at the end where one is due.
func (f *Feed) news(w *watcher, silent bool) []*operatorsv1.WatchEventsResponse {
	now := f.clock.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.words.after(w.told, now)
	w.told = f.words.last
	if w.change != nil {
		all = append(all, &operatorsv1.WatchEventsResponse{Event: &operatorsv1.WatchEventsResponse_OperatorConfig{OperatorConfig: w.change}})
		w.change = nil
	}
	if w.beat || silent {
		w.beat = false
		all = append(all, &operatorsv1.WatchEventsResponse{Event: &operatorsv1.WatchEventsResponse_Heartbeat{
			Heartbeat: &operatorsv1.Heartbeat{SendTime: timestamppb.New(now), Connected: f.connected},
		}})
	}
	return all
}

// merged makes one change of one that waits and one that came. Of two it has the later version, and names no operator:
// it stands for everything that changed.
func merged(waiting, came *eventsv1.OperatorConfigEvent) *eventsv1.OperatorConfigEvent {
	if waiting == nil {
		return came
	}
	latest := came
	if waiting.GetConfigVersion() > came.GetConfigVersion() {
		latest = waiting
	}
	return &eventsv1.OperatorConfigEvent{ConfigVersion: latest.GetConfigVersion(), OccurredAt: latest.GetOccurredAt()}
}
