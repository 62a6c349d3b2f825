package rpcserver_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/dynamicpb"

	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/certtest"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

const (
	internalCheck = "/echo.v1.InternalService/Check"
	internalWatch = "/echo.v1.InternalService/Watch"
	connector     = "spiffe://example.org/smpp-connector"
	engine        = "routing-engine.example.org"
)

// mountAs mounts Check and Watch as another service of the schema.
func (e *echo) mountAs(name string) rpcserver.Mount {
	return rpcserver.Mount{Name: "echo.v1." + name, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
		path := "/echo.v1." + name + "/"
		with := func(procedure string) []connect.HandlerOption {
			return append([]connect.HandlerOption{connect.WithSchema(method(procedure)), connect.WithRequestInitializer(initialize)}, opts...)
		}
		mux := http.NewServeMux()
		mux.Handle(path+"Check", connect.NewUnaryHandler(path+"Check", e.unary, with(path+"Check")...))
		mux.Handle(path+"Watch", connect.NewServerStreamHandler(path+"Watch", e.watch, with(path+"Watch")...))
		return path, mux
	}}
}

// startInternal serves the internal echo to the connector and, for Check, to the engine.
func startInternal(t *testing.T, e *echo, files certtest.Files, change func(*rpcserver.Options)) *rpcservertest.Running {
	t.Helper()
	return rpcservertest.Start(t, func(c *rpcserver.Config, o *rpcserver.Options) {
		addr := c.Addr
		*c = rpcserver.InternalConfig{Addr: addr, TLS: rpcserver.MutualTLSConfig{
			CertFile: files.Cert, KeyFile: files.Key, ClientCAFile: files.CA,
		}}.Listener(*c)
		o.Name, o.Audience = "internal", optionsv1.Audience_AUDIENCE_INTERNAL
		o.Identities = map[string][]rpcserver.Identity{internalCheck: {connector, engine}, internalWatch: {connector}}
		if change != nil {
			change(o)
		}
	}, e.mountAs("InternalService"), (&echo{}).mount())
}

func newFiles(t *testing.T) (certtest.Files, *certtest.Authority) {
	t.Helper()
	ca, files := certtest.NewAuthority(t), certtest.NewFiles(t)
	files.Write(t, ca.Issue(t, "127.0.0.1"), ca)
	return files, ca
}

func TestTheInternalListenerKnowsItsCallersByName(t *testing.T) {
	files, ca := newFiles(t)
	callers := make(chan caller.Caller, 1)
	e := &echo{do: func(ctx context.Context, _ *dynamicpb.Message) error {
		callers <- caller.From(ctx)
		return nil
	}}
	known := func(name string) caller.Caller {
		return caller.Caller{Name: name, Kind: caller.Certificate, Role: caller.Operator} // the role of the methods
	}
	r := startInternal(t, e, files, nil)
	for _, shown := range []struct {
		name string
		pair certtest.Pair
		want string
	}{
		{"a SPIFFE ID", ca.Issue(t, connector), connector},
		{"a DNS name", ca.Issue(t, "other.example.org", engine), engine},
		{"a DNS name in capitals", ca.Issue(t, strings.ToUpper(engine)), engine},
	} {
		for _, p := range protocols() {
			t.Run(shown.name+" by "+p.name, func(t *testing.T) {
				_, err := call(within(t), newClient(ca.Client(t, shown.pair), r.URL, internalCheck, p.options...), to(number))
				require.NoError(t, err)
				require.Equal(t, known(shown.want), await(t, callers, "the handler runs"))
			})
		}
	}
	stream, err := newClient(ca.Client(t, ca.Issue(t, connector)), r.URL, internalWatch).CallServerStream(within(t), connect.NewRequest(to(number)))
	require.NoError(t, err)
	require.True(t, stream.Receive())
	require.Equal(t, known(connector), await(t, callers, "the stream runs"))
	require.NoError(t, stream.Close())
}

