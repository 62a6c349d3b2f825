package accessfx

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/migrations"
	"trunkline/services/access"
	"trunkline/services/access/jwks"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
)

func TestMain(m *testing.M) {
	// The proxy of the Pact library, in the tests with that tag, runs until the process ends.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/pact-foundation/pact-go/v2/proxy.HTTPReverseProxy.func1"))
}

const limit = 60 * time.Second

var pepper = config.NewSecret("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")

// edge is a process with nothing but access.
type edge struct {
	url      string
	accounts *access.AccountAdmin
	keys     *access.KeyAdmin
	limits   *Limits
	guard    rpcserver.Authenticator
}

func start(t *testing.T, c Config, before ...func(db *bun.DB)) edge {
	t.Helper()
	platform := platformfx.DefaultConfig()
	platform.Server.Addr, platform.Server.Drain.Notice = "127.0.0.1:0", 0
	store := bunstore.DefaultConfig()
	store.URL = config.NewSecret("sqlite:" + filepath.Join(t.TempDir(), "x.db"))
	var e edge
	var server *rpcserver.Server
	app := fxtest.New(t, fx.NopLogger,
		fx.Supply(slog.New(slog.NewTextHandler(t.Output(), nil)), platform, platformfx.Process{Name: "test"}, c, store, rpcserver.Metrics{}),
		platformfx.Database, Module, Services, platformfx.Module,
		fx.Decorate(func(db *bun.DB) (*bun.DB, error) {
			m, err := bunstore.NewMigrator(db, bunstore.Migrations{Files: migrations.SQLite, Dir: "sqlite"}, clock.System())
			if err == nil {
				_, err = m.Up(context.Background())
			}
			for _, do := range before {
				do(db)
			}
			return db, err
		}),
		fx.Populate(&server, &e.accounts, &e.keys, &e.limits, &e.guard))
	app.RequireStart()
	t.Cleanup(app.RequireStop)
	e.url = server.URL()
	return e
}

func withKeys() Config {
	c := DefaultConfig()
	c.Keys.Pepper = pepper
	return c
}

// as gives a client that shows a credential.
func (e edge) as(t *testing.T, credential string) accessv1connect.ApiKeyServiceClient {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(c.CloseIdleConnections)
	return accessv1connect.NewApiKeyServiceClient(c, e.url, connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			if credential != "" {
				req.Header().Set("Authorization", "Bearer "+credential)
			}
			return next(ctx, req)
		}
	})))
}

func (e edge) admin(t *testing.T) string {
	t.Helper()
	_, text, err := e.keys.Bootstrap(t.Context(), access.NewAPIKey{Name: "first", Role: caller.Admin}, true)
	require.NoError(t, err)
	require.Zero(t, ask(t, e.as(t, text.Reveal())), "it is good at once where it was made")
	return text.Reveal()
}

// ask gives the code of a call, 0 when it is answered.
func ask(t *testing.T, c accessv1connect.ApiKeyServiceClient) connect.Code {
	t.Helper()
	if _, err := c.ListApiKeys(t.Context(), &accessv1.ListApiKeysRequest{}); err != nil {
		return connect.CodeOf(err)
	}
	return 0
}

func TestAKeyOpensUntilItIsRevoked(t *testing.T) {
	e := start(t, withKeys())
	admin := e.as(t, e.admin(t))
	require.Equal(t, connect.CodeUnauthenticated, ask(t, e.as(t, "")))
	made, err := admin.CreateApiKey(t.Context(), &accessv1.CreateApiKeyRequest{Name: "second", Role: optionsv1.Role_ROLE_ADMIN})
	require.NoError(t, err)
	second := e.as(t, made.GetText())
	require.Zero(t, ask(t, second))
	_, err = admin.RevokeApiKey(t.Context(), &accessv1.RevokeApiKeyRequest{KeyId: made.GetApiKey().GetKeyId()})
	require.NoError(t, err)
	require.Equal(t, connect.CodeUnauthenticated, ask(t, second))
}

func TestNobodyIsAskedInDevelopment(t *testing.T) {
	c := withKeys()
	c.Development = true
	require.Zero(t, ask(t, start(t, c).as(t, "")))
}

func TestLimitsAreChangedWhileCallsComeIn(t *testing.T) {
	e := start(t, withKeys())
	admin := e.as(t, e.admin(t))
	c := access.DefaultLimitConfig()
	c.PerPrincipal = access.Limit{Rate: 0.001, Burst: 1}
	require.NoError(t, e.limits.Set(c))
	require.Eventually(t, func() bool { return ask(t, admin) == connect.CodeResourceExhausted }, limit, time.Millisecond)
	require.NoError(t, e.limits.Set(access.DefaultLimitConfig()))
	require.Eventually(t, func() bool { return ask(t, admin) == 0 }, limit, time.Millisecond)
}

