package routingfx_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/migrations"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/natstest"
	"trunkline/services/platform/pgtest"
	"trunkline/services/routing"
	"trunkline/services/routing/routingfx"
	"trunkline/services/routing/routingtest"
)

// published is what engines in release mode need: NATS, and who publishes there.
type published struct {
	nats *natstest.Server
	conn *jetstream.Conn
	*routingtest.Publisher
	settings settings
}

func publishing(t *testing.T, databaseURL string) published {
	t.Helper()
	p := published{nats: natstest.Start(t)}
	cfg := jetstream.DefaultConfig()
	cfg.URLs = []string{p.nats.URL()}
	var err error
	p.conn, err = jetstream.Connect(cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(p.conn.Close)
	require.Eventually(t, func() bool { return p.conn.Check(t.Context()) == nil }, eventually, tick)
	p.Publisher = routingtest.NewPublisher(t, p.conn)
	release := routingfx.DefaultConfig().Release
	release.Environment, release.PublicKeys, release.Folder = routingtest.Environment, []string{p.PublicKey}, filepath.Join(t.TempDir(), "releases")
	p.settings = settings{table: routingfx.TableRelease, database: databaseURL, nats: p.nats.URL(), release: release}
	return p
}

// priced makes a release in which the operator carries everything for n billionths of a euro.
func (p published) priced(operator uuid.UUID, n int64) routingtest.Published {
	return p.Create(rules(func(rs *routingtest.RuleSet) {
		for i := range rs.Rules {
			list := rs.Rules[i].Candidates
			for at := range list {
				list[at].Price = routingtest.Euro(n)
				if list[at].Operator == operator {
					list[at].Priority = 1
				} else {
					list[at].Priority = 2
				}
			}
		}
	}))
}

// decides waits until the engine answers with an operator by an activation and a version of the live operators, and gives
// what it says of itself.
func (e *engine) decides(operator uuid.UUID, activation, config int64) *routingv1.DecisionMeta {
	e.t.Helper()
	var got *routingv1.SelectOperatorResponse
	var err error
	require.Eventually(e.t, func() bool {
		got, err = e.ask("+447911123456")
		return err == nil && got.GetOperatorId() == operator.String() && got.GetMeta().GetRulesVersion() == activation &&
			got.GetMeta().GetConfigVersion() == config
	}, eventually, tick, "the answer is %v, %v", got, err)
	return got.GetMeta()
}

// TestPublishesAndRollbacksMixNoTwoVersions: no call fails, and what it answers belongs to one release.
func TestPublishesAndRollbacksMixNoTwoVersions(t *testing.T) {
	url := bunstoretest.Postgres(t, migrations.Postgres)
	database(t, url)
	p := publishing(t, url)
	e := start(t, p.settings)

	type truth struct {
		release, operator string
		nanos             int64
	}
	var truths sync.Map // by activation
	operators := []uuid.UUID{first, second}
	var made []routingtest.Published
	var of []truth
	activation := int64(0)
	put := func(n int) {
		activation++
		truths.Store(activation, of[n])
		p.Publish(made[n], activation)
		e.decides(uuid.MustParse(of[n].operator), activation, 2)
	}
	create := func() {
		n := len(made)
		made = append(made, p.priced(operators[n%2], int64(n+1)))
		of = append(of, truth{made[n].ID.String(), operators[n%2].String(), int64(n + 1)})
	}
	create()
	put(0)

	ctx, end := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var calls atomic.Int64
	check := func(got *routingv1.SelectOperatorResponse, newest *int64) error {
		meta := got.GetMeta()
		want, ok := truths.Load(meta.GetRulesVersion())
		said := truth{meta.GetReleaseId(), got.GetOperatorId(), got.GetUnitPrice().GetNanos()}
		switch {
		case !ok || want != said:
			return fmt.Errorf("activation %d says %+v instead of %+v", meta.GetRulesVersion(), said, want)
		case meta.GetRulesVersion() < *newest:
			return fmt.Errorf("activation %d after %d", meta.GetRulesVersion(), *newest)
		case meta.GetCache() != routingv1.CacheResult_CACHE_RESULT_BYPASS || meta.GetConfigVersion() != 2:
			return fmt.Errorf("meta is %v", meta)
		}
		*newest = meta.GetRulesVersion()
		return nil
	}
	for i := range 4 {
		load.Go(func() {
			newest := int64(0)
			question := &routingv1.SelectOperatorRequest{To: "+447911123456", AccountId: account, MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS}
			ticker := time.NewTicker(4 * time.Millisecond) // together 1,000 calls/s
			defer ticker.Stop()
			for ctx.Err() == nil {
				<-ticker.C
				calls.Add(1)
				if i == 0 {
					batch, err := e.client.BatchSelectOperators(t.Context(), &routingv1.BatchSelectOperatorsRequest{Requests: []*routingv1.SelectOperatorRequest{question}})
					if err == nil {
						err = check(batch.GetResults()[0].GetResponse(), &newest)
					}
					if err != nil {
						t.Errorf("a batch: %v", err)
						return
					}
					continue
				}
				got, err := e.client.SelectOperator(t.Context(), question)
				if err == nil {
					err = check(got, &newest)
				}
				if err != nil {
					t.Errorf("a call: %v", err)
					return
				}
			}
		})
	}
	rng := rand.New(rand.NewPCG(5, 5))
	rollbacks := rng.Perm(50)[:20] // after these publishes it goes back
	for n := range 50 {
		create()
		put(len(made) - 1)
		for _, at := range rollbacks {
			if at == n {
				put(max(len(made)-2-rng.IntN(2), 0)) // to the one before, or one further back
			}
		}
	}
	end()
	load.Wait()
	require.EqualValues(t, 71, activation)
	require.Positive(t, calls.Load())
	_, metrics := e.page("/metrics")
	require.Contains(t, metrics, "routing_engine_release_activation 71")
	require.Contains(t, metrics, "routing_engine_release_apply_seconds_count 71")
	require.NotRegexp(t, `routing_engine_release_refused_total\{.*\} [1-9]`, metrics)
}

func TestAnEngineWithoutAReleaseIsNotReady(t *testing.T) {
	url := bunstoretest.Postgres(t, migrations.Postgres)
	database(t, url)
	p := publishing(t, url)
	e := start(t, p.settings)
	e.dependency("release", "down", "RELEASE_NONE")
	e.dependency("rules", "down", "RULES_NOT_LOADED")
	status, _ := e.page("/ready")
	require.Equal(t, 503, status)
	_, err := e.ask("+447911123456")
	require.ErrorContains(t, err, "not loaded")

	one := p.priced(first, 1)
	p.Publish(one, 1)
	require.Equal(t, one.ID.String(), e.decides(first, 1, 2).GetReleaseId())
	e.dependency("release", "up", "")
	e.dependency("rules", "up", "")
	status, _ = e.page("/ready")
	require.Equal(t, 200, status)
	_, metrics := e.page("/metrics")
	require.Contains(t, metrics, `routing_engine_config_source{source="release"} 1`)
	require.Contains(t, metrics, "routing_engine_release_age_seconds")
	require.Contains(t, metrics, "routing_engine_prefix_cache_size 2")

	p.Put([]byte("garbage"))
	e.dependency("release", "down", "MANIFEST_LAYOUT")
	status, body := e.page("/ready")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"release"`)
	_, metrics = e.page("/metrics")
	require.Contains(t, metrics, `routing_engine_release_refused_total{reason="MANIFEST_LAYOUT"} 1`)
	e.decides(first, 1, 2)
}

// TestASuspensionDoesNotWaitForARelease: nor does a reactivation, nor what a neighbour says of health.
func TestASuspensionDoesNotWaitForARelease(t *testing.T) {
	url := bunstoretest.Postgres(t, migrations.Postgres)
	database(t, url)
	p := publishing(t, url)
	one := p.priced(first, 1)
	p.Publish(one, 1)
	e := start(t, p.settings)
	e.decides(first, 1, 2)

	pgtest.Exec(t, url, suspendFirst)
	e.changed(3, fmt.Sprintf(`,"operatorId":"%s","operatorVersion":"9"`, first))
	e.decides(second, 1, 3)

	pgtest.Exec(t, url, `SET search_path TO ops_routing; UPDATE operators SET status = 'ACTIVE'; UPDATE config_state SET config_version = config_version + 1`)
	e.changed(4, "")
	e.decides(first, 1, 4)

	require.NoError(t, e.conn.Publish(t.Context(), "operator.health."+first.String(), []byte(fmt.Sprintf(`{"operatorId":"%s","status":"UNBOUND"}`, first)), ""))
	e.decides(second, 1, 4)

	// The live rules are of no interest.
	pgtest.Exec(t, url, `SET search_path TO ops_routing; DELETE FROM rule_candidates; DELETE FROM routing_rules; UPDATE config_state SET config_version = config_version + 1, rules_version = rules_version + 1`)
	e.changed(5, "")
	e.decides(second, 1, 5)
}

func TestAnEngineStartsFromItsFolderWhileEverythingIsDown(t *testing.T) {
	server := pgtest.Start(t)
	database(t, server.URL())
	p := publishing(t, server.URL())
	p.Publish(p.priced(first, 1), 1)
	e := start(t, p.settings)
	e.decides(first, 1, 2)
	pgtest.Exec(t, server.URL(), suspendFirst)
	e.changed(3, "")
	e.decides(second, 1, 3)
	e.stop()
	server.Kill(t)
	p.nats.Kill()

	e = start(t, p.settings)
	e.decides(second, 1, 3) // what was suspended stays so
	e.dependency("rules", "up", "")
	e.dependency("release", "up", "")
	e.dependency("database", "down", "DATABASE_UNAVAILABLE")
	status, _ := e.page("/ready")
	require.Equal(t, 200, status)

	// They come back.
	server.Restart(t)
	pgtest.Exec(t, server.URL(), `SET search_path TO ops_routing; UPDATE operators SET status = 'ACTIVE'; UPDATE config_state SET config_version = config_version + 1`)
	p.nats.Restart()
	e.decides(first, 1, 4)
	require.Eventually(t, func() bool { return p.conn.Check(t.Context()) == nil }, eventually, tick)
	p.Publish(p.priced(second, 2), 2)
	e.decides(second, 2, 4)
}

// TestAStartDoesNotWaitForATableThatTakesLong: the engine becomes ready with it. The start is bounded by more than the
// build of any table, so only one that never ends shows it.
func TestAStartDoesNotWaitForATableThatTakesLong(t *testing.T) {
	url := bunstoretest.Postgres(t, migrations.Postgres)
	database(t, url)
	p := publishing(t, url)
	one := p.priced(first, 1)
	p.Publish(one, 1)
	e := start(t, p.settings)
	e.decides(first, 1, 2)
	e.stop()
	artifact := filepath.Join(p.settings.release.Folder, one.Digest+".artifact")
	require.NoError(t, os.Remove(artifact))
	require.NoError(t, syscall.Mkfifo(artifact, 0o600)) // nothing comes out before something is put in

	e = start(t, p.settings)
	var once sync.Once
	build := func() { once.Do(func() { assert.NoError(t, os.WriteFile(artifact, one.Bytes, 0o600)) }) }
	t.Cleanup(build) // or the engine would not end
	status, _ := e.page("/ready")
	require.Equal(t, 503, status)
	build()
	e.decides(first, 1, 2)
	require.Eventually(t, func() bool {
		status, _ := e.page("/ready")
		return status == 200
	}, eventually, tick)
}

// TestADatabaseThatWasPutBackIsShown: until it has caught up. The folder is that of an engine that found out before.
func TestADatabaseThatWasPutBackIsShown(t *testing.T) {
	url := bunstoretest.Postgres(t, migrations.Postgres)
	database(t, url)
	p := publishing(t, url)
	kept := `{"Config":60,"Behind":2,"Operators":[]}`
	require.NoError(t, os.MkdirAll(p.settings.release.Folder, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(p.settings.release.Folder, "operators"), fmt.Appendf(nil, "%x%s", sha256.Sum256([]byte(kept)), kept), 0o600))
	p.Publish(p.priced(first, 1), 1)
	e := start(t, p.settings)
	e.decides(first, 1, 60)
	e.dependency("release", "down", routing.ReasonBehind)
	status, _ := e.page("/ready")
	require.Equal(t, 200, status)
	pgtest.Exec(t, url, suspendFirst)
	e.decides(second, 1, 60)
	pgtest.Exec(t, url, `UPDATE ops_routing.config_state SET config_version = 61`)
	e.decides(second, 1, 61)
	e.dependency("release", "up", "")
}

// TestLiveOperatorsComeFromOperatorManagementWhileTheDatabaseIsDown: as the rules do in the other modes.
func TestLiveOperatorsComeFromOperatorManagementWhileTheDatabaseIsDown(t *testing.T) {
	server := pgtest.Start(t)
	database(t, server.URL())
	p := publishing(t, server.URL())
	p.Publish(p.priced(first, 1), 1)
	m, control := management(t, engineIdentity)
	p.settings.control = control
	server.Kill(t)
	m.Answer(holds(rules(), 2))
	e := start(t, p.settings)
	e.decides(first, 1, 2)
	e.dependency("rules-from-database", "down", "RULES_FROM_OPERATOR_MANAGEMENT")

	m.Answer(holds(rules(suspended), 3))
	e.changed(3, "")
	e.decides(second, 1, 3)

	server.Restart(t)
	pgtest.Exec(t, server.URL(), `UPDATE ops_routing.config_state SET config_version = 4`)
	e.decides(first, 1, 4)
	e.dependency("rules-from-database", "up", "")
}

func TestAnEngineThatCannotWriteItsFolderDoesNotStart(t *testing.T) {
	p := publishing(t, "postgres://127.0.0.1:1/none")
	p.settings.release.Folder = "/dev/null/releases"
	app := fx.New(p.settings.options(t))
	require.ErrorContains(t, app.Err(), "give this process a folder of its own that it may write to")
}

func TestReleaseModeNeedsItsSettings(t *testing.T) {
	good := func() routingfx.Config {
		c := routingfx.DefaultConfig()
		c.Table, c.Release.Folder = routingfx.TableRelease, "/var/lib/trunkline"
		c.Release.PublicKeys = []string{"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}
		return c
	}
	require.NoError(t, good().Validate())
	require.NoError(t, good().Release.Validate())
	require.NoError(t, routingfx.DefaultConfig().Release.Validate())
	for name, test := range map[string]struct {
		change func(c *routingfx.Config)
		key    string
	}{
		"no key":              {func(c *routingfx.Config) { c.Release.PublicKeys = nil }, "release.public_keys"},
		"no folder":           {func(c *routingfx.Config) { c.Release.Folder = "" }, "release.folder"},
		"a key that is none":  {func(c *routingfx.Config) { c.Release.PublicKeys = []string{"key"} }, "public_keys"},
		"no environment":      {func(c *routingfx.Config) { c.Release.Environment = "" }, "environment"},
		"a path of an env":    {func(c *routingfx.Config) { c.Release.Environment = "a.b" }, "environment"},
		"too few bytes":       {func(c *routingfx.Config) { c.Release.MaxArtifactBytes = 1 }, "max_artifact_bytes"},
		"too many bytes":      {func(c *routingfx.Config) { c.Release.MaxArtifactBytes = 1 << 40 }, "max_artifact_bytes"},
		"a table of no kind":  {func(c *routingfx.Config) { c.Table = "disk" }, "table"},
		"a poll of no length": {func(c *routingfx.Config) { c.HealthPoll = 0 }, "health_poll"},
	} {
		t.Run(name, func(t *testing.T) {
			c := good()
			test.change(&c)
			err := c.Validate()
			if err == nil {
				err = c.Release.Validate()
			}
			var problem *config.Problem
			require.ErrorAs(t, err, &problem)
			require.Equal(t, test.key, problem.Key)
		})
	}
}