func TestAnIdentityThatIsNotNamedIsRefused(t *testing.T) {
	files, ca := newFiles(t)
	e := &echo{do: func(context.Context, *dynamicpb.Message) error { panic("the handler must not run") }}
	var logs safeBuffer
	denials := make(chan rpcserver.Denial, 1)
	r := startInternal(t, e, files, func(o *rpcserver.Options) {
		o.Identities[internalWatch] = nil
		o.Denied = func(_ context.Context, d rpcserver.Denial) { denials <- d }
		o.Logger = slog.New(slog.NewJSONHandler(&logs, nil))
	})
	require.Contains(t, logs.String(), "nobody may call an internal method")
	for _, c := range []struct {
		name, procedure string
		names           []string
		message         string
	}{
		{"another SPIFFE ID", internalCheck, []string{"spiffe://example.org/billing"}, number},
		{"another DNS name", internalCheck, []string{"billing.example.org"}, number},
		{"no name at all", internalCheck, nil, number},
		{"a wildcard over the name", internalCheck, []string{"*.example.org"}, number},
		{"the DNS name with a dot at its end", internalCheck, []string{engine + "."}, number},
		{"a SPIFFE ID beside another URI", internalCheck, []string{connector, "https://example.org/x"}, number},
		{"another scheme", internalCheck, []string{"https://example.org/smpp-connector"}, number},
		{"a message that is not valid", internalCheck, []string{"billing.example.org"}, "nonsense"},
		{"a method without identities", internalWatch, []string{connector}, number},
	} {
		for _, p := range protocols() {
			t.Run(c.name+" by "+p.name, func(t *testing.T) {
				client := newClient(ca.Client(t, ca.Issue(t, c.names...)), r.URL, c.procedure, p.options...)
				err := refusal(t, client, c.procedure, to(c.message))
				require.Equal(t, connect.CodePermissionDenied, connect.CodeOf(err), "%v", err)
				require.Equal(t, "IDENTITY_NOT_ALLOWED", detail[*errdetails.ErrorInfo](t, err).GetReason())
				d := await(t, denials, "the refusal is told")
				require.Equal(t, []string{c.procedure, "IDENTITY_NOT_ALLOWED"}, []string{d.Procedure, d.Reason})
				require.NotEmpty(t, d.Caller.Name)
				require.Equal(t, caller.None, d.Caller.Role)
			})
		}
	}
	require.Contains(t, logs.String(), "an identity may not call")

	// Bytes that are no message at all learn no more.
	a := send(t, ca.Client(t, ca.Issue(t, "billing.example.org")), http.MethodPost, r.URL+internalCheck, "application/json", nil, strings.NewReader("{"))
	require.Equal(t, http.StatusForbidden, a.status)
}

func refusal(t *testing.T, client *connect.Client[dynamicpb.Message, dynamicpb.Message], procedure string, m *dynamicpb.Message) error {
	t.Helper()
	if procedure != internalWatch {
		_, err := call(within(t), client, m)
		return err
	}
	stream, err := client.CallServerStream(within(t), connect.NewRequest(m))
	if err != nil {
		return err
	}
	require.False(t, stream.Receive())
	_ = stream.Close()
	return stream.Err()
}

func TestTheHandshakeOfTheInternalListenerRefusesStrangers(t *testing.T) {
	files, ca := newFiles(t)
	e := &echo{do: func(context.Context, *dynamicpb.Message) error { panic("the handler must not run") }}
	r := startInternal(t, e, files, nil)
	old := ca.Client(t, ca.Issue(t, connector))
	old.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS12
	for name, client := range map[string]*http.Client{
		"no certificate":                            ca.Client(t),
		"a certificate of another authority":        ca.Client(t, certtest.NewAuthority(t).Issue(t, connector)),
		"a certificate whose time has ended":        ca.Client(t, ca.Expired(t, connector)),
		"a certificate whose time has not come":     ca.Client(t, ca.NotYetValid(t, connector)),
		"a version of TLS before 1.3":               old,
		"clear text instead of TLS (HTTP/2)":        r.HTTP2,
		"clear text instead of TLS (HTTP/1)":        r.HTTP1,
		"a certificate that signed itself, by name": ca.Client(t, selfSigned(t)),
	} {
		t.Run(name, func(t *testing.T) {
			base := r.URL
			if strings.HasPrefix(name, "clear text") {
				base = "http://" + r.Server.Addr().String()
			}
			res, err := client.Post(base+internalCheck, "application/json", strings.NewReader("{}"))
			if err == nil { // net/http answers clear text on a TLS port in words of its own
				require.Equal(t, http.StatusBadRequest, res.StatusCode)
				require.NoError(t, res.Body.Close())
			}
		})
	}
}

// selfSigned is an authority of its own that calls itself the connector.
func selfSigned(t *testing.T) certtest.Pair {
	return certtest.NewAuthority(t).Issue(t, connector)
}

