package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/timestamppb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/release"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	one = uuid.MustParse("018f0000-0000-7000-8000-000000000001")
	two = uuid.MustParse("018f0000-0000-7000-8000-000000000002")
)

// world is a feed that hears what a test says, with a log.
type world struct {
	*Feed
	log      *bytes.Buffer
	sequence uint64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{log: new(bytes.Buffer)}
	var err error
	w.Feed, err = New(nil, clock.System(), prometheus.NewPedanticRegistry(), slog.New(slog.NewTextHandler(w.log, nil)))
	require.NoError(t, err)
	return w
}

// message is the next one of a stream.
func (w *world) message(subject, data string) jetstream.Message {
	w.sequence++
	return jetstream.Message{Subject: subject, Data: []byte(data), Sequence: w.sequence, Time: time.Now()}
}

func healthOf(id uuid.UUID, state string) string {
	return fmt.Sprintf(`{"operatorId":%q,"status":"BIND_STATE_%s"}`, id, state)
}

func (w *world) health(t *testing.T, id uuid.UUID, state string) jetstream.Message {
	t.Helper()
	m := w.message(healthSubject+id.String(), healthOf(id, state))
	require.NoError(t, w.hearHealth(m))
	return m
}

func (w *world) engine(t *testing.T, id uuid.UUID, activation int) {
	t.Helper()
	require.NoError(t, w.hearEngine(w.message(release.EngineSubject(id.String()), fmt.Sprintf(`{"engineId":%q,"servingActivation":%d}`, id, activation))))
}

func (w *world) change(t *testing.T, version int, operator string) {
	t.Helper()
	require.NoError(t, w.hearConfig(w.message("operator.config.updated", fmt.Sprintf(`{"configVersion":%d,"operatorId":%q,"operatorVersion":3}`, version, operator))))
}

// shown writes an event in a few words.
func shown(r *operatorsv1.WatchEventsResponse) string {
	switch e := r.GetEvent().(type) {
	case *operatorsv1.WatchEventsResponse_OperatorHealth:
		return strings.TrimSpace(fmt.Sprint(e.OperatorHealth.GetOperatorId()[35:], " ", strings.TrimPrefix(e.OperatorHealth.GetStatus().String(), "BIND_STATE_")))
	case *operatorsv1.WatchEventsResponse_Release:
		return fmt.Sprint("engine ", e.Release.GetEngineId()[35:], " serves ", e.Release.GetServingActivation())
	case *operatorsv1.WatchEventsResponse_OperatorConfig:
		text := fmt.Sprint("config ", e.OperatorConfig.GetConfigVersion())
		if id := e.OperatorConfig.GetOperatorId(); id != "" {
			text += fmt.Sprint(" of ", id[35:], " version ", e.OperatorConfig.GetOperatorVersion())
		}
		return text
	case *operatorsv1.WatchEventsResponse_Heartbeat:
		if e.Heartbeat.GetConnected() {
			return "heartbeat"
		}
		return "heartbeat without NATS"
	}
	return "nothing"
}

// guest watches until the test ends it.
type guest struct {
	told  chan string
	stop  chan struct{}
	end   context.CancelFunc
	ended chan error
}

// visit begins to watch. With a gate nothing is sent before it closes.
func (w *world) visit(gate chan struct{}) *guest {
	g := &guest{told: make(chan string, 3*mostWords), stop: make(chan struct{}), ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	g.end = cancel
	go func() {
		g.ended <- w.Watch(ctx, g.stop, func(r *operatorsv1.WatchEventsResponse) error {
			if gate != nil {
				<-gate
			}
			g.told <- shown(r)
			return nil
		})
	}()
	return g
}

// hears gives everything that was sent by now. It is called in a bubble.
func (g *guest) hears() (all []string) {
	synctest.Wait()
	for {
		select {
		case text := <-g.told:
			all = append(all, text)
		default:
			return all
		}
	}
}

func (g *guest) leaves(t *testing.T) {
	t.Helper()
	g.end()
	require.ErrorIs(t, <-g.ended, context.Canceled)
}

func TestAWatcherIsToldTheLastWordsThenAHeartbeatThenWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.health(t, one, "BOUND")
		w.change(t, 4, "")
		w.engine(t, one, 7)
		w.health(t, two, "UNBOUND")
		w.health(t, one, "FAILBACK")
		w.setConnected(true)
		g := w.visit(nil)
		defer g.leaves(t)
		require.Equal(t, []string{"engine 1 serves 7", "2 UNBOUND", "1 FAILBACK", "heartbeat"}, g.hears(), "changes of the past are not told")
		w.health(t, two, "BOUND")
		require.Equal(t, []string{"2 BOUND"}, g.hears())
		w.change(t, 5, one.String())
		require.Equal(t, []string{"config 5 of 1 version 3"}, g.hears())
		w.engine(t, one, 8)
		require.Equal(t, []string{"engine 1 serves 8"}, g.hears())
		require.Equal(t, 1.0, testutil.ToFloat64(w.watching))
	})
}

