package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/clock"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/natstest"
	"trunkline/services/routing"
	"trunkline/services/routing/bus"
	"trunkline/services/routing/routingtest"
)

const (
	eventually = 60 * time.Second
	tick       = 5 * time.Millisecond
)

// saver keeps what the durable saves; it fails while it is told to.
type saver struct {
	mu    sync.Mutex
	fail  error
	saved []routing.HealthEvent
}

func (s *saver) Save(_ context.Context, e routing.HealthEvent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		s.saved = append(s.saved, e)
	}
	return s.fail
}

func (s *saver) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

func (s *saver) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.saved)
}

type observed struct {
	mu     sync.Mutex
	status []string
}

func (o *observed) HealthApplied(status string, _ bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.status = append(o.status, status)
}

func connect(t *testing.T, url string) *jetstream.Conn {
	t.Helper()
	cfg := jetstream.DefaultConfig()
	cfg.URLs = []string{url}
	conn, err := jetstream.Connect(cfg, logger(t))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	require.Eventually(t, func() bool { return conn.Check(t.Context()) == nil }, eventually, tick)
	require.NoError(t, conn.EnsureStreams(t.Context(), bus.Streams()))
	return conn
}

// neighbour is a plain NATS client, as anybody has.
func neighbour(t *testing.T, url string) (*nats.Conn, natsjs.JetStream) {
	t.Helper()
	nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := natsjs.New(nc)
	require.NoError(t, err)
	return nc, js
}

type engine struct {
	conn     *jetstream.Conn
	view     *routing.HealthView
	saver    *saver
	observer *observed
}

func startEngine(t *testing.T, url string) engine {
	t.Helper()
	e := engine{conn: connect(t, url), view: routing.NewHealthView(), saver: &saver{}, observer: &observed{}}
	h := bus.NewHealth(e.conn, e.view, e.saver, e.observer, clock.System(), logger(t))
	subscriptions, err := h.Start(t.Context())
	require.NoError(t, err)
	for _, s := range subscriptions {
		<-s.Synced()
	}
	return e
}

func (e engine) sees(t *testing.T, id uuid.UUID, bind routing.BindState) {
	t.Helper()
	require.Eventually(t, func() bool { return e.view.Get(id).Bind == bind }, eventually, tick)
}

func TestHealthReachesEveryEngine(t *testing.T) {
	server := natstest.Start(t)
	a, b := startEngine(t, server.URL()), startEngine(t, server.URL())
	nc, _ := neighbour(t, server.URL())
	id := routingtest.UID(1)
	for i, tt := range []struct {
		name, subject, event string
		bind                 routing.BindState
		quality              routing.Quality
	}{
		{"short names on the plain subject", "operator.health", `{"operatorId":"` + id.String() + `","status":"UNBOUND","occurredAt":"2020-01-01T00:00:00Z"}`, routing.Unbound, routing.Unhealthy},
		{"long names on the operator's subject", "operator.health." + id.String(), `{"operatorId":"` + id.String() + `","status":"BIND_STATE_BOUND"}`, routing.Bound, routing.Healthy},
		{"a quality as status", "operator.health", `{"operatorId":"` + id.String() + `","status":"degraded"}`, routing.Bound, routing.Degraded},
		{"snake case and a version as text", "operator.health", `{"operator_id":"` + id.String() + `","status":"FAILBACK","quality":"HEALTHY","version":"12","later":1}`, routing.Failback, routing.Healthy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, nc.Publish(tt.subject, []byte(tt.event)))
			for _, e := range []engine{a, b} {
				e.sees(t, id, tt.bind)
				require.Eventually(t, func() bool { return e.view.Get(id).Quality == tt.quality }, eventually, tick)
				require.True(t, e.view.Get(id).Known(time.Now()), "its age counts from the stream, not from occurredAt")
			}
			// The next event is published when this one has reached the operator's subject, so none replaces another.
			require.Eventually(t, func() bool { return a.saver.count()+b.saver.count() == i+1 }, eventually, tick, "each event is saved by one of the engines")
		})
	}
	a.observer.mu.Lock()
	defer a.observer.mu.Unlock()
	require.Equal(t, []string{"UNBOUND", "BOUND", "DEGRADED", "FAILBACK"}, a.observer.status)
}