func TestKeysThatEndedLongAgoAreDeleted(t *testing.T) {
	e := start(t, withKeys(), func(db *bun.DB) {
		_, err := db.ExecContext(t.Context(), `INSERT INTO api_keys (key_id, name, role, hint, pepper_id, mac, created_by, created_at, revoked_at)
			VALUES (?0, 'n', 'viewer', 'h', 'p', zeroblob(32), 'me', ?1, ?1)`, uuid.New(), time.Now().Add(-access.KeepEnded))
		require.NoError(t, err)
	})
	require.Eventually(t, func() bool {
		page, _, err := e.keys.List(t.Context(), Developer, uuid.Nil, true, access.KeyFilter{Limit: 1})
		return err == nil && len(page) == 0
	}, limit, 5*time.Millisecond)
}

// publisher is an issuer of tokens with one key.
type publisher struct {
	key ed25519.PrivateKey
	url string
}

func publish(t *testing.T) publisher {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	document, err := json.Marshal(map[string]any{"keys": []any{map[string]any{
		"kty": "OKP", "crv": "Ed25519", "kid": "1", "use": "sig", "alg": "EdDSA", "x": base64.RawURLEncoding.EncodeToString(public),
	}}})
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document)
	}))
	t.Cleanup(server.Close)
	return publisher{private, server.URL}
}

func (p publisher) config() jwks.Config {
	c := jwks.DefaultConfig()
	c.JWKSURL, c.Issuer, c.Audience, c.AllowHTTP = p.url, p.url, "trunkline", true
	return c
}

func (p publisher) token(t *testing.T) string { return p.tokenOf(t, "") }

// tokenOf is bound to an account, unless that is "".
func (p publisher) tokenOf(t *testing.T, account string) string {
	t.Helper()
	content := map[string]any{
		"iss": p.url, "aud": "trunkline", "sub": "alice", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(), "roles": []string{"admin"},
	}
	if account != "" {
		content[jwks.DefaultConfig().AccountClaim] = account
	}
	claims, err := json.Marshal(content)
	require.NoError(t, err)
	headers := jws.NewHeaders()
	require.NoError(t, headers.Set(jws.KeyIDKey, "1"))
	signed, err := jws.Sign(claims, jws.WithKey(jwa.EdDSA(), p.key, jws.WithProtectedHeaders(headers)))
	require.NoError(t, err)
	return string(signed)
}

func TestTokensOfTheIssuerAreTaken(t *testing.T) {
	p := publish(t)
	c := DefaultConfig()
	c.JWT = p.config()
	e := start(t, c)
	require.Zero(t, ask(t, e.as(t, p.token(t))))
	require.Equal(t, connect.CodeUnauthenticated, ask(t, e.as(t, publish(t).token(t))), "of another issuer")
	key, _ := access.NewKey()
	require.Equal(t, connect.CodeUnauthenticated, ask(t, e.as(t, key.Reveal())), "keys are not accepted")
}

func TestTokensOfAnAccountAreTakenWhileItLives(t *testing.T) {
	p := publish(t)
	alone, both := DefaultConfig(), withKeys()
	alone.JWT, both.JWT = p.config(), p.config()
	for name, c := range map[string]Config{"tokens alone": alone, "keys and tokens": both} {
		t.Run(name, func(t *testing.T) {
			e := start(t, c)
			shown := func(account string) (caller.Caller, error) {
				return e.guard.Authenticate(t.Context(), http.Header{"Authorization": {"Bearer " + p.tokenOf(t, account)}})
			}
			asked := access.Request{Caller: Developer}
			account, err := e.accounts.Create(t.Context(), asked, access.Account{Name: "Acme"})
			require.NoError(t, err)
			who, err := shown(account.ID.String())
			require.NoError(t, err)
			require.Equal(t, account.ID, who.Account)
			_, err = shown(uuid.NewString())
			require.True(t, fault.Is(err, access.ReasonInvalid))
			_, err = e.accounts.Delete(t.Context(), asked, access.Target{ID: account.ID})
			require.NoError(t, err)
			who, err = shown(account.ID.String())
			require.EqualError(t, err, "UNAUTHENTICATED CREDENTIAL_INVALID: The account of this token does not exist (any more).")
			require.Equal(t, caller.Caller{Name: who.Name}, who)
			_, err = shown("")
			require.NoError(t, err)
		})
	}
}

