package cli_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/cmd/cli"
)

const keyText = "tl_canary0000000000000000000000000000000000000000000000000000000000000000000"

// desk is a server of accounts and keys that remembers what it was asked.
type desk struct {
	accessv1connect.UnimplementedAccountServiceHandler
	accessv1connect.UnimplementedApiKeyServiceHandler

	one  *accessv1.Account
	key  *accessv1.ApiKey
	fail error

	shown   []string // the credentials that calls showed
	created *accessv1.CreateAccountRequest
	updated *accessv1.UpdateAccountRequest
	gone    *accessv1.DeleteAccountRequest
	made    *accessv1.CreateApiKeyRequest
	listed  *accessv1.ListApiKeysRequest
	rotated *accessv1.RotateApiKeyRequest
	revoked *accessv1.RevokeApiKeyRequest
}

func (d *desk) CreateAccount(_ context.Context, req *accessv1.CreateAccountRequest) (*accessv1.CreateAccountResponse, error) {
	d.created = req
	return &accessv1.CreateAccountResponse{Account: d.one}, d.fail
}

func (d *desk) GetAccount(context.Context, *accessv1.GetAccountRequest) (*accessv1.GetAccountResponse, error) {
	return &accessv1.GetAccountResponse{Account: d.one}, d.fail
}

func (d *desk) ListAccounts(context.Context, *accessv1.ListAccountsRequest) (*accessv1.ListAccountsResponse, error) {
	other := &accessv1.Account{AccountId: meridian, Name: "Acme East"}
	return &accessv1.ListAccountsResponse{Accounts: []*accessv1.Account{other, d.one}}, d.fail
}

func (d *desk) UpdateAccount(_ context.Context, req *accessv1.UpdateAccountRequest) (*accessv1.UpdateAccountResponse, error) {
	d.updated = req
	return &accessv1.UpdateAccountResponse{Account: d.one}, d.fail
}

func (d *desk) DeleteAccount(_ context.Context, req *accessv1.DeleteAccountRequest) (*accessv1.DeleteAccountResponse, error) {
	d.gone = req
	return &accessv1.DeleteAccountResponse{RevokedKeys: 2}, d.fail
}

func (d *desk) CreateApiKey(_ context.Context, req *accessv1.CreateApiKeyRequest) (*accessv1.CreateApiKeyResponse, error) { //nolint:revive // named by the schema
	d.made = req
	return &accessv1.CreateApiKeyResponse{ApiKey: d.key, Text: keyText}, d.fail
}

func (d *desk) ListApiKeys(_ context.Context, req *accessv1.ListApiKeysRequest) (*accessv1.ListApiKeysResponse, error) { //nolint:revive // named by the schema
	d.listed = req
	return &accessv1.ListApiKeysResponse{ApiKeys: []*accessv1.ApiKey{d.key}}, d.fail
}

func (d *desk) RevokeApiKey(_ context.Context, req *accessv1.RevokeApiKeyRequest) (*accessv1.RevokeApiKeyResponse, error) { //nolint:revive // named by the schema
	d.revoked = req
	return &accessv1.RevokeApiKeyResponse{ApiKey: d.key}, d.fail
}

func (d *desk) RotateApiKey(_ context.Context, req *accessv1.RotateApiKeyRequest) (*accessv1.RotateApiKeyResponse, error) { //nolint:revive // named by the schema
	d.rotated = req
	return &accessv1.RotateApiKeyResponse{ApiKey: d.key, Text: keyText}, d.fail
}

// start serves the desk and points the commands at it.
func (d *desk) start(t *testing.T) *httptest.Server {
	t.Helper()
	d.one = &accessv1.Account{AccountId: nordlink, Name: "Acme", Notes: "prepaid", Etag: "e1", CreateTime: timestamppb.New(time.Unix(1_800_000_000, 0))}
	d.key = &accessv1.ApiKey{
		KeyId: atlantica, AccountId: nordlink, Name: "portal", Role: optionsv1.Role_ROLE_VIEWER, Hint: "tl_abcdefgh", CreatedBy: "jwt:ada",
		CreateTime: timestamppb.New(time.Unix(1_800_000_000, 0)), LastUsedTime: timestamppb.New(time.Unix(1_800_000_060, 0)),
	}
	mux := http.NewServeMux()
	mux.Handle(accessv1connect.NewAccountServiceHandler(d))
	mux.Handle(accessv1connect.NewApiKeyServiceHandler(d))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.shown = append(d.shown, r.Header.Get("Authorization"))
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Setenv("TRUNKLINE_SERVER", server.URL)
	return server
}