// TestALateMoveDoesNotHideANewerWord: nobody moves the inbox until the operator's own subject has a newer word.
func TestALateMoveDoesNotHideANewerWord(t *testing.T) {
	server := natstest.Start(t)
	connect(t, server.URL())
	nc, js := neighbour(t, server.URL())
	old, moved := routingtest.UID(1), routingtest.UID(2)
	say := func(subject string, id uuid.UUID, status string) {
		_, err := js.Publish(t.Context(), subject, []byte(`{"operatorId":"`+id.String()+`","status":"`+status+`"}`))
		require.NoError(t, err)
	}
	say("operator.health", old, "UNBOUND")
	say("operator.health."+old.String(), old, "BOUND")
	say("operator.health", moved, "BOUND")
	say("operator.health", moved, "UNBOUND")
	require.NoError(t, nc.Flush())

	e := startEngine(t, server.URL())
	e.sees(t, moved, routing.Unbound) // the inbox is moved in order, so the late UNBOUND came before it
	e.sees(t, old, routing.Bound)
	require.Eventually(t, func() bool {
		stream, err := js.Stream(t.Context(), bus.HealthStream)
		return err == nil && stream.CachedInfo().State.LastSeq == 3
	}, eventually, tick, "the BOUND and the two words that were moved")
}

// TestAHeartbeatIsNoNewerWord: operator-management repeats its word right after somebody said another by hand, and before
// an engine moved that.
func TestAHeartbeatIsNoNewerWord(t *testing.T) {
	for name, tt := range map[string]struct {
		hand, after string
		known       int64 // the version that the engine heard long before; 0 is none
		moved       bool
	}{
		"a heartbeat":                       {`"status":"UNBOUND"`, `"status":"BOUND","version":5`, 5, true},
		"a change":                          {`"status":"UNBOUND"`, `"status":"BOUND","version":6`, 5, false},
		"a word without a version":          {`"status":"UNBOUND"`, `"status":"BOUND"`, 5, false},
		"an engine that just started":       {`"status":"UNBOUND"`, `"status":"BOUND","version":5`, 0, false},
		"a lower version than that by hand": {`"status":"UNBOUND","version":6`, `"status":"BOUND","version":5`, 0, true},
		"as high a version as that by hand": {`"status":"UNBOUND","version":5`, `"status":"BOUND","version":5`, 5, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := natstest.Start(t)
			conn := connect(t, server.URL())
			_, js := neighbour(t, server.URL())
			id := routingtest.UID(1)
			say := func(subject, what string) {
				_, err := js.Publish(t.Context(), subject, []byte(`{"operatorId":"`+id.String()+`",`+what+`}`))
				require.NoError(t, err)
			}
			say("operator.health", tt.hand)
			say("operator.health."+id.String(), tt.after)

			view := routing.NewHealthView()
			if tt.known > 0 {
				long := time.Now().Add(-time.Hour)
				view.Apply(routing.HealthEvent{Operator: id, Bind: routing.Bound, Version: tt.known, Position: routing.Position{At: long}, ObservedAt: long})
			}
			h := bus.NewHealth(conn, view, &saver{}, &observed{}, clock.System(), logger(t))
			_, err := h.Start(t.Context())
			require.NoError(t, err)
			inbox, err := js.Stream(t.Context(), bus.InboxStream)
			require.NoError(t, err)
			require.Eventually(t, func() bool { // the word by hand was looked at
				moving, err := inbox.Consumer(t.Context(), "routing-engine-health-inbox")
				return err == nil && moving.CachedInfo().AckFloor.Stream == 1
			}, eventually, tick)
			last, err := conn.Last(t.Context(), bus.HealthStream, "operator.health."+id.String())
			require.NoError(t, err)
			require.Equal(t, tt.moved, last.Sequence == 2)
			if tt.moved {
				require.Eventually(t, func() bool { return view.Get(id).Bind == routing.Unbound }, eventually, tick)
			}
		})
	}
}