func TestAHeartbeatComesInSilenceAndWhenTheConnectionChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.visit(nil)
		defer g.leaves(t)
		require.Equal(t, []string{"heartbeat without NATS"}, g.hears())
		w.setConnected(true)
		require.Equal(t, []string{"heartbeat"}, g.hears())
		w.setConnected(true)
		require.Empty(t, g.hears(), "the same state is told once")
		time.Sleep(beatEvery - time.Second)
		require.Empty(t, g.hears())
		w.health(t, one, "BOUND")
		require.Equal(t, []string{"1 BOUND"}, g.hears())
		time.Sleep(beatEvery - time.Second)
		require.Empty(t, g.hears(), "the silence began anew")
		time.Sleep(time.Second)
		require.Equal(t, []string{"heartbeat"}, g.hears())
		time.Sleep(2 * beatEvery)
		require.Equal(t, []string{"heartbeat", "heartbeat"}, g.hears())
		w.setConnected(false)
		require.Equal(t, []string{"heartbeat without NATS"}, g.hears())
	})
}

func TestASlowWatcherIsToldTheNewestAndHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		gate := make(chan struct{})
		slow, quick := w.visit(gate), w.visit(nil)
		defer slow.leaves(t)
		defer quick.leaves(t)
		require.Equal(t, []string{"heartbeat without NATS"}, quick.hears())
		for version, state := range []string{"BOUND", "UNBOUND", "FAILBACK"} {
			w.health(t, one, state)
			w.engine(t, two, version+1)
			w.change(t, 10-version, one.String())
			require.Equal(t, []string{"1 " + state, fmt.Sprint("engine 2 serves ", version+1), fmt.Sprint("config ", 10-version, " of 1 version 3")}, quick.hears())
		}
		require.Empty(t, slow.hears())
		close(gate)
		require.Equal(t, []string{"heartbeat without NATS", "1 FAILBACK", "engine 2 serves 3", "config 10"}, slow.hears(),
			"several changes are one of the highest version that names no operator")
		w.change(t, 11, two.String())
		require.Equal(t, []string{"config 11 of 2 version 3"}, slow.hears())
	})
}

func TestAMergedChangeSaysWhenTheLatestOneWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.join()
		for _, version := range []int{3, 5, 4} {
			require.NoError(t, w.hearConfig(w.message("operator.config.updated",
				fmt.Sprintf(`{"configVersion":%d,"occurredAt":"2026-11-22T00:00:0%dZ","operatorId":%q,"credentialsChanged":true}`, version, version, one))))
		}
		require.EqualValues(t, 5, g.change.GetConfigVersion())
		require.Equal(t, timestamppb.New(time.Date(2026, 11, 22, 0, 0, 5, 0, time.UTC)).AsTime(), g.change.GetOccurredAt().AsTime())
		require.False(t, g.change.GetCredentialsChanged())
		w.leave(g)
		w.change(t, 6, "")
		require.EqualValues(t, 5, g.change.GetConfigVersion(), "who left is told no more")
	})
}

func TestAWordThatTheStreamGivesAgainIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		m := w.health(t, one, "BOUND")
		g := w.visit(nil)
		defer g.leaves(t)
		require.Equal(t, []string{"1 BOUND", "heartbeat without NATS"}, g.hears())
		require.NoError(t, w.hearHealth(m))
		require.Empty(t, g.hears())
		m.Time = m.Time.Add(time.Second) // of a stream that was made anew, at the same place
		require.NoError(t, w.hearHealth(m))
		require.Equal(t, []string{"1 BOUND"}, g.hears())
	})
}

func TestOldWordsAreNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.health(t, one, "BOUND")
		w.engine(t, one, 1)
		for _, c := range []struct {
			after time.Duration
			want  []string
		}{
			{operators.EngineLife, []string{"1 BOUND", "engine 1 serves 1", "heartbeat without NATS"}},
			{time.Second, []string{"1 BOUND", "heartbeat without NATS"}},
			{healthLife, []string{"heartbeat without NATS"}},
		} {
			time.Sleep(c.after)
			g := w.visit(nil)
			require.Equal(t, c.want, g.hears())
			g.leaves(t)
		}
	})
}

func TestWordsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.health(t, one, "BOUND")
		w.health(t, two, "BOUND")
		w.health(t, one, "UNBOUND") // speaks again
		for range mostWords - 1 {
			w.health(t, uuid.New(), "BOUND")
		}
		require.Equal(t, mostWords, w.words.order.Len())
		require.Len(t, w.words.bySubject, mostWords)
		g := w.visit(nil)
		defer g.leaves(t)
		told := g.hears()
		require.Len(t, told, mostWords+1)
		require.Equal(t, "1 UNBOUND", told[0], "who was silent for longest made room")
	})
}

func TestAWatchEndsAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(stop chan struct{}, cancel context.CancelFunc) error
		want error
	}{
		"with a stop":             {func(stop chan struct{}, _ context.CancelFunc) error { close(stop); return nil }, nil},
		"with its context":        {func(_ chan struct{}, cancel context.CancelFunc) error { cancel(); return nil }, context.Canceled},
		"when the caller is gone": {func(chan struct{}, context.CancelFunc) error { return errors.ErrUnsupported }, errors.ErrUnsupported},
	} {
		t.Run(name+" among many words", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				for range 100 {
					w.health(t, uuid.New(), "BOUND")
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				stop, sent := make(chan struct{}), 0
				err := w.Watch(ctx, stop, func(*operatorsv1.WatchEventsResponse) error {
					sent++
					return c.end(stop, cancel)
				})
				require.ErrorIs(t, err, c.want)
				require.Equal(t, 1, sent)
				require.Empty(t, w.watchers)
				require.Zero(t, testutil.ToFloat64(w.watching))
			})
		})
	}
	t.Run("while it waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			g := w.visit(nil)
			require.Equal(t, []string{"heartbeat without NATS"}, g.hears())
			close(g.stop)
			require.NoError(t, <-g.ended)
		})
	})
}