func TestAccountsAreCreatedChangedAndDeleted(t *testing.T) {
	d := &desk{}
	d.start(t)
	got := run(t, nil, "accounts", "create", "--name", "Acme", "--notes", "prepaid", "--id", nordlink)
	require.Zero(t, got.exit, got.stderr)
	require.Equal(t, nordlink+"  Acme: created\n", got.stdout)
	require.Equal(t, []string{"Acme", "prepaid", nordlink}, []string{d.created.GetAccount().GetName(), d.created.GetAccount().GetNotes(), d.created.GetAccount().GetAccountId()})
	require.NotEmpty(t, d.created.GetRequestId())

	for _, ref := range []string{"Acme", nordlink} {
		got = run(t, nil, "accounts", "get", ref)
		require.Zero(t, got.exit, got.stderr)
		require.Contains(t, got.stdout, "prepaid")
	}
	got = run(t, nil, "accounts", "get", "Nobody")
	require.Equal(t, cli.ExitNotFound, got.exit)
	require.Contains(t, got.stderr, "accounts list")

	got = run(t, nil, "accounts", "update", "Acme", "--notes", "")
	require.Zero(t, got.exit, got.stderr)
	require.Equal(t, []string{"notes"}, d.updated.GetUpdateMask().GetPaths())
	require.Equal(t, "e1", d.updated.GetAccount().GetEtag())
	require.Equal(t, cli.ExitUsage, run(t, nil, "accounts", "update", "Acme").exit)

	require.Equal(t, cli.ExitUsage, run(t, strings.NewReader("y\n"), "accounts", "delete", "Acme").exit)
	require.Nil(t, d.gone, "a script must say --yes")
	got = run(t, nil, "accounts", "delete", "Acme", "--yes")
	require.Zero(t, got.exit, got.stderr)
	require.Equal(t, nordlink+"  Acme: deleted, 2 keys revoked\n", got.stdout)
	require.Equal(t, "e1", d.gone.GetEtag())
}

func TestAccountsAndKeysAreListedInThreeForms(t *testing.T) {
	d := &desk{}
	d.start(t)
	for args, want := range map[string]string{
		"accounts list":        "NAME       CREATED               ACCOUNT ID\nAcme East                        " + meridian + "\nAcme       2027-01-15T08:00:00Z  " + nordlink + "\n",
		"accounts list -o csv": "account_id,name,notes,create_time,update_time\n" + meridian + ",Acme East,,,\n" + nordlink + ",Acme,prepaid,2027-01-15T08:00:00Z,\n",
		"keys list":            "NAME    ROLE    BEGINS       STATE  LAST USED             ACCOUNT ID                            KEY ID\nportal  viewer  tl_abcdefgh  live   2027-01-15T08:01:00Z  " + nordlink + "  " + atlantica + "\n",
		"keys list --account Acme --ended -o csv": "key_id,account_id,name,role,hint,created_by,create_time,expire_time,revoke_time,last_used_time\n" + atlantica + "," + nordlink + ",portal,viewer,tl_abcdefgh,jwt:ada,2027-01-15T08:00:00Z,,,2027-01-15T08:01:00Z\n",
	} {
		got := run(t, nil, strings.Fields(args)...)
		require.Zero(t, got.exit, got.stderr)
		require.Equal(t, want, got.stdout, args)
	}
	got := run(t, nil, "keys", "list", "--account", "Acme", "--ended", "-o", "json")
	require.Zero(t, got.exit, got.stderr)
	require.Contains(t, got.stdout, `"keyId":"`+atlantica+`"`)
	require.Equal(t, nordlink, d.listed.GetAccountId())
	require.True(t, d.listed.GetShowEnded())
}

func TestAKeyIsShownOnceWithANote(t *testing.T) {
	d := &desk{}
	d.start(t)
	got := run(t, nil, "keys", "create", "--name", "portal", "--role", "operator", "--account", "Acme", "--lifetime", "1h")
	require.Zero(t, got.exit, got.stderr)
	require.Equal(t, keyText+"\n", got.stdout, "so that it can go into a file")
	require.Contains(t, got.stderr, "viewer")
	require.Contains(t, got.stderr, "store it now")
	require.NotContains(t, got.stderr, "canary")
	require.Equal(t, optionsv1.Role_ROLE_OPERATOR, d.made.GetRole())
	require.Equal(t, []any{"portal", nordlink, time.Hour}, []any{d.made.GetName(), d.made.GetAccountId(), d.made.GetLifetime().AsDuration()})
	got = run(t, nil, "keys", "create", "--name", "portal", "-o", "json")
	require.Contains(t, got.stdout, keyText)
	require.Equal(t, optionsv1.Role_ROLE_VIEWER, d.made.GetRole(), "the least unless more is asked for")
	require.Nil(t, d.made.GetLifetime())

	require.Equal(t, cli.ExitUsage, run(t, strings.NewReader(""), "keys", "rotate", atlantica).exit)
	require.Nil(t, d.rotated, "it would end the former key at once")
	got = run(t, nil, "keys", "rotate", atlantica, "--overlap", "1h")
	require.Zero(t, got.exit, got.stderr)
	require.Equal(t, time.Hour, d.rotated.GetOverlap().AsDuration())
	require.Equal(t, keyText+"\n", got.stdout)

	require.Equal(t, cli.ExitUsage, run(t, strings.NewReader(""), "keys", "revoke", atlantica).exit)
	require.Nil(t, d.revoked)
	d.key.RevokeTime = timestamppb.New(time.Unix(1_800_000_120, 0))
	got = run(t, nil, "keys", "revoke", atlantica, "--yes")
	require.Zero(t, got.exit, got.stderr)
	require.Equal(t, atlantica+"  portal: revoked 2027-01-15T08:02:00Z\n", got.stdout)
	require.Equal(t, atlantica, d.revoked.GetKeyId())
}

