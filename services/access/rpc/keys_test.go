package rpc_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/migrations"
	"trunkline/services/access"
	"trunkline/services/access/database"
	"trunkline/services/access/rpc"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
	"trunkline/services/platform/secret"
)

// served is the services of accounts and keys behind one server.
type served struct {
	accounts accessv1connect.AccountServiceClient
	keys     accessv1connect.ApiKeyServiceClient
	who      atomic.Pointer[caller.Caller] // who calls from now on
}

// Authenticate takes each call as one of the present caller.
func (s *served) Authenticate(context.Context, http.Header) (caller.Caller, error) {
	return *s.who.Load(), nil
}

func serve(t *testing.T) *served {
	t.Helper()
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(bunstoretest.SQLite(t, migrations.SQLite))
	db, err := bunstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	pepper, err := access.NewPepper(secret.New(strings.Repeat("p", access.MinPepper)))
	require.NoError(t, err)

	s := &served{}
	s.as(caller.Caller{Name: "jwt:admin", Kind: caller.Token, Role: caller.Admin})
	store, now := database.New(db, bunstore.NewReader(db)), clock.System().Now
	accounts, keys := rpc.NewAccounts(access.NewAccountAdmin(store, now)), rpc.NewKeys(access.NewKeyAdmin(store, pepper, now))
	running := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) { o.Authenticator = s },
		rpcserver.Mount{Name: accessv1connect.AccountServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return accessv1connect.NewAccountServiceHandler(accounts, opts...)
		}},
		rpcserver.Mount{Name: accessv1connect.ApiKeyServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return accessv1connect.NewApiKeyServiceHandler(keys, opts...)
		}})
	s.accounts = accessv1connect.NewAccountServiceClient(running.HTTP2, running.URL)
	s.keys = accessv1connect.NewApiKeyServiceClient(running.HTTP2, running.URL)
	return s
}

func (s *served) as(who caller.Caller) { s.who.Store(&who) }

func (s *served) account(t *testing.T, name string) *accessv1.Account {
	t.Helper()
	res, err := s.accounts.CreateAccount(t.Context(), &accessv1.CreateAccountRequest{Account: &accessv1.Account{Name: name}})
	require.NoError(t, err)
	return res.GetAccount()
}

func (s *served) key(t *testing.T, name string) *accessv1.ApiKey {
	t.Helper()
	res, err := s.keys.CreateApiKey(t.Context(), &accessv1.CreateApiKeyRequest{Name: name, Role: optionsv1.Role_ROLE_VIEWER})
	require.NoError(t, err)
	return res.GetApiKey()
}

// reason gives code and reason of an error.
func reason(t *testing.T, err error) string {
	t.Helper()
	var failure *connect.Error
	require.ErrorAs(t, err, &failure)
	text := failure.Code().String()
	for _, detail := range failure.Details() {
		value, err := detail.Value()
		require.NoError(t, err)
		if info, ok := value.(*errdetails.ErrorInfo); ok {
			text += " " + info.GetReason()
		}
	}
	return text
}

func TestAccountsOverTheWire(t *testing.T) {
	s := serve(t)
	a := s.account(t, "Acme")
	require.NotEmpty(t, a.GetEtag())
	require.NotNil(t, a.GetCreateTime())
	got, err := s.accounts.GetAccount(t.Context(), &accessv1.GetAccountRequest{AccountId: a.GetAccountId()})
	require.NoError(t, err)
	require.Equal(t, a.String(), got.GetAccount().String())

	_, err = s.accounts.CreateAccount(t.Context(), &accessv1.CreateAccountRequest{Account: &accessv1.Account{Name: "Acme"}})
	require.Equal(t, "already_exists DUPLICATE_ACCOUNT", reason(t, err))
	update := &accessv1.UpdateAccountRequest{
		Account:    &accessv1.Account{AccountId: a.GetAccountId(), Etag: a.GetEtag(), Name: "Acme Ltd"},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"name"}}, RequestId: "r-1",
	}
	changed, err := s.accounts.UpdateAccount(t.Context(), update)
	require.NoError(t, err)
	require.Equal(t, "Acme Ltd", changed.GetAccount().GetName())
	again, err := s.accounts.UpdateAccount(t.Context(), update)
	require.NoError(t, err, "a repeat, although the etag is an old one")
	require.Equal(t, changed.GetAccount().GetEtag(), again.GetAccount().GetEtag())
	update.RequestId = "r-2"
	_, err = s.accounts.UpdateAccount(t.Context(), update)
	require.Equal(t, "aborted ETAG_MISMATCH", reason(t, err))
	_, err = s.accounts.DeleteAccount(t.Context(), &accessv1.DeleteAccountRequest{AccountId: a.GetAccountId(), RequestId: "r-1"})
	require.Equal(t, "invalid_argument REQUEST_ID_REUSED", reason(t, err))

	_, err = s.keys.CreateApiKey(t.Context(), &accessv1.CreateApiKeyRequest{Name: "k", Role: optionsv1.Role_ROLE_VIEWER, AccountId: a.GetAccountId()})
	require.NoError(t, err)
	gone, err := s.accounts.DeleteAccount(t.Context(), &accessv1.DeleteAccountRequest{AccountId: a.GetAccountId()})
	require.NoError(t, err)
	require.EqualValues(t, 1, gone.GetRevokedKeys())
	_, err = s.accounts.GetAccount(t.Context(), &accessv1.GetAccountRequest{AccountId: a.GetAccountId()})
	require.Equal(t, "not_found NO_SUCH_ACCOUNT", reason(t, err))
}

