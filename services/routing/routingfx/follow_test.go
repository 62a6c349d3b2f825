package routingfx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/migrations"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/natstest"
	"trunkline/services/platform/pgtest"
	"trunkline/services/platform/rediscache"
	"trunkline/services/platform/redistest"
	"trunkline/services/platform/rpcclient"
	"trunkline/services/routing"
	"trunkline/services/routing/routingfx"
	"trunkline/services/routing/routingtest"
)

// TestAnEngineFollowsASuspension: by the event alone, and at once. The next sweep would be minutes away.
func TestAnEngineFollowsASuspension(t *testing.T) {
	bothTables(t, func(t *testing.T, table string) {
		url := bunstoretest.Postgres(t, migrations.Postgres)
		database(t, url)
		e := start(t, settings{table: table, database: url})
		e.follows(2)
		e.synced(url, 3)
		for range 3 {
			e.answers("+447911123456", first, 3) // now every cache holds it
		}
		require.ElementsMatch(t, []uuid.UUID{first, second}, e.supply.UsableOperators())

		pgtest.Exec(t, url, suspendFirst)
		e.changed(4, fmt.Sprintf(`,"operatorId":"%s","operatorVersion":"9"`, first))
		e.follows(4)
		e.answers("+447911123456", second, 4)
		require.Equal(t, []uuid.UUID{second}, e.supply.UsableOperators(), "health is asked about it no more")

		// The same event again, an older one and one that somebody made up change nothing.
		for _, version := range []int64{4, 2, 1 << 60} {
			e.changed(version, "")
		}
		pgtest.Exec(t, url, touch)
		e.changed(5, "")
		e.follows(5)
		e.answers("+447911123456", second, 5)
	})
}

// TestAnEngineFollowsASuspensionWithoutNATS: nobody tells of it, and the next sweep would be minutes away.
func TestAnEngineFollowsASuspensionWithoutNATS(t *testing.T) {
	bothTables(t, func(t *testing.T, table string) {
		url, nats := bunstoretest.Postgres(t, migrations.Postgres), natstest.Start(t)
		database(t, url)
		e := start(t, settings{table: table, database: url, nats: nats.URL()})
		e.follows(2)
		e.synced(url, 3)
		nats.Kill()
		pgtest.Exec(t, url, suspendFirst)
		e.follows(4)
		e.answers("+447911123456", second, 4)
	})
}

func TestHealthComesFromOperatorManagementWhenRedisIsKilled(t *testing.T) {
	redis := redistest.Start(t)
	cfg := rediscache.DefaultConfig()
	cfg.Addrs = []string{redis.Addr()}
	cache, err := rediscache.Open(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	require.NoError(t, err)
	t.Cleanup(cache.Close)
	require.Eventually(t, func() bool { return cache.Check(t.Context()) == nil }, eventually, tick)

	url := bunstoretest.Postgres(t, migrations.Postgres)
	database(t, url)
	m, control := management(t, engineIdentity)
	e := start(t, settings{table: routingfx.TableDatabase, database: url, control: control, cache: cache})
	e.follows(2)
	e.answers("+447911123456", first, 2)

	// Nobody says anything on the bus either.
	redis.Kill()
	m.Answer(func(a *routingtest.Answers) {
		a.Health = func(ids []string) (list []*operatorsv1.OperatorHealth, err error) {
			for _, id := range ids {
				h := &operatorsv1.OperatorHealth{OperatorId: id, BindState: eventsv1.BindState_BIND_STATE_BOUND, Quality: eventsv1.Quality_QUALITY_HEALTHY, Version: 5, ObserveTime: timestamppb.Now()}
				if id == first.String() {
					h.BindState, h.Quality = eventsv1.BindState_BIND_STATE_UNBOUND, eventsv1.Quality_QUALITY_UNHEALTHY
				}
				list = append(list, h)
			}
			return list, nil
		}
	})
	require.Eventually(t, func() bool { return e.view.Get(first).Bind == routing.Unbound }, eventually, tick)
	e.answers("+447911123456", second, 2)
	e.answers("+4915112345678", second, 2)

	// A word on the bus that is newer comes through as always.
	event, err := json.Marshal(map[string]any{"operatorId": first, "status": "BOUND", "version": "6"})
	require.NoError(t, err)
	require.NoError(t, e.conn.Publish(t.Context(), "operator.health."+first.String(), event, ""))
	require.Eventually(t, func() bool { return e.view.Get(first).Bind == routing.Bound }, eventually, tick)
	e.answers("+447911123456", first, 2)
}

// slow is a shared cache that lets a test hold up its reads.
type slow struct {
	*rediscache.Memory
	reading chan struct{}
	open    chan struct{}
	fills   atomic.Int64
}

func (s *slow) Get(ctx context.Context, key string) ([]byte, bool, error) {
	if strings.HasPrefix(key, "route:") {
		s.reading <- struct{}{}
		<-s.open
	}
	return s.Memory.Get(ctx, key)
}

func (s *slow) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	s.fills.Add(1)
	return s.Memory.Set(ctx, key, value, ttl)
}

func TestEqualQuestionsFillTheSharedCacheOnce(t *testing.T) {
	memory, err := rediscache.NewMemory(100, clock.System())
	require.NoError(t, err)
	const callers = 20
	cache := &slow{Memory: memory, reading: make(chan struct{}, callers), open: make(chan struct{})}
	url := bunstoretest.Postgres(t, migrations.Postgres)
	database(t, url)
	e := start(t, settings{table: routingfx.TableDatabase, database: url, cache: cache})
	e.follows(2)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			if _, err := e.ask("+447911123456"); err != nil {
				t.Error(err)
			}
		})
	}
	<-cache.reading
	close(cache.open)
	wg.Wait()
	require.EqualValues(t, 1, cache.fills.Load())
}

func TestTheConfigurationSaysHowToMendIt(t *testing.T) {
	require.NoError(t, routingfx.DefaultConfig().Validate())
	for want, change := range map[string]func(*routingfx.Config){
		"choose database, memory or release": func(c *routingfx.Config) { c.Table = "redis" },
		"set a duration from 1s to 1m":       func(c *routingfx.Config) { c.HealthPoll = time.Millisecond },
		"set a duration from 1s to 1m ":      func(c *routingfx.Config) { c.HealthPoll = time.Hour },
	} {
		c := routingfx.DefaultConfig()
		change(&c)
		require.ErrorContains(t, c.Validate(), strings.TrimSpace(want))
	}
}

func TestAnEngineDoesNotStartWithCertificatesItCannotRead(t *testing.T) {
	s := settings{table: routingfx.TableMemory, database: "sqlite::memory:", control: rpcclient.DefaultConfig()}
	s.control.URL = "https://127.0.0.1:1"
	s.control.TLS = rpcclient.TLSConfig{CertFile: "/none", KeyFile: "/none", CAFile: "/none"}
	require.ErrorContains(t, fx.New(s.options(t)).Err(), "/none")
}