func TestABurstOnThePlainSubjectLosesNothing(t *testing.T) {
	server := natstest.Start(t)
	nc, _ := neighbour(t, server.URL())
	connect(t, server.URL())
	for i := range 300 {
		require.NoError(t, nc.Publish("operator.health", []byte(`{"operatorId":"`+routingtest.UID(uint64(i)).String()+`","status":"UNBOUND"}`)))
	}
	require.NoError(t, nc.Flush())
	e := startEngine(t, server.URL())
	for i := range 300 {
		e.sees(t, routingtest.UID(uint64(i)), routing.Unbound)
	}
}

// TestAnUnboundDoesNotWaitBehindOthers: the move out of the inbox is held up by an engine that hangs, and the
// view learns all the same.
func TestAnUnboundDoesNotWaitBehindOthers(t *testing.T) {
	server := natstest.Start(t)
	conn := connect(t, server.URL())
	hang := make(chan struct{})
	defer close(hang)
	held, err := conn.Durable(t.Context(), jetstream.DurableSpec{Stream: bus.InboxStream, Name: "routing-engine-health-inbox", Policy: jetstream.All, MaxInFlight: 1, AckWait: time.Hour},
		func(context.Context, jetstream.Message) error { <-hang; return nil })
	require.NoError(t, err)
	<-held.Synced()
	nc, _ := neighbour(t, server.URL())
	publish := func(id uuid.UUID) {
		require.NoError(t, nc.Publish("operator.health", []byte(`{"operatorId":"`+id.String()+`","status":"UNBOUND"}`)))
	}
	publish(routingtest.UID(1))
	require.NoError(t, nc.Flush())

	view := routing.NewHealthView()
	h := bus.NewHealth(connect(t, server.URL()), view, &saver{}, &observed{}, clock.System(), logger(t))
	subscriptions, err := h.Start(t.Context())
	require.NoError(t, err)
	<-subscriptions[0].Synced()
	<-subscriptions[1].Synced()
	publish(routingtest.UID(2))
	require.Eventually(t, func() bool { return view.Get(routingtest.UID(2)).Bind == routing.Unbound }, eventually, tick)
}

func TestAnEngineThatStartsKnowsWhatWasSaidBefore(t *testing.T) {
	server := natstest.Start(t)
	first := startEngine(t, server.URL())
	_, js := neighbour(t, server.URL())
	id := routingtest.UID(1)
	_, err := js.Publish(t.Context(), "operator.health."+id.String(), []byte(`{"operatorId":"`+id.String()+`","status":"UNBOUND"}`))
	require.NoError(t, err)
	first.sees(t, id, routing.Unbound)
	second := startEngine(t, server.URL())
	require.Equal(t, routing.Unbound, second.view.Get(id).Bind, "at once after Synced")
}