// source is a database without keys that may be out of reach.
type source struct {
	access.KeySource
	down atomic.Bool
}

func (s *source) err() error {
	if s.down.Load() {
		return errors.New("gone")
	}
	return nil
}

func (s *source) KeysVersion(context.Context) (access.KeysVersion, error) {
	return access.KeysVersion{}, s.err()
}

func (s *source) LoadKeys(context.Context, time.Time) (access.Snapshot, error) {
	return access.Snapshot{}, s.err()
}

func (s *source) LoadAccounts(context.Context) (access.Snapshot, error) {
	return access.Snapshot{}, s.err()
}

func TestAProcessIsReadyOnceItKnowsWhomToLetIn(t *testing.T) {
	for name, c := range map[string]Config{"api-keys": withKeys(), "accounts": DefaultConfig()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				current, _, _, err := c.Keys.peppers()
				require.NoError(t, err)
				database := &source{}
				database.down.Store(true)
				w := watcher{access.NewWatcher(database, current, nil, time.Now, slog.New(slog.DiscardHandler))}
				health, err := rpcserver.NewHealth(newDependencies(c, w, nil), rpcserver.HealthOptions{})
				require.NoError(t, err)
				health.MarkStarted()
				ctx, cancel := context.WithCancel(t.Context())
				var running sync.WaitGroup
				running.Go(func() { w.Run(ctx) })
				running.Go(func() { health.Run(ctx) })
				pass := func() { time.Sleep(time.Minute); synctest.Wait() }

				pass()
				require.False(t, health.Readiness().Ready)
				database.down.Store(false)
				pass()
				require.Equal(t, rpcserver.Readiness{Ready: true}, health.Readiness())
				database.down.Store(true)
				pass()
				require.Equal(t, rpcserver.Readiness{Ready: true, Degraded: []string{name}}, health.Readiness())
				cancel()
				running.Wait()
			})
		})
	}
	require.Empty(t, newDependencies(Config{Development: true}, watcher{}, nil))
}

func TestTheIssuerIsChangedWhileTheProcessRuns(t *testing.T) {
	before, after, registry := publish(t), publish(t), prometheus.NewRegistry()
	lc := fxtest.NewLifecycle(t)
	i, err := newIssuer(lc, Config{JWT: before.config()}, watcher{}, clock.System(), slog.New(slog.DiscardHandler), registry)
	require.NoError(t, err)
	lc.RequireStart()
	defer lc.RequireStop()
	who, err := i.Verify(t.Context(), before.token(t))
	require.NoError(t, err)
	require.False(t, who.Expires.IsZero())
	who.Expires = time.Time{}
	require.Equal(t, caller.Caller{Name: "jwt:alice", Kind: caller.Token, Role: caller.Admin, Account: uuid.Nil}, who)
	require.NoError(t, i.set(after.config()))
	_, err = i.Verify(t.Context(), before.token(t))
	require.Error(t, err)
	_, err = i.Verify(t.Context(), after.token(t))
	require.NoError(t, err)
	require.NoError(t, i.Check(t.Context()))
	metrics, err := registry.Gather()
	require.NoError(t, err)
	require.NotEmpty(t, metrics, "those of the new one")

	bad := after.config()
	bad.Issuer = ""
	require.Error(t, i.set(bad))
	_, err = i.Verify(t.Context(), after.token(t))
	require.NoError(t, err, "the former one stays in force")
	require.NoError(t, i.set(jwks.DefaultConfig()))
	_, err = i.Verify(t.Context(), after.token(t))
	require.True(t, fault.Is(err, access.ReasonInvalid))
}

func TestAConfigurationLetsSomebodyIn(t *testing.T) {
	weak := withKeys()
	weak.Keys.Pepper = config.NewSecret("too short")
	orphan := DefaultConfig()
	orphan.Keys.FormerPepper = pepper
	tokens := DefaultConfig()
	tokens.JWT.JWKSURL = "https://issuer.example/keys"
	development := DefaultConfig()
	development.Development = true
	for name, c := range map[string]struct {
		config Config
		good   bool
	}{
		"keys": {withKeys(), true}, "tokens": {tokens, true}, "development": {development, true},
		"nobody": {DefaultConfig(), false}, "a weak pepper": {weak, false}, "a former pepper alone": {orphan, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.config.Validate()
			if err == nil {
				err = c.config.Keys.Validate()
			}
			require.Equal(t, c.good, err == nil, "%v", err)
		})
	}
}
