package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
)

// teller runs commands against one server.
type teller struct {
	t      *testing.T
	server string
}

// does runs a command that must work, and gives what it printed.
func (c teller) does(args ...string) string {
	c.t.Helper()
	stdout, stderr, code := c.run(args...)
	require.Zero(c.t, code, "%v: %s", args, stderr)
	return stdout
}

func (c teller) run(args ...string) (stdout, stderr string, code int) {
	c.t.Helper()
	return run(c.t, nil, append(args, "--server", c.server)...)
}

// chosen is the answer to +447911123456.
func (c teller) chosen() (a struct {
	OperatorName string
	UnitPrice    struct{ Nanos string }
	Meta         struct{ ReleaseID, RulesVersion string }
}) {
	c.t.Helper()
	require.NoError(c.t, json.Unmarshal([]byte(c.does("routes", "select", "+447911123456", "-o", "json")), &a))
	return a
}

// rule is the id of the global rule for exactly this prefix.
func (c teller) rule(prefix string) string {
	c.t.Helper()
	for line := range strings.Lines(c.does("rules", "list", "--prefix", prefix, "-o", "jsonl")) {
		var r struct{ RuleID, Prefix, AccountID string }
		require.NoError(c.t, json.Unmarshal([]byte(line), &r))
		if r.Prefix == prefix && r.AccountID == "" {
			return r.RuleID
		}
	}
	c.t.Fatalf("no global rule for %s", prefix)
	return ""
}

// TestAPriceIsPublishedAndTakenBack is the first minute of somebody who publishes.
func TestAPriceIsPublishedAndTakenBack(t *testing.T) {
	dir := t.TempDir()
	p, url, _ := startDev(t, "--table", "release", "--data-dir", dir)
	c := teller{t, url}
	first := c.chosen()
	require.Equal(t, "Nordlink Transit", first.OperatorName)
	require.NotEmpty(t, first.Meta.ReleaseID)
	require.Equal(t, "1", first.Meta.RulesVersion)

	c.does("rules", "update", c.rule("+447911"), "--candidate", "Meridian Carrier,price=0.05EUR", "--candidate", "Nordlink Transit,price=0.0625EUR")
	require.Contains(t, c.does("releases", "create", "--description", "cheaper Britain"), "release 2: created")
	require.Equal(t, first, c.chosen(), "a change counts when it is published")

	diff := c.does("releases", "diff", "latest")
	require.Contains(t, diff, "release 2 against release 1, which is in force")
	require.Contains(t, diff, "~  +447911")

	numbers := filepath.Join(t.TempDir(), "numbers.txt")
	require.NoError(t, os.WriteFile(numbers, []byte("+447911123456\n+447911123457\n+33612345678\n"), 0o600))
	replay := c.does("releases", "replay", "latest", "--numbers", numbers)
	require.Contains(t, replay, "same operator    1 (33.33 %)\nother operator   2 (66.67 %)\n")
	require.Regexp(t, `Nordlink Transit\s+Meridian Carrier\s+2\s+66.67 %`, replay)
	require.Contains(t, replay, "-13.87 %", "what all three cost")
	require.NotContains(t, replay, "LOST")
	down := c.does("releases", "replay", "latest", "--numbers", numbers, "--down", "Meridian Carrier")
	require.NotContains(t, down, "Meridian Carrier")

	_, stderr, code := c.run("releases", "publish", "latest")
	require.Equal(t, 2, code, "it asks, and nobody is there to answer")
	require.Contains(t, stderr, "--yes")
	require.Equal(t, "release 2 is in force in place of release 1, activation 2\nthe engine serves it\n", c.does("releases", "publish", "latest", "--yes"))
	second := c.chosen()
	require.Equal(t, []string{"Meridian Carrier", "50000000", "2"}, []string{second.OperatorName, second.UnitPrice.Nanos, second.Meta.RulesVersion})
	require.NotEqual(t, first.Meta.ReleaseID, second.Meta.ReleaseID)

	_, stderr, code = c.run("releases", "publish", "2", "--yes")
	require.Equal(t, 6, code)
	require.Contains(t, stderr, "ALREADY_ACTIVE")
	_, stderr, code = c.run("releases", "publish", "1", "--yes", "--expect", "1")
	require.Equal(t, 6, code)
	require.Contains(t, stderr, "RELEASE_MOVED")

	require.Equal(t, "release 1 is in force in place of release 2, activation 3\nthe engine serves it\n", c.does("releases", "rollback", "--yes", "--reason", "complaints"))
	back := c.chosen()
	require.Equal(t, []string{first.OperatorName, first.Meta.ReleaseID, "3"}, []string{back.OperatorName, back.Meta.ReleaseID, back.Meta.RulesVersion})
	for _, action := range []string{"release.create", "release.publish", "release.rollback"} {
		require.Contains(t, c.does("audit", "list", "--action", action), action)
	}

	// What was decided meanwhile is in the log a second later.
	require.Eventually(t, func() bool {
		return strings.Contains(c.does("releases", "replay", "2", "--since", "1h"), "Meridian Carrier")
	}, eventually, tick)

	// A suspension needs no release.
	c.does("operators", "suspend", "Nordlink Transit", "--yes")
	require.Eventually(t, func() bool { return c.chosen().OperatorName == "Meridian Carrier" }, eventually, tick)
	require.Equal(t, first.Meta.ReleaseID, c.chosen().Meta.ReleaseID)

	p.stop(t)
	_, c.server, _ = startDev(t, "--table", "release", "--data-dir", dir)
	require.Equal(t, first.Meta.ReleaseID, c.chosen().Meta.ReleaseID, "the release in force stays")
	require.Equal(t, "3", c.chosen().Meta.RulesVersion)
	require.Equal(t, "Meridian Carrier", c.chosen().OperatorName, "and so does a suspension")
}