func TestPoisonGoesToTheDeadLetterStream(t *testing.T) {
	server := natstest.Start(t)
	e := startEngine(t, server.URL())
	nc, js := neighbour(t, server.URL())
	id := routingtest.UID(1)
	poison := map[string]string{
		"operator.health":                 `not json`,
		"operator.health.x":               `{"operatorId":"` + id.String() + `","status":"UNBOUND"}`,
		"operator.health." + id.String():  `{"operatorId":"` + id.String() + `","status":"SLEEPY"}`,
		"operator.health.no-operator":     `{"status":"BOUND"}`,
		"operator.health.says-nothing":    `{"operatorId":"` + id.String() + `"}`,
		"operator.health.not-an-object":   `[]`,
		"operator.health.negative":        `{"operatorId":"` + id.String() + `","status":"BOUND","version":-1}`,
		"operator.health.wrong-type":      `{"operatorId":7,"status":"BOUND"}`,
		"operator.health.wrong-timestamp": `{"operatorId":"` + id.String() + `","status":"BOUND","occurredAt":"yesterday"}`,
	}
	for subject, event := range poison {
		require.NoError(t, nc.Publish(subject, []byte(event)))
	}
	letters, err := js.Stream(t.Context(), jetstream.DeadLetterStream)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		info, err := letters.Info(t.Context())
		return err == nil && int(info.State.Msgs) == len(poison)
	}, eventually, tick)
	require.Equal(t, routing.Health{}, e.view.Get(id))
	require.Zero(t, e.saver.count())
}

func TestAnEventIsAcknowledgedOnlyWhenItWasSaved(t *testing.T) {
	server := natstest.Start(t)
	e := startEngine(t, server.URL())
	e.saver.set(errors.New("cache down"))
	_, js := neighbour(t, server.URL())
	id := routingtest.UID(1)
	_, err := js.Publish(t.Context(), "operator.health."+id.String(), []byte(`{"operatorId":"`+id.String()+`","status":"UNBOUND"}`))
	require.NoError(t, err)
	e.sees(t, id, routing.Unbound) // decisions do not wait for the cache
	consumer, err := js.Consumer(t.Context(), bus.HealthStream, "routing-engine-health")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		info, err := consumer.Info(t.Context())
		return err == nil && info.NumRedelivered > 0 && info.AckFloor.Stream == 0
	}, eventually, tick)
	e.saver.set(nil)
	require.Eventually(t, func() bool { return e.saver.count() == 1 }, eventually, tick)
	require.Eventually(t, func() bool {
		info, err := consumer.Info(t.Context())
		return err == nil && info.NumAckPending == 0 && info.AckFloor.Stream == 1
	}, eventually, tick)
}

func TestHealthComesBackAfterTheServerWasKilled(t *testing.T) {
	server := natstest.Start(t)
	e := startEngine(t, server.URL())
	_, js := neighbour(t, server.URL())
	id := routingtest.UID(1)
	say := func(state string) {
		require.Eventually(t, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := js.Publish(ctx, "operator.health", []byte(`{"operatorId":"`+id.String()+`","status":"`+state+`"}`))
			return err == nil
		}, eventually, tick)
	}
	say("UNBOUND")
	e.sees(t, id, routing.Unbound)
	server.Kill()
	require.Equal(t, routing.Unbound, e.view.Get(id).Bind, "what is known stays known")
	server.Restart()
	say("BOUND")
	e.sees(t, id, routing.Bound)
}

// versions is a store that holds versions when it is told.
type versions struct {
	mu       sync.Mutex
	told     []int64
	inForce  int64
	failures int64
	rounds   []int // what was told when failures were asked for
	changed  chan struct{}
}

func (v *versions) Changed(version int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.told = append(v.told, version)
}

func (v *versions) Await(ctx context.Context, version int64) bool {
	for {
		v.mu.Lock()
		ok := v.inForce >= version
		v.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-v.changed:
		}
	}
}

func (v *versions) Failures() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rounds = append(v.rounds, len(v.told))
	return v.failures
}

func (v *versions) heard(version int64) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, one := range v.told {
		if one == version {
			return true
		}
	}
	return false
}