func TestCommandsShowTheirCredentialToTheirServerOnly(t *testing.T) {
	d := &desk{}
	server := d.start(t)
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte("tl_of_the_file\n"), 0o600))
	list := func(args ...string) outcome {
		d.shown = nil
		return run(t, nil, append([]string{"accounts", "list"}, args...)...)
	}

	require.Zero(t, list().exit)
	require.Equal(t, []string{""}, d.shown, "there is none to show")
	t.Setenv("TRUNKLINE_API_KEY", "tl_of_the_environment")
	require.Zero(t, list().exit)
	require.Equal(t, []string{"Bearer tl_of_the_environment"}, d.shown)
	require.Zero(t, list("--api-key-file", file).exit, "the flag comes first")
	require.Equal(t, []string{"Bearer tl_of_the_file"}, d.shown)
	t.Setenv("TRUNKLINE_API_KEY_FILE", file)
	require.Equal(t, cli.ExitUsage, list().exit, "two are set")
	t.Setenv("TRUNKLINE_API_KEY", "")
	require.Zero(t, list().exit)
	require.Equal(t, []string{"Bearer tl_of_the_file"}, d.shown)

	// A server that sends elsewhere does not take the credential along.
	away := httptest.NewServer(http.RedirectHandler(server.URL+"/elsewhere", http.StatusTemporaryRedirect))
	t.Cleanup(away.Close)
	require.NotZero(t, list("--server", away.URL).exit)
	require.Empty(t, d.shown)

	for _, open := range []string{"http://trunkline.example", "http://10.0.0.1:8080", "trunkline.example:8080"} {
		got := list("--server", open)
		require.Equal(t, cli.ExitUsage, got.exit, open)
		require.Contains(t, got.stderr, "https://")
		require.NotContains(t, got.stderr, "of_the_file")
	}
}

func TestCredentialsThatAreNoneAreRefusedWithoutRepeatingThem(t *testing.T) {
	(&desk{}).start(t)
	dir := t.TempDir()
	for name, content := range map[string]string{"two-lines": "canary\ncanary", "empty": "\n", "long": strings.Repeat("canary", 2000), "control": "canary\x01"} {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		got := run(t, nil, "accounts", "list", "--api-key-file", file)
		require.Equal(t, cli.ExitUsage, got.exit, name)
		require.Contains(t, got.stderr, "--api-key-file")
		require.NotContains(t, got.stderr, "canary")
	}
	require.Equal(t, cli.ExitUsage, run(t, nil, "accounts", "list", "--api-key-file", filepath.Join(dir, "none")).exit)
	t.Setenv("TRUNKLINE_API_KEY", "canary canary")
	got := run(t, nil, "accounts", "list")
	require.Equal(t, cli.ExitUsage, got.exit)
	require.NotContains(t, got.stderr, "canary")
}

func TestDeniedCommandsSayWhatToDo(t *testing.T) {
	for reason, c := range map[string]struct {
		code connect.Code
		says string
	}{
		"CREDENTIAL_REQUIRED": {connect.CodeUnauthenticated, "keys bootstrap"},
		"CREDENTIAL_INVALID":  {connect.CodeUnauthenticated, "TRUNKLINE_API_KEY"},
		"CREDENTIAL_REVOKED":  {connect.CodeUnauthenticated, "keys create"},
		"ROLE_TOO_LOW":        {connect.CodePermissionDenied, "--role"},
	} {
		d := &desk{}
		d.start(t)
		d.fail = serverError(t, c.code, reason, "No.")
		got := run(t, nil, "accounts", "list")
		require.Equal(t, cli.ExitDenied, got.exit)
		require.Contains(t, got.stderr, reason)
		require.Contains(t, got.stderr, c.says)
	}
}