// TestNobodyIsMisledWhereNoEngineServesReleases: the release is in force and traffic did not change.
func TestNobodyIsMisledWhereNoEngineServesReleases(t *testing.T) {
	_, url, _ := startDev(t)
	c := teller{t, url}
	c.does("releases", "create")
	stdout, stderr, code := c.run("releases", "publish", "latest", "--yes", "--wait", "1ms")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "release 1 is in force")
	require.Contains(t, stderr, "no engine runs in release mode, so traffic did not change")
	require.Empty(t, c.chosen().Meta.ReleaseID)
}

// withReleases restarts operator-management with a key to sign with, and gives the public one.
func (p *parts) withReleases(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "release.key")
	public, stderr, code := run(t, nil, "releases", "keygen", "--file", file)
	require.Zero(t, code, stderr)
	seed, err := os.ReadFile(file)
	require.NoError(t, err)
	text, err := os.ReadFile(p.managementFile)
	require.NoError(t, err)
	text = fmt.Appendf(text, "  releases:\n    signing_key: %q\n", strings.TrimSpace(string(seed)))
	require.NoError(t, os.WriteFile(p.managementFile, text, 0o600))
	p.running["management"].stop(t)
	p.startManagement(t)
	return strings.TrimSpace(public)
}

// TestEnginesServeWhatIsPublished publishes to processes of their own, one of which then starts with nobody around.
func TestEnginesServeWhatIsPublished(t *testing.T) {
	p := deploy(t)
	c := newCarrier(200)
	c.move(t, p.management)
	m := teller{t, p.management}
	m.does("releases", "create")
	_, stderr, code := m.run("releases", "publish", "1", "--yes")
	require.Equal(t, 6, code)
	require.Contains(t, stderr, "NO_SIGNING_KEY")
	require.Contains(t, stderr, "trunkline releases keygen")

	public := p.withReleases(t)
	m.server = p.management
	write := func(folder, database, nats, redis string) string {
		file := filepath.Join(t.TempDir(), "engine.yaml")
		require.NoError(t, os.WriteFile(file, fmt.Appendf(nil,
			noCredentials+"database:\n  url: %q\nnats:\n  urls: [%q]\nredis:\n  addrs: [%q]\nserver:\n  addr: 127.0.0.1:0\n  drain:\n    notice: 0s\n"+
				"engine:\n  table: release\n  release:\n    public_keys: [%q]\n    folder: %q\n", database, nats, redis, public, folder), 0o600))
		return file
	}
	folders := []string{t.TempDir(), t.TempDir()}
	var engines []*process
	for _, folder := range folders {
		engines = append(engines, start(t, "serve", "routing-engine", "--config", write(folder, p.database, p.nats.URL(), p.redis.Addr())))
	}
	listening := func(e *process) string { return "http://" + e.find(t, `"addr":"(127\.0\.0\.1:\d+)","tls":false`) }
	require.Equal(t, http.StatusServiceUnavailable, status(listening(engines[0])+"/ready"), "an engine without a release is not ready")
	m.does("releases", "publish", "1", "--yes")
	clients := make([]routingv1connect.RoutingServiceClient, len(engines))
	for i, e := range engines {
		clients[i] = routingv1connect.NewRoutingServiceClient(h2c(), e.url(t))
	}
	require.Eventually(t, func() bool {
		return strings.Count(m.does("releases", "show", "-o", "json"), `"RELEASE_ENGINE_STATE_SERVING"`) == len(engines)
	}, eventually, tick)

	check := func(client routingv1connect.RoutingServiceClient, activation int64, answer func(number string) string) {
		t.Helper()
		for prefix := range c.winner {
			number := "+" + (prefix + "00000000")[:11]
			got, err := client.SelectOperator(t.Context(), question(func(q *routingv1.SelectOperatorRequest) { q.To = number }))
			require.NoError(t, err)
			require.Equal(t, answer(number), got.GetOperatorName())
			require.Equal(t, activation, got.GetMeta().GetRulesVersion())
		}
	}
	for _, client := range clients {
		check(client, 1, c.answer)
	}

	// One carrier for everything: another release, of which every engine says that it serves it before the command ends.
	rules := filepath.Join(t.TempDir(), "rules.csv")
	text := "account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency\n"
	for prefix := range c.winner {
		text += fmt.Sprintf(",+%s,,,COST,FAIL,Carrier 07,1,,0.01,EUR\n", prefix)
	}
	require.NoError(t, os.WriteFile(rules, []byte(text), 0o600))
	m.does("rules", "import", rules)
	m.does("releases", "create")
	require.Equal(t, "release 2 is in force in place of release 1, activation 2\nall 2 engines serve it\n", m.does("releases", "publish", "latest", "--yes"))
	always := func(string) string { return "Carrier 07" }
	for _, client := range clients {
		check(client, 2, always)
	}
	require.Equal(t, "release 1 is in force in place of release 2, activation 3\nall 2 engines serve it\n", m.does("releases", "rollback", "--yes"))
	for _, client := range clients {
		check(client, 3, c.answer)
	}

	engines[0].stop(t)
	alone := start(t, "serve", "routing-engine", "--config", write(folders[0], "postgres://nobody@127.0.0.1:1/none", "nats://127.0.0.1:1", "127.0.0.1:1"))
	check(routingv1connect.NewRoutingServiceClient(h2c(), alone.url(t)), 3, c.answer)
}