func TestConfigurationEventsRefreshAndAreConfirmedWhenInForce(t *testing.T) {
	server := natstest.Start(t)
	conn := connect(t, server.URL())
	v := &versions{changed: make(chan struct{})}
	subscriptions, err := bus.NewConfig(conn, v, logger(t)).Start(t.Context())
	require.NoError(t, err)
	for _, s := range subscriptions {
		<-s.Synced()
	}
	require.Eventually(t, func() bool { return v.heard(0) }, eventually, tick, "a connect looks for what was missed")

	_, js := neighbour(t, server.URL())
	_, err = js.Publish(t.Context(), "operator.config.updated", []byte(`{"configVersion":"7"}`))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return v.heard(7) }, eventually, tick)
	consumer, err := js.Consumer(t.Context(), bus.ConfigStream, "routing-engine-config")
	require.NoError(t, err)
	info, err := consumer.Info(t.Context())
	require.NoError(t, err)
	require.Zero(t, info.AckFloor.Stream, "not yet in force")
	v.mu.Lock()
	v.inForce = 7
	v.mu.Unlock()
	close(v.changed)
	require.Eventually(t, func() bool {
		info, err := consumer.Info(t.Context())
		return err == nil && info.AckFloor.Stream == 1
	}, eventually, tick)

	_, err = js.Publish(t.Context(), "operator.config.created", []byte(`{"configVersion":"0"}`))
	require.NoError(t, err)
	letters, err := js.Stream(t.Context(), jetstream.DeadLetterStream)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		info, err := letters.Info(t.Context())
		return err == nil && info.State.Msgs == 1
	}, eventually, tick)
}

// TestAnEngineLooksForChangesWhileTheBusIsAway: nobody tells of them then.
func TestAnEngineLooksForChangesWhileTheBusIsAway(t *testing.T) {
	server := natstest.Start(t)
	conn := connect(t, server.URL())
	v := &versions{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		bus.NewConfig(conn, v, logger(t)).Poll(ctx)
	}()
	quiet := func() bool { // for some rounds
		v.mu.Lock()
		defer v.mu.Unlock()
		n := len(v.rounds)
		return n >= 3 && v.rounds[n-1] == v.rounds[n-3]
	}
	looking := func() bool { return !quiet() }
	fail := func(n int64) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.failures = n
	}
	require.Eventually(t, quiet, eventually, tick, "it is told of changes")
	server.Kill()
	require.Eventually(t, looking, eventually, tick)
	require.True(t, v.heard(0))
	fail(1)
	require.Eventually(t, quiet, eventually, tick, "a store that fails is not hurried")
	fail(0)
	require.Eventually(t, looking, eventually, tick)
	server.Restart()
	require.Eventually(t, quiet, eventually, tick, "it is told again")
	cancel()
	<-done
}

func TestHealthSurvivesTheCodec(t *testing.T) {
	for _, e := range []routing.HealthEvent{
		{Operator: routingtest.UID(1), Bind: routing.Failback, Quality: routing.Degraded, Version: 9, ObservedAt: routingtest.Now},
		{Operator: routingtest.UID(1), Bind: routing.Unbound, ObservedAt: routingtest.Now},
		{Operator: routingtest.UID(1), Quality: routing.Healthy},
	} {
		data, err := bus.EncodeHealth(e)
		require.NoError(t, err)
		back, err := bus.DecodeHealth(data)
		require.NoError(t, err)
		require.Equal(t, e, back)
	}
}

func FuzzDecodeHealth(f *testing.F) {
	f.Add([]byte(`{"operatorId":"00000000-0000-0001-0000-000000000001","status":"UNBOUND","quality":"HEALTHY","version":3}`))
	f.Add([]byte(`{"status":1,"quality":"x"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := bus.DecodeHealth(data)
		if err != nil {
			return
		}
		if e.Bind == routing.BindUnknown && e.Quality == routing.QualityUnknown {
			t.Fatal("an event that says nothing was accepted")
		}
		again, err := bus.EncodeHealth(e)
		require.NoError(t, err)
		back, err := bus.DecodeHealth(again)
		require.NoError(t, err)
		require.True(t, back.ObservedAt.Equal(e.ObservedAt))
		back.ObservedAt, e.ObservedAt = time.Time{}, time.Time{}
		require.Equal(t, e, back)
	})
}

// logger shows the log of a test that fails.
func logger(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }
