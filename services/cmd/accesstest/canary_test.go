package accesstest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	"trunkline/services/access"
	"trunkline/services/cmd/cli"
	"trunkline/services/platform/caller"
)

const (
	smppPassword     = "Canary-smpp-77ad"
	rotatedPassword  = "Canary-smpp-9f3b"
	refusedPassword  = "Canary-smpp-\x01bad"
	databasePassword = "Canary-database-5e21c8"
)

// filled is a message with the text in every field that takes one. Files are left out: whoever sends one is told which
// columns it has.
func filled(d protoreflect.MessageDescriptor, text string, depth int) object {
	o := object{}
	for i := range d.Fields().Len() {
		field := d.Fields().Get(i)
		var value any
		switch {
		case field.IsMap() || field.ContainingOneof() != nil:
			continue
		case field.Kind() == protoreflect.StringKind:
			value = text
		case field.Kind() == protoreflect.MessageKind && depth < 4 && !strings.HasPrefix(string(field.Message().FullName()), "google."):
			value = filled(field.Message(), text, depth+1)
		default:
			continue
		}
		if field.IsList() {
			value = []any{value}
		}
		o[field.JSONName()] = value
	}
	return o
}

// TestSecretsAreNowhere plants secrets by every way in, also by ways that fail, calls every RPC with them, and looks
// for them in everything that the platform writes or says.
func TestSecretsAreNowhere(t *testing.T) {
	d := newDatabase(t)
	secretURL, err := url.Parse(d.url)
	require.NoError(t, err)
	secretURL.User = url.UserPassword(secretURL.User.Username(), databasePassword) // the test server asks for none
	d.url = secretURL.String()
	w := &town{platform: start(t, d)}

	var told strings.Builder // everything that anybody was told
	_, w.adminText = w.key(t, access.NewAPIKey{Name: "admin", Role: caller.Admin})
	_, viewer := w.key(t, access.NewAPIKey{Name: "viewer", Role: caller.Viewer})
	w.admin, w.viewer = bearer(w.adminText), bearer(viewer)
	w.known(t, w.viewer)
	token := w.issuer.token(object{"roles": []string{"admin"}})
	foreign := newIssuer(t, w.ca).token(object{"roles": []string{"admin"}})
	mistyped := flip(w.adminText, 40)
	unknown, _ := access.NewKey()
	secrets := []string{
		pepperText, hashKey, signSeed, smppPassword, rotatedPassword, "Canary-smpp", databasePassword,
		w.adminText, w.adminText[25:68], viewer, viewer[25:68], mistyped[25:68], unknown.Reveal(), unknown.Reveal()[25:68], token, token[strings.LastIndex(token, ".")+1:], foreign,
	}
	say := func(a answer) answer {
		told.WriteString(a.told)
		return a
	}

	operator := object{"name": "Nord", "host": "smsc.example", "port": 2775, "systemId": "tl", "tpsLimit": object{"maxTps": 10}}
	do := func(procedure string, body object, want string) answer {
		t.Helper()
		a := say(w.call(t, w.admin, procedure, body))
		require.Equal(t, want, a.code, a.told)
		return a
	}
	created := do(createOperator, object{"operator": operator, "password": smppPassword, "requestId": "r-1"}, "ok")
	var made struct{ Operator struct{ OperatorID string } }
	require.NoError(t, json.Unmarshal(created.body, &made))
	w.operatorID = made.Operator.OperatorID
	const rotate = "operators.v1.OperatorService/RotateCredentials"
	do(createOperator, object{"operator": operator, "password": smppPassword, "requestId": "r-1"}, "ok")
	do(createOperator, object{"operator": operator, "password": smppPassword}, "already_exists")
	do(createOperator, object{"operator": operator, "password": refusedPassword}, "invalid_argument")
	do(createOperator, object{"operator": operator, "password": strings.Repeat(smppPassword, 9)}, "invalid_argument")
	do(rotate, object{"operatorId": w.operatorID, "password": rotatedPassword, "etag": "another"}, "aborted")
	do(rotate, object{"operatorId": w.operatorID, "password": rotatedPassword}, "ok")
	do("operators.v1.OperatorService/ActivateOperator", object{"operatorId": w.operatorID}, "ok")
	settings := do("operators.v1.SystemService/ListSettings", object{}, "ok")
	require.Contains(t, string(settings.body), "access.keys.pepper")
	release := w.published(t)

	// The one answer that shows a key, and a repeat that does not.
	shown := w.call(t, w.admin, createKey, object{"name": "shown once", "role": "ROLE_VIEWER", "requestId": "r-2"})
	var once struct{ Text string }
	require.NoError(t, json.Unmarshal(shown.body, &once))
	require.Len(t, once.Text, access.KeyLength)
	secrets = append(secrets, once.Text, once.Text[25:68])
	do(createKey, object{"name": "shown once", "role": "ROLE_VIEWER", "requestId": "r-2"}, "ok")

	// Every RPC, with good credentials and bad ones, and with secrets where they do not belong.
	for _, m := range methods() {
		for _, header := range []http.Header{
			w.admin, w.viewer, bearer(token), bearer(foreign), bearer(mistyped), bearer(unknown.Reveal()), bearer("Basic " + w.adminText), {"X-Api-Key": {w.adminText + token}},
			{"Authorization": {"Bearer " + token}, "X-Api-Key": {w.adminText}}, {"Cookie": {"key=" + w.adminText}},
			{"Authorization": {"Bearer " + w.adminText}, "X-Request-Id": {w.adminText}, "User-Agent": {"curl"}, "Connect-Timeout-Ms": {token}},
		} {
			for by := range protocols {
				say(call(t, w.plain, w.url, m, by, header, append([]byte(w.adminText+token+smppPassword), malformed[by]...)))
			}
		}
		for _, text := range []string{w.adminText, token, smppPassword, pepperText} {
			// A viewer may change nothing. What a text is stored for, a name say, is stored for whoever writes a secret there.
			say(call(t, w.plain, w.url, m, connectJSON, m.patience(w.viewer), marshal(filled(m.schema.Input(), text, 0))))
		}
		withKey := m
		withKey.procedure += "?api_key=" + w.adminText
		say(call(t, w.plain, w.url, withKey, connectJSON, w.admin, []byte("{}")))
		withKey.procedure = m.procedure + "/" + w.adminText
		say(call(t, w.plain, w.url, withKey, connectJSON, w.admin, []byte("{}")))
		say(call(t, w.ca.Client(t, w.ca.Issue(t, engineID)), w.inner, m, connectJSON, w.admin, marshal(filled(m.schema.Input(), w.adminText, 0))))
	}
	for _, page := range []string{"/metrics", "/ready", "/health", "/health/detailed", "/nothing/" + w.adminText, "/metrics?api_key=" + w.adminText} {
		res, body := w.web(t, http.MethodGet, page, "", w.keyLine())
		_, _ = fmt.Fprint(&told, res.Header, body)
	}

	// A last refusal that is written down, after all the others.
	marker := methodOf(t, path(createAccount))
	call(t, w.plain, w.url, marker, connectJSON, bearer(w.issuer.token(object{"sub": "the-last", "roles": []string{"viewer"}})), []byte("{}"))
	require.Eventually(t, func() bool { return strings.Contains(w.dump(t), "jwt:the-last") }, eventually, 5*tick)

	for name, text := range map[string]string{
		"an answer": told.String(), "the log": w.log.String(), "the traces": w.traces(), "the database": w.dump(t),
		"the streams": w.streams(t), "config print": printed(t),
	} {
		require.NotEmpty(t, text, name)
		for _, secret := range secrets {
			for form, written := range map[string]string{
				"as it is": secret, "in hexadecimal": hex.EncodeToString([]byte(secret)), "in base64": base64.StdEncoding.EncodeToString([]byte(secret))[:len(secret)],
				"in a URL": url.QueryEscape(secret),
			} {
				if i := strings.Index(text, written); i >= 0 {
					t.Errorf("%q is in %s, %s: %q", secret, name, form, text[max(0, i-200):min(len(text), i+200)])
				}
			}
		}
	}
	require.Contains(t, w.traces(), "CreateOperator", "the traces hold the calls")
	require.Contains(t, w.streams(t), w.operatorID, "the streams hold the changes")
	require.Contains(t, w.streams(t), release, "the streams hold the manifest")
	require.Contains(t, told.String(), "go_goroutines", "the answers hold the metrics")
}

// traces is every span with everything in it.
func (p *platform) traces() string {
	var out strings.Builder
	for _, span := range p.spans.GetSpans() {
		fmt.Fprintln(&out, span.Name, span.Attributes, span.Events, span.Status, span.Links, span.Resource)
	}
	return out.String()
}

// dump is every row of every table.
func (p *platform) dump(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for table, rows := range p.tables(t) {
		out.WriteString(table + "\n" + strings.Join(rows, "\n") + "\n")
	}
	return out.String()
}

// streams is every message of every stream, with its headers.
func (p *platform) streams(t *testing.T) string {
	t.Helper()
	nc, err := nats.Connect(p.nats.URL())
	require.NoError(t, err)
	defer nc.Close()
	js, err := natsjs.New(nc)
	require.NoError(t, err)
	var out bytes.Buffer
	for name := range js.StreamNames(t.Context()).Name() {
		stream, err := js.Stream(t.Context(), name)
		require.NoError(t, err)
		info := stream.CachedInfo().State
		for sequence := info.FirstSeq; sequence <= info.LastSeq && info.Msgs > 0; sequence++ {
			if m, err := stream.GetMsg(t.Context(), sequence); err == nil {
				_, _ = fmt.Fprintln(&out, m.Subject, m.Header, string(m.Data))
			}
		}
	}
	return out.String()
}

// printed is what config print says of both processes, with every secret set, and with one that is refused.
func printed(t *testing.T) string {
	t.Helper()
	t.Setenv("TRUNKLINE_DATABASE_URL", "postgres://trunkline:"+databasePassword+"@127.0.0.1:1/x")
	t.Setenv("TRUNKLINE_ACCESS_KEYS_FORMER_PEPPER", pepperText+"-former")
	t.Setenv("TRUNKLINE_OPERATORS_KEYRING_FILE", "secrets")
	t.Setenv("TRUNKLINE_OPERATORS_RELEASES_SIGNING_KEY", signingKey)
	t.Setenv("TRUNKLINE_DECISIONS_KEY", hashKey)
	t.Setenv("TRUNKLINE_ENGINE_DECISION_LOG_KEY", hashKey)
	var out bytes.Buffer
	for _, pepper := range []string{pepperText, "Canary-smpp"} {
		t.Setenv("TRUNKLINE_ACCESS_KEYS_PEPPER", pepper)
		for _, process := range []string{"routing-engine", "operator-management"} {
			for _, form := range []string{"table", "json"} {
				for _, cmd := range cli.ServerCommands("test") {
					if cmd.Name() != "config" {
						continue
					}
					cmd.SetArgs([]string{"print", process, "-o", form})
					cmd.SetOut(&out)
					cmd.SetErr(&out)
					if err := cmd.Execute(); err != nil {
						_, _ = io.WriteString(&out, err.Error())
					}
				}
			}
		}
	}
	require.Contains(t, out.String(), "access.keys.pepper")
	return out.String()
}