func TestEachListenerTakesTheServicesOfItsAudience(t *testing.T) {
	files, ca := newFiles(t)
	inner := startInternal(t, &echo{}, files, func(o *rpcserver.Options) {
		o.Limits = map[string]rpcserver.Limits{check: {MaxBytes: 10}}
	})
	outer := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Limits = map[string]rpcserver.Limits{internalCheck: {MaxBytes: 10}}
		o.Identities = map[string][]rpcserver.Identity{internalCheck: {connector}}
	}, (&echo{}).mount(), (&echo{}).mountAs("InternalService"))

	_, err := call(within(t), newClient(outer.HTTP2, outer.URL, check, connect.WithGRPC()), to(number))
	require.NoError(t, err)
	_, err = call(within(t), newClient(outer.HTTP2, outer.URL, internalCheck, connect.WithGRPC()), to(number))
	require.Equal(t, connect.CodeUnimplemented, connect.CodeOf(err))

	client := ca.Client(t, ca.Issue(t, connector))
	_, err = call(within(t), newClient(client, inner.URL, internalCheck, connect.WithGRPC()), to(number))
	require.NoError(t, err)
	_, err = call(within(t), newClient(client, inner.URL, check, connect.WithGRPC()), to(number))
	require.Equal(t, connect.CodeUnimplemented, connect.CodeOf(err))
}

func TestMistakesAboutAudiencesPreventTheStart(t *testing.T) {
	files, _ := newFiles(t)
	mutual := rpcserver.TLSConfig{CertFile: files.Cert, KeyFile: files.Key, ClientCAFile: files.CA, RequireClientCert: true}
	open := mutual
	open.RequireClientCert = false
	inner := optionsv1.Audience_AUDIENCE_INTERNAL
	for _, c := range []struct {
		name       string
		tls        rpcserver.TLSConfig
		audience   optionsv1.Audience
		service    string
		identities map[string][]rpcserver.Identity
		text       string
	}{
		{name: "a service with both audiences", service: "MixedService", text: "make it two services"},
		{name: "a method without audience", service: "BareService", text: "/echo.v1.BareService/Watch has no audience"},
		{name: "a method without role", service: "RolelessService", text: "/echo.v1.RolelessService/Watch has no role"},
		{name: "an internal listener without TLS", audience: inner, text: "internal listener needs"},
		{name: "an internal listener that takes callers without certificate", audience: inner, tls: open, text: "internal listener needs"},
		{name: "a listener for nobody", audience: 7, text: "public or internal"},
		{name: "identities of a public method", audience: inner, tls: mutual, identities: map[string][]rpcserver.Identity{check: {connector}}, text: check},
		{name: "identities of no method", identities: map[string][]rpcserver.Identity{unruled: {connector}}, text: unruled},
	} {
		t.Run(c.name, func(t *testing.T) {
			health, err := rpcserver.NewHealth(nil, rpcserver.HealthOptions{})
			require.NoError(t, err)
			cfg := rpcserver.Default()
			cfg.TLS = c.tls
			mounts := []rpcserver.Mount{(&echo{}).mount()}
			if c.service != "" {
				mounts = append(mounts, (&echo{}).mountAs(c.service))
			}
			_, err = rpcserver.New(cfg, rpcserver.Options{Health: health, Audience: c.audience, Identities: c.identities, Mounts: mounts})
			require.ErrorContains(t, err, c.text)
		})
	}
}

// The connection stays open and is used all the time: only the server can end it.
func TestAReplacedAuthorityReachesConnectionsThatAreOpen(t *testing.T) {
	files, ca := newFiles(t)
	r := startInternal(t, &echo{}, files, nil)
	client := newClient(ca.Client(t, ca.Issue(t, connector)), r.URL, internalCheck)
	_, err := call(within(t), client, to(number))
	require.NoError(t, err)

	next := certtest.NewAuthority(t)
	files.Write(t, ca.Issue(t, "127.0.0.1"), next)
	require.Eventually(t, func() bool {
		_, err := call(within(t), client, to(number))
		return err != nil
	}, 15*time.Second, 20*time.Millisecond, "a certificate of the old authority is still taken")

	files.Write(t, ca.Issue(t, "127.0.0.1"), ca)
	require.Eventually(t, func() bool {
		_, err := call(within(t), client, to(number))
		return err == nil
	}, 15*time.Second, 20*time.Millisecond)
}

