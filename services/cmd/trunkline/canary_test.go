package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

// TestAPasswordIsNowhereButInTheSecretStore plants passwords by every way in, also by ways that fail, and looks for
// them in the database, in NATS, in every answer and in the logs.
func TestAPasswordIsNowhereButInTheSecretStore(t *testing.T) {
	p := deploy(t, "memory")
	const first, second, refused = "Canary-1st-9f3b", "Canary-2nd-77ad", "Canary-bad-\x01x"
	var seen bytes.Buffer // everything that anybody was told

	call := func(procedure string, body map[string]any) (int, map[string]any) {
		t.Helper()
		raw, err := json.Marshal(body)
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.management+"/trunkline.operators.v1.OperatorService/"+procedure, bytes.NewReader(raw))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		answer, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		seen.Write(answer)
		_, _ = fmt.Fprint(&seen, res.Header)
		var decoded map[string]any
		require.NoError(t, json.Unmarshal(answer, &decoded))
		return res.StatusCode, decoded
	}
	operator := map[string]any{"name": "Canary", "host": "smsc.example.net", "port": 2775, "systemId": "tl", "tpsLimit": map[string]any{"maxTps": 10}}

	code, created := call("CreateOperator", map[string]any{"operator": operator, "password": first, "requestId": "canary-1"})
	require.Equal(t, http.StatusOK, code, created)
	id := created["operator"].(map[string]any)["operatorId"].(string)
	code, _ = call("CreateOperator", map[string]any{"operator": operator, "password": first, "requestId": "canary-1"})
	require.Equal(t, http.StatusOK, code, "a repeat")
	code, _ = call("CreateOperator", map[string]any{"operator": operator, "password": first})
	require.Equal(t, http.StatusConflict, code, "a duplicate")
	code, _ = call("CreateOperator", map[string]any{"operator": operator, "password": refused})
	require.Equal(t, http.StatusBadRequest, code)
	code, _ = call("CreateOperator", map[string]any{"operator": operator, "password": strings.Repeat(first, 9)})
	require.Equal(t, http.StatusBadRequest, code)
	code, _ = call("CreateOperator", map[string]any{"operator": operator, "passwort": first})
	require.Equal(t, http.StatusConflict, code, "a field that does not exist is left alone")
	code, _ = call("RotateCredentials", map[string]any{"operatorId": id, "password": second, "etag": "another"})
	require.Equal(t, http.StatusConflict, code)
	code, _ = call("RotateCredentials", map[string]any{"operatorId": id, "password": second, "requestId": "canary-2"})
	require.Equal(t, http.StatusOK, code)
	code, _ = call("GetOperator", map[string]any{"operatorId": id})
	require.Equal(t, http.StatusOK, code)

	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte(second+"\n"), 0o600))
	for _, args := range [][]string{
		{"operators", "rotate-credentials", "Canary", "--password-file", file},
		{"operators", "get", "Canary", "-o", "json"},
		{"operators", "list", "-o", "csv"},
		{"operators", "create", "--name", "Canary", "--host", "x.example", "--system-id", "y", "--max-tps", "1", "--password-file", file},
	} {
		stdout, stderr, _ := run(t, nil, append(args, "--server", p.management)...)
		seen.WriteString(stdout + stderr)
	}
	status, metrics := get(p.management + "/metrics")
	require.Equal(t, http.StatusOK, status)
	seen.WriteString(metrics)

	nc, err := nats.Connect(p.nats.URL())
	require.NoError(t, err)
	defer nc.Close()
	js, err := natsjs.New(nc)
	require.NoError(t, err)
	var events bytes.Buffer
	require.Eventually(t, func() bool {
		events.Reset()
		dumpStreams(t, js, &events)
		return strings.Count(events.String(), id) >= 3 // created and rotated twice
	}, eventually, tick)

	for name, text := range map[string]string{
		"an answer": seen.String(), "the events": events.String(), "the database": dumpDatabase(t, p.database),
		"the log of operator-management": p.running["management"].output.String(), "the log of the engine": p.running["memory"].output.String(),
	} {
		require.NotEmpty(t, text, name)
		for _, password := range []string{first, second, "Canary-bad"} {
			require.NotContains(t, text, password, "a password is in %s", name)
			require.NotContains(t, text, fmt.Sprintf("%x", password), "a password is in %s, in hexadecimal", name)
		}
	}
	require.Contains(t, dumpDatabase(t, p.database), "Canary", "the dump holds what was stored")
}

// dumpStreams writes every message of every stream, with its headers.
func dumpStreams(t *testing.T, js natsjs.JetStream, w io.Writer) {
	t.Helper()
	for name := range js.StreamNames(t.Context()).Name() {
		stream, err := js.Stream(t.Context(), name)
		require.NoError(t, err)
		info := stream.CachedInfo().State
		for sequence := info.FirstSeq; sequence <= info.LastSeq && info.Msgs > 0; sequence++ {
			if m, err := stream.GetMsg(t.Context(), sequence); err == nil {
				_, _ = fmt.Fprintln(w, m.Subject, m.Header, string(m.Data))
			}
		}
	}
}

// dumpDatabase writes every row of every table as text.
func dumpDatabase(t *testing.T, url string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema')")
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (name pgx.Identifier, err error) {
		name = make(pgx.Identifier, 2)
		return name, row.Scan(&name[0], &name[1])
	})
	require.NoError(t, err)
	var out strings.Builder
	for _, table := range tables {
		rows, err := conn.Query(t.Context(), "SELECT t::text FROM "+table.Sanitize()+" AS t")
		require.NoError(t, err)
		texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		out.WriteString(strings.Join(table, ".") + "\n" + strings.Join(texts, "\n") + "\n")
	}
	return out.String()
}
