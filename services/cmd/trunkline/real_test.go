package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/platform/natstest"
	"trunkline/services/platform/pgtest"
	"trunkline/services/platform/redistest"
)

// parts is a deployment on real servers: operator-management and engines on Postgres, Redis and NATS.
type parts struct {
	redis      *redistest.Server
	nats       *natstest.Server
	database   string // URL of the owner
	management string
	// managementFile is the configuration of operator-management.
	managementFile string
	engines        map[string]string // URL by table mode
	running        map[string]*process
}

// deploy migrates a fresh Postgres and starts the processes; engines log in as a role that can only read.
func deploy(t *testing.T, tables ...string) *parts {
	t.Helper()
	database := pgtest.Database(t)
	_, stderr, code := run(t, nil, "migrate", "up", "--database-url", database)
	require.Zero(t, code, stderr)
	p := &parts{redis: redistest.Start(t), nats: natstest.Start(t), database: database, engines: map[string]string{}, running: map[string]*process{}}
	// Another test may have made the role: it belongs to the whole server.
	pgtest.Exec(t, database, `DO $$ BEGIN CREATE ROLE trunkline_engine LOGIN IN ROLE ops_routing_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
	reader, err := url.Parse(database)
	require.NoError(t, err)
	reader.User = url.User("trunkline_engine")

	write := func(name, databaseURL, more string) string {
		path := filepath.Join(t.TempDir(), name)
		text := fmt.Sprintf(noCredentials+"database:\n  url: %q\nnats:\n  urls: [%q]\nserver:\n  addr: 127.0.0.1:0\n  drain:\n    notice: 0s\n%s", databaseURL, p.nats.URL(), more)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	p.managementFile = write("management.yaml", database, fmt.Sprintf("redis:\n  addrs: [%q]\noperators:\n  keyring:\n    file: %q\n", p.redis.Addr(), filepath.Join(t.TempDir(), "secrets")))
	p.startManagement(t)
	for _, table := range tables {
		file := write("engine-"+table+".yaml", reader.String(), fmt.Sprintf("redis:\n  addrs: [%q]\nengine:\n  table: %s\n", p.redis.Addr(), table))
		p.running[table] = start(t, "serve", "routing-engine", "--config", file)
		p.engines[table] = p.running[table].url(t)
	}
	return p
}

func (p *parts) startManagement(t *testing.T) {
	t.Helper()
	p.running["management"] = start(t, "serve", "operator-management", "--config", p.managementFile)
	p.management = p.running["management"].url(t)
}

// killManagement ends operator-management without warning after a delay. The channel closes when it is dead.
func (p *parts) killManagement(delay time.Duration) <-chan struct{} {
	victim := p.running["management"]
	time.AfterFunc(delay, func() { _ = victim.cmd.Process.Kill() })
	return victim.done
}

// carrier is a rule set like one that moves in: 28,000 nested prefixes in CSV, and the answers by hand.
type carrier struct {
	operators, rules bytes.Buffer
	winner           map[string]string // operator name by prefix
}

func newCarrier(prefixes int) *carrier {
	rng := rand.New(rand.NewPCG(28, 1))
	c := &carrier{winner: map[string]string{}}
	c.operators.WriteString("name,host,port,system_id,bind_type,max_tps,message_types,status\n")
	for i := range 20 {
		fmt.Fprintf(&c.operators, "Carrier %02d,smsc%02d.example.net,2775,tl%02d,TRANSCEIVER,100,SMS,ACTIVE\n", i, i, i)
	}
	c.rules.WriteString("account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency\n")
	prefix := ""
	for len(c.winner) < prefixes {
		// Half of the prefixes extend one that exists, so that rules nest up to nine digits deep.
		if prefix == "" || len(prefix) >= 9 || rng.IntN(2) == 0 {
			prefix = fmt.Sprint(10 + rng.IntN(989_990))
		} else {
			prefix += fmt.Sprint(rng.IntN(10))
		}
		if _, known := c.winner[prefix]; known {
			continue
		}
		first := rng.IntN(20)
		second := (first + 1 + rng.IntN(19)) % 20
		cheap, dear := 1+rng.IntN(50), 60+rng.IntN(40)
		c.winner[prefix] = fmt.Sprintf("Carrier %02d", first)
		fmt.Fprintf(&c.rules, ",+%s,,,COST,FAIL,Carrier %02d,2,,0.0%02d,EUR\n,+%s,,,COST,FAIL,Carrier %02d,1,,0.0%02d,EUR\n", prefix, first, cheap, prefix, second, dear)
	}
	return c
}

// answer is the obvious oracle: try the longest prefix first.
func (c *carrier) answer(number string) string {
	digits := strings.TrimPrefix(number, "+")
	for n := len(digits); n > 0; n-- {
		if winner, ok := c.winner[digits[:n]]; ok {
			return winner
		}
	}
	return "not_found"
}

func (c *carrier) move(t *testing.T, server string) {
	t.Helper()
	dir := t.TempDir()
	operators, rules := filepath.Join(dir, "operators.csv"), filepath.Join(dir, "rules.csv")
	require.NoError(t, os.WriteFile(operators, c.operators.Bytes(), 0o600))
	require.NoError(t, os.WriteFile(rules, c.rules.Bytes(), 0o600))
	for _, args := range [][]string{{"operators", "import", operators}, {"rules", "import", "--dry-run", rules}, {"rules", "import", rules}} {
		_, stderr, code := run(t, nil, append(args, "--server", server, "--timeout", "5m")...)
		require.Zero(t, code, stderr)
	}
}

// TestAHundredThousandNumbersAgreeWithTheOracle moves a carrier in and asks for numbers by file, on both stores and both
// ways to keep rules: for all of them where rules are in memory, and for a tenth where each number is looked up in the
// database, which takes a hundred times as long.
func TestAHundredThousandNumbersAgreeWithTheOracle(t *testing.T) {
	const lookedUp = 10_000
	c := newCarrier(28_000)
	rng := rand.New(rand.NewPCG(7, 7))
	numbers := make([]string, 100_000)
	known := make([]string, 0, len(c.winner))
	for prefix := range c.winner {
		known = append(known, prefix)
	}
	for i := range numbers {
		digits := fmt.Sprint(1 + rng.IntN(9))
		if rng.IntN(10) > 0 {
			digits = known[rng.IntN(len(known))]
		}
		for len(digits) < 11 {
			digits += fmt.Sprint(rng.IntN(10))
		}
		numbers[i] = "+" + digits
	}
	check := func(t *testing.T, server string, numbers []string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "numbers.txt")
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(numbers, "\n")+"\n"), 0o600))
		out, stderr, code := run(t, nil, "routes", "select", "--file", file, "-o", "jsonl", "--server", server, "--timeout", "5m")
		require.Zero(t, code, stderr)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		require.Len(t, lines, len(numbers))
		for i, line := range lines {
			var got struct {
				OperatorName string
				Error        struct{ Code string }
			}
			require.NoError(t, json.Unmarshal([]byte(line), &got))
			if want := c.answer(numbers[i]); got.OperatorName+got.Error.Code != want {
				t.Fatalf("line %d, %s: got %q, want %q: %s", i+1, numbers[i], got.OperatorName+got.Error.Code, want, line)
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		_, server, _ := startDev(t, "--no-demo")
		c.move(t, server)
		check(t, server, numbers[:lookedUp])
	})
	t.Run("postgres", func(t *testing.T) {
		p := deploy(t, "database", "memory")
		c.move(t, p.management)
		asked := map[string][]string{"database": numbers[:lookedUp], "memory": numbers}
		for table, engine := range p.engines {
			t.Run(table, func(t *testing.T) {
				// The engine follows by itself: operator.config tells it of the import.
				require.Eventually(t, func() bool {
					out, _, _ := run(t, nil, "routes", "explain", numbers[0], "-o", "json", "--server", engine)
					return strings.Contains(strings.ReplaceAll(out, " ", ""), `"configVersion":"3"`)
				}, eventually, 100*time.Millisecond)
				check(t, engine, asked[table])
			})
		}
		for table, engine := range p.engines {
			_, metrics := get(engine + "/metrics")
			for _, name := range []string{
				"routing_engine_grpc_requests_total", "routing_engine_grpc_request_duration_seconds", "routing_engine_cache_hits_total",
				"routing_engine_cache_misses_total", "routing_engine_cache_invalidations_total", "routing_engine_operators_healthy_total",
				"routing_engine_db_query_duration_seconds", "routing_engine_prefix_cache_size", "routing_engine_no_route_total",
			} {
				if table == "memory" && strings.HasPrefix(name, "routing_engine_cache_hits") || strings.HasPrefix(name, "routing_engine_cache_misses") {
					continue // an engine with its rules in memory asks no cache
				}
				require.Contains(t, metrics, name, table)
			}
		}
	})
}

// TestDecisionsGoOnWhenRedisAndNATSAreKilled is the promise of I4, under load: no call fails, and the engine
// comes back by itself.
func TestDecisionsGoOnWhenRedisAndNATSAreKilled(t *testing.T) {
	p := deploy(t, "database")
	c := newCarrier(300)
	c.move(t, p.management)
	engine := p.engines["database"]
	client := routingv1connect.NewRoutingServiceClient(h2c(), engine)
	numbers := make([]string, 0, len(c.winner))
	for prefix := range c.winner {
		numbers = append(numbers, "+"+(prefix + "00000000")[:11])
	}
	ask := func(i int) (*routingv1.SelectOperatorResponse, error) {
		return client.SelectOperator(t.Context(), question(func(q *routingv1.SelectOperatorRequest) { q.To = numbers[i%len(numbers)] }))
	}
	require.Eventually(t, func() bool { _, err := ask(0); return err == nil }, eventually, tick)

	var asked, failed atomic.Int64
	var firstFailure atomic.Value
	stop := make(chan struct{})
	var load sync.WaitGroup
	load.Go(func() {
		ticker := time.NewTicker(5 * time.Millisecond) // 200 requests a second, whatever the answers take
		defer ticker.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-ticker.C:
			}
			load.Go(func() {
				asked.Add(1)
				if _, err := ask(i); err != nil {
					failed.Add(1)
					firstFailure.CompareAndSwap(nil, err.Error())
				}
			})
		}
	})
	answers := func(n int64) {
		t.Helper()
		from := asked.Load()
		require.Eventually(t, func() bool { return asked.Load() >= from+n }, eventually, tick)
	}
	degraded := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool {
			code, body := get(engine + "/ready")
			return code == 200 && (want == "" && !strings.Contains(body, "degraded") || want != "" && strings.Contains(body, want))
		}, eventually, tick, "ready, with degraded containing %q", want)
	}
	answers(200)
	p.redis.Kill()
	degraded("redis")
	answers(200)
	p.nats.Kill()
	degraded("nats")
	answers(200)
	p.redis.Restart()
	p.nats.Restart()
	degraded("")
	answers(200)

	nc, err := nats.Connect(p.nats.URL())
	require.NoError(t, err)
	defer nc.Close()
	before, err := ask(0)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		publishState(t, nc, before.GetOperatorId(), "UNBOUND")
		now, err := ask(0)
		return err == nil && now.GetOperatorId() == before.GetAlternates()[0].GetOperatorId()
	}, eventually, 50*time.Millisecond, "events arrive again")
	_, metrics := get(engine + "/metrics")
	require.Contains(t, metrics, "trunkline_redis_breaker_open 0", "Redis is asked again")
	close(stop)
	load.Wait()
	require.Zero(t, failed.Load(), "of %d calls; the first failure: %v", asked.Load(), firstFailure.Load())
	require.NotContains(t, p.running["database"].output.String(), "panic")
}

// TestCachedRoutesAreServedWhilePostgresIsDown: misses are UNAVAILABLE with a reason, an engine with its rules
// in memory does not notice.
func TestCachedRoutesAreServedWhilePostgresIsDown(t *testing.T) {
	server := pgtest.Start(t)
	_, stderr, code := run(t, nil, "migrate", "up", "--database-url", server.URL())
	require.Zero(t, code, stderr)
	redis, events := redistest.Start(t), natstest.Start(t)
	common := fmt.Sprintf(noCredentials+"database:\n  url: %q\nnats:\n  urls: [%q]\nserver:\n  addr: 127.0.0.1:0\n  drain:\n    notice: 0s\n", server.URL(), events.URL())
	file := filepath.Join(t.TempDir(), "management.yaml")
	keyring := fmt.Sprintf("redis:\n  addrs: [%q]\noperators:\n  keyring:\n    file: %q\n", redis.Addr(), filepath.Join(t.TempDir(), "secrets"))
	require.NoError(t, os.WriteFile(file, []byte(common+keyring), 0o600))
	management := start(t, "serve", "operator-management", "--config", file).url(t)
	newCarrier(50).move(t, management)
	clients := map[string]routingv1connect.RoutingServiceClient{}
	for _, table := range []string{"database", "memory"} {
		file := filepath.Join(t.TempDir(), table+".yaml")
		require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "%sredis:\n  addrs: [%q]\nengine:\n  table: %s\n", common, redis.Addr(), table), 0o600))
		clients[table] = routingv1connect.NewRoutingServiceClient(h2c(), start(t, "serve", "routing-engine", "--config", file).url(t))
	}
	var warm, cold string
	for prefix := range newCarrier(50).winner {
		warm, cold = cold, "+"+(prefix + "00000000")[:11]
	}
	ask := func(table, number string) error {
		_, err := clients[table].SelectOperator(t.Context(), question(func(q *routingv1.SelectOperatorRequest) { q.To = number }))
		return err
	}
	require.NoError(t, ask("database", warm))
	server.Kill(t)
	require.NoError(t, ask("database", warm), "a cached route")
	require.ErrorContains(t, ask("database", cold), "unavailable")
	require.NoError(t, ask("memory", cold))
	server.Restart(t)
	require.Eventually(t, func() bool { return ask("database", cold) == nil }, eventually, tick)
}