// inProcess calls without a connection, with the TLS state given.
func inProcess(t *testing.T, s *rpcserver.Server, state *tls.ConnectionState) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, internalCheck, strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	r.TLS = state
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestACertificateThatEndsWhileItsConnectionIsOpenIsRefused(t *testing.T) {
	files, ca := newFiles(t)
	r := startInternal(t, &echo{}, files, nil)
	state := func(pair certtest.Pair) *tls.ConnectionState {
		block, _ := pem.Decode(pair.Cert)
		leaf, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		return &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf, ca.Cert}}}
	}
	require.Equal(t, http.StatusOK, inProcess(t, r.Server, state(ca.Issue(t, connector))).Code)

	w := inProcess(t, r.Server, state(ca.Expired(t, connector)))
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Contains(t, w.Body.String(), "CLIENT_CERTIFICATE_EXPIRED")
	require.Equal(t, "close", w.Header().Get("Connection"), "the next call makes a new connection")

	unverified := state(ca.Issue(t, connector))
	unverified.VerifiedChains = nil
	for name, one := range map[string]*tls.ConnectionState{"no TLS": nil, "no certificate": {}, "nothing verified": unverified} {
		w := inProcess(t, r.Server, one)
		require.Equal(t, http.StatusUnauthorized, w.Code, name)
		require.Contains(t, w.Body.String(), "CLIENT_CERTIFICATE_REQUIRED", name)
	}
}

func TestInternalCallsAreCountedAndHealthAsksForNoIdentity(t *testing.T) {
	files, ca := newFiles(t)
	reg := prometheus.NewRegistry()
	metrics, err := rpcserver.NewMetrics(reg, "test_internal", nil)
	require.NoError(t, err)
	r := startInternal(t, &echo{}, files, func(o *rpcserver.Options) { o.Metrics, o.Registerer = metrics, reg })
	stranger := ca.Client(t, ca.Issue(t, "billing.example.org"))
	_, err = call(within(t), newClient(stranger, r.URL, internalCheck), to(number))
	require.Error(t, err)
	a := send(t, stranger, http.MethodPost, r.URL+"/grpc.health.v1.Health/Check", "application/json", nil, strings.NewReader("{}"))
	require.Equal(t, http.StatusOK, a.status)
	require.EqualValues(t, 1, sample(t, reg, "test_internal_requests_total", map[string]string{"method": "Check", "status_code": "PERMISSION_DENIED"}))
	require.NotZero(t, sample(t, reg, "trunkline_certificate_expiry_seconds", map[string]string{"listener": "internal", "kind": "client_ca"}))
}

func TestASPIFFEIDInTheFieldForDNSNamesIsNone(t *testing.T) {
	files, ca := newFiles(t)
	r := startInternal(t, &echo{}, files, nil)
	leaf := &x509.Certificate{DNSNames: []string{connector}, NotAfter: time.Now().Add(time.Hour)}
	w := inProcess(t, r.Server, &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf, ca.Cert}}})
	require.Equal(t, http.StatusForbidden, w.Code)
	leaf.DNSNames = []string{engine}
	w = inProcess(t, r.Server, &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf, ca.Cert}}})
	require.Equal(t, http.StatusOK, w.Code)
}

func TestIdentities(t *testing.T) {
	for _, good := range []string{connector, engine, "localhost", "spiffe://a/b.c/d_e-f", "xn--bcher-kva.example"} {
		id, err := rpcserver.ParseIdentity(good)
		require.NoError(t, err, good)
		require.EqualValues(t, good, id)
	}
	id, err := rpcserver.ParseIdentity("A.Example")
	require.NoError(t, err)
	require.EqualValues(t, "a.example", id)
	for _, bad := range []string{
		"", " ", "*", "*.example.org", "a..b", ".a", "a.", "-a", "a-", "a b", "a/b", "a,b", "127.0.0.1:8443", "https://a/b",
		"spiffe://", "spiffe://a", "spiffe://a/", "spiffe://a/b/", "spiffe://A/b", "spiffe://a/../b", "spiffe://a/./b", "spiffe://a:1/b",
		"spiffe://u@a/b", "spiffe://a/b?c", "spiffe://a/b#c", "spiffe://a/%62", "SPIFFE://a/b", "spiffe://a/" + strings.Repeat("b", 2048), strings.Repeat("a", 64),
	} {
		var id rpcserver.Identity
		require.Error(t, id.UnmarshalText([]byte(bad)), bad)
		require.Empty(t, id)
	}
}

func TestTheInternalListenerNeedsItsFiles(t *testing.T) {
	require.NoError(t, rpcserver.InternalConfig{}.Validate())
	err := rpcserver.InternalConfig{Addr: "8443"}.Validate()
	for _, key := range []string{"addr", "tls.cert_file", "tls.key_file", "tls.client_ca_file"} {
		require.ErrorContains(t, err, key)
	}
	full := rpcserver.InternalConfig{Addr: "127.0.0.1:8443", TLS: rpcserver.MutualTLSConfig{CertFile: "a", KeyFile: "b", ClientCAFile: "c"}}
	require.NoError(t, full.Validate())
	require.NoError(t, full.Listener(rpcserver.Default()).Validate())
	require.False(t, full.Listener(rpcserver.Default()).Reflection)
}