func TestAccountsAndKeysComeInPagesOfOneList(t *testing.T) {
	s := serve(t)
	for _, name := range []string{"Charlie", "Alpha", "Bravo"} {
		s.account(t, name)
		s.key(t, name)
	}
	var names []string
	accounts := &accessv1.ListAccountsRequest{PageSize: 2}
	for range 2 {
		page, err := s.accounts.ListAccounts(t.Context(), accounts)
		require.NoError(t, err)
		for _, a := range page.GetAccounts() {
			names = append(names, a.GetName())
		}
		accounts.PageToken = page.GetNextPageToken()
	}
	keys := &accessv1.ListApiKeysRequest{PageSize: 2}
	for range 2 {
		page, err := s.keys.ListApiKeys(t.Context(), keys)
		require.NoError(t, err)
		for _, k := range page.GetApiKeys() {
			names = append(names, k.GetName())
		}
		if token := page.GetNextPageToken(); token != "" {
			_, err = s.keys.ListApiKeys(t.Context(), &accessv1.ListApiKeysRequest{PageToken: token, ShowEnded: true})
			require.Equal(t, "invalid_argument INVALID_PAGE_TOKEN", reason(t, err))
			_, err = s.accounts.ListAccounts(t.Context(), &accessv1.ListAccountsRequest{PageToken: token})
			require.Equal(t, "invalid_argument INVALID_PAGE_TOKEN", reason(t, err))
		}
		keys.PageToken = page.GetNextPageToken()
	}
	require.Empty(t, accounts.GetPageToken())
	require.Empty(t, keys.GetPageToken())
	require.Equal(t, []string{"Alpha", "Bravo", "Charlie", "Bravo", "Alpha", "Charlie"}, names)
}

func TestTheTextOfAKeyIsShownOnce(t *testing.T) {
	s := serve(t)
	create := &accessv1.CreateApiKeyRequest{
		Name: "orchestrator", Role: optionsv1.Role_ROLE_OPERATOR, Lifetime: durationpb.New(time.Hour), RequestId: "r-1",
	}
	made, err := s.keys.CreateApiKey(t.Context(), create)
	require.NoError(t, err)
	k := made.GetApiKey()
	require.Len(t, made.GetText(), access.KeyLength)
	require.True(t, strings.HasPrefix(made.GetText(), k.GetHint()))
	require.Equal(t, time.Hour, k.GetExpireTime().AsTime().Sub(k.GetCreateTime().AsTime()))
	require.Equal(t, optionsv1.Role_ROLE_OPERATOR, k.GetRole())
	require.Equal(t, "jwt:admin", k.GetCreatedBy())
	again, err := s.keys.CreateApiKey(t.Context(), create)
	require.NoError(t, err)
	require.Empty(t, again.GetText())
	require.Equal(t, k.GetKeyId(), again.GetApiKey().GetKeyId())

	next, err := s.keys.RotateApiKey(t.Context(), &accessv1.RotateApiKeyRequest{KeyId: k.GetKeyId(), Overlap: durationpb.New(time.Minute)})
	require.NoError(t, err)
	require.Len(t, next.GetText(), access.KeyLength)
	revoked, err := s.keys.RevokeApiKey(t.Context(), &accessv1.RevokeApiKeyRequest{KeyId: k.GetKeyId()})
	require.NoError(t, err)
	require.NotNil(t, revoked.GetApiKey().GetRevokeTime())
	list, err := s.keys.ListApiKeys(t.Context(), &accessv1.ListApiKeysRequest{})
	require.NoError(t, err)
	require.Len(t, list.GetApiKeys(), 1)
	require.Equal(t, next.GetApiKey().GetKeyId(), list.GetApiKeys()[0].GetKeyId())
	list, err = s.keys.ListApiKeys(t.Context(), &accessv1.ListApiKeysRequest{ShowEnded: true})
	require.NoError(t, err)
	require.Len(t, list.GetApiKeys(), 2)
}

func TestABoundCallerSeesOneAccount(t *testing.T) {
	s := serve(t)
	mine, other := s.account(t, "Mine"), s.account(t, "Other")
	unbound := s.key(t, "unbound")
	s.as(caller.Caller{Name: "key:1", Kind: caller.Key, Role: caller.Admin, Account: uuid.MustParse(mine.GetAccountId())})

	list, err := s.accounts.ListAccounts(t.Context(), &accessv1.ListAccountsRequest{})
	require.NoError(t, err)
	require.Len(t, list.GetAccounts(), 1)
	_, err = s.accounts.GetAccount(t.Context(), &accessv1.GetAccountRequest{AccountId: other.GetAccountId()})
	require.Equal(t, "not_found NO_SUCH_ACCOUNT", reason(t, err))
	_, err = s.accounts.DeleteAccount(t.Context(), &accessv1.DeleteAccountRequest{AccountId: mine.GetAccountId()})
	require.Equal(t, "permission_denied ACCOUNT_NOT_ALLOWED", reason(t, err))
	_, err = s.keys.CreateApiKey(t.Context(), &accessv1.CreateApiKeyRequest{Name: "k", Role: optionsv1.Role_ROLE_VIEWER, AccountId: other.GetAccountId()})
	require.Equal(t, "permission_denied ACCOUNT_MISMATCH", reason(t, err))
	_, err = s.keys.RevokeApiKey(t.Context(), &accessv1.RevokeApiKeyRequest{KeyId: unbound.GetKeyId()})
	require.Equal(t, "not_found NO_SUCH_KEY", reason(t, err))
	require.Equal(t, mine.GetAccountId(), s.key(t, "k").GetAccountId())
	keys, err := s.keys.ListApiKeys(t.Context(), &accessv1.ListApiKeysRequest{ShowEnded: true})
	require.NoError(t, err)
	require.Len(t, keys.GetApiKeys(), 1)
}
