package accesstest

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/certtest"
)

// at makes a change at a path as it is written, with the credential of an admin where key is set.
func at(method, target string, key bool, headers ...string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		lines := append([]string{asJSON}, headers...)
		if key {
			lines = append(lines, w.keyLine())
		}
		target := strings.ReplaceAll(target, "HOST", w.host())
		return w.status(t, method, target, evil, lines...)
	}
}

// askew is a path that is not quite that of an RPC. Whoever has a credential must not get to the handler by it either.
func askew(target string) func(*testing.T, *town) string { return at(http.MethodPost, target, true) }

const (
	service   = "/trunkline.access.v1.AccountService"
	rpcPath   = service + "/CreateAccount"
	noMethod  = "404 UNKNOWN_METHOD"
	nothing   = "404"
	badTarget = "400"
)

var targets = []attack{
	{"a path with two slashes before it", askew("/" + rpcPath), nothing},
	{"a path with two slashes within", askew(service + "//CreateAccount"), noMethod},
	{"a path with a slash behind it", askew(rpcPath + "/"), noMethod},
	{"a path with a dot within", askew(service + "/./CreateAccount"), noMethod},
	{"a path that goes up from another service", askew("/trunkline.operators.v1.OperatorService/.." + rpcPath), noMethod},
	{"a path that goes up from a page", askew("/health/.." + rpcPath), nothing},
	{"a path that goes up from nothing", askew("/.." + rpcPath), nothing},
	{"a path that goes up and is escaped", askew("/health/%2e%2e" + rpcPath), nothing},
	{"a path with an escaped slash, without a credential", at(http.MethodPost, service+"%2FCreateAccount", false), required},
	{"a path with a slash that is escaped twice", askew(service + "%252FCreateAccount"), nothing},
	{"a path with a backslash", askew(service + `\CreateAccount`), nothing},
	{"a path with an escaped letter, without a credential", at(http.MethodPost, service+"/Create%41ccount", false), required},
	{"a path in small letters", askew(strings.ToLower(rpcPath)), noMethod},
	{"a path in capitals", askew(strings.ToUpper(rpcPath)), noMethod},
	{"a path whose method has another case", askew(service + "/createAccount"), noMethod},
	{"a path with a parameter", askew(rpcPath + ";v=1"), noMethod},
	{"a path with a NUL character behind it", askew(rpcPath + "%00"), noMethod},
	{"a path with a line break behind it", askew(rpcPath + "%0a"), noMethod},
	{"a path with a blank behind it", askew(rpcPath + "%20"), noMethod},
	{"a path with a suffix", askew(rpcPath + ".json"), noMethod},
	{"a path with a letter that looks the same", askew(service + "/Cre%D0%B0teAccount"), noMethod},
	{"a path with an escape that is none", askew(service + "/Create%zzAccount"), badTarget},
	{"a path below a prefix", askew("/api" + rpcPath), nothing},
	{"a path below the name of a proxy", askew("/rpc" + rpcPath), nothing},
	{"the service alone", askew(service), noMethod},
	{"the service with a slash", askew(service + "/"), noMethod},
	{"the service without its package", askew("/AccountService/CreateAccount"), nothing},
	{"a star as the path", at(http.MethodPost, "*", true), nothing},
	{"a whole address without a credential", at(http.MethodPost, "https://HOST"+rpcPath, false), required},
	{"the address of another machine without a credential", at(http.MethodPost, "https://evil.example"+rpcPath, false), required},
	{"the path in a header that proxies set", at(http.MethodPost, "/health", true, "X-Original-URL: "+rpcPath, "X-Rewrite-URL: "+rpcPath), "405"},
	{"a change by PUT", at(http.MethodPut, rpcPath, true), notGET},
	{"a change by DELETE", at(http.MethodDelete, rpcPath, true), notGET},
	{"a change by PATCH", at(http.MethodPatch, rpcPath, true), notGET},
	{"a change by OPTIONS", at(http.MethodOptions, rpcPath, true), notGET},
	{"a change by TRACE", at(http.MethodTrace, rpcPath, true), notGET},
	{"a change by CONNECT", at(http.MethodConnect, rpcPath, true), notGET},
	{"a change by a method that does not exist", at("EVIL", rpcPath, true), notGET},
	{"a change by post in small letters", at("post", rpcPath, true), notGET},
	{"a change that overrides its method", at(http.MethodPut, rpcPath, true, "X-HTTP-Method-Override: POST", "X-Method-Override: POST"), notGET},
	{"no host", at(http.MethodPost, rpcPath, true, noHost), badTarget},
	{"two hosts", at(http.MethodPost, rpcPath, true, "Host: a.example", "Host: b.example"), badTarget},
	{"a host with a path", at(http.MethodPost, rpcPath, true, "Host: a.example/evil"), badTarget},
	{"another host without a credential", at(http.MethodPost, rpcPath, false, "Host: evil.example"), required},
	{"another host in headers that proxies set", at(http.MethodPost, rpcPath, false, "X-Forwarded-Host: localhost", "X-Forwarded-Proto: https"), required},
	{"the name of this machine as the host, without a credential", at(http.MethodPost, rpcPath, false, "Host: localhost"), required},
}

// speaks calls an internal listener or a service that must not be there, by gRPC, as an admin.
func speaks(procedure string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		a := call(t, w.plain, w.url, method{procedure: procedure, stream: true}, grpc, w.admin, nil)
		return a.outcome()
	}
}

// page gets a page of the public listener.
func page(target string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string { return w.status(t, http.MethodGet, target, "", w.keyLine()) }
}

// handshake tries to connect to the internal listener.
func handshake(pair func(t *testing.T, w *town) []certtest.Pair) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		if err := w.ca.Handshake(t, strings.TrimPrefix(w.inner, "https://"), pair(t, w)...); err != nil && strings.Contains(err.Error(), "tls: ") {
			return "no connection"
		}
		return "connected"
	}
}

// plaintext speaks HTTP without TLS to a listener.
func plaintext(addr func(w *town) string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		c, err := net.DialTimeout("tcp", addr(w), eventually)
		require.NoError(t, err)
		defer func() { _ = c.Close() }()
		require.NoError(t, c.SetDeadline(time.Now().Add(eventually)))
		_, err = c.Write([]byte("POST " + rpcPath + " HTTP/1.1\r\nHost: x\r\n" + asJSON + "\r\n" + w.keyLine() + "\r\nContent-Length: 29\r\n\r\n" + evil))
		require.NoError(t, err)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return "no answer"
		}
		_ = res.Body.Close()
		return res.Status
	}
}

const unimplemented = "unimplemented UNKNOWN_METHOD"

var exposed = []attack{
	{"the reflection of gRPC", speaks("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"), unimplemented},
	{"the older reflection of gRPC", speaks("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"), unimplemented},
	{"the channels of gRPC", speaks("/grpc.channelz.v1.Channelz/GetServers"), unimplemented},
	{"the passwords of operators on the public listener", speaks("/trunkline.operators.v1.InternalOperatorService/GetOperatorCredentials"), unimplemented},
	{"all that engines read on the public listener", speaks("/trunkline.operators.v1.InternalOperatorService/ListOperatorConfigs"), unimplemented},
	{"the passwords of operators on the public listener with the certificate of the connector", func(t *testing.T, w *town) string {
		m := methodOf(t, "/trunkline.operators.v1.InternalOperatorService/GetOperatorCredentials")
		return call(t, w.ca.Client(t, w.ca.Issue(t, connectorID)), w.url, m, grpc, nil, nil).outcome()
	}, unimplemented},
	{"a public service on the internal listener", func(t *testing.T, w *town) string {
		return call(t, w.ca.Client(t, w.ca.Issue(t, connectorID)), w.inner, methodOf(t, path(createAccount)), connectJSON, w.admin, []byte(evil)).outcome()
	}, unimplemented},
	{"metrics on the internal listener", func(t *testing.T, w *town) string {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, w.inner+"/metrics", http.NoBody)
		require.NoError(t, err)
		res, err := w.ca.Client(t, w.ca.Issue(t, connectorID)).Do(req)
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		return res.Status
	}, "404 Not Found"},
	{"the profiler", page("/debug/pprof/"), nothing},
	{"the command line of the process", page("/debug/pprof/cmdline"), nothing},
	{"the memory of the process", page("/debug/pprof/heap"), nothing},
	{"the variables of the process", page("/debug/vars"), nothing},
	{"the settings of the process", page("/config"), nothing},
	{"a file of the process", page("/../../../../proc/self/environ"), nothing},
	{"a file of the repository", page("/.git/config"), nothing},
	{"the environment of the process in a file", page("/.env"), nothing},
	{"the internal listener without a certificate", handshake(func(*testing.T, *town) []certtest.Pair { return nil }), "no connection"},
	{"the internal listener with an expired certificate", handshake(func(t *testing.T, w *town) []certtest.Pair {
		return []certtest.Pair{w.ca.Expired(t, connectorID)}
	}), "no connection"},
	{"the internal listener with a certificate whose time has not come", handshake(func(t *testing.T, w *town) []certtest.Pair {
		return []certtest.Pair{w.ca.NotYetValid(t, connectorID)}
	}), "no connection"},
	{"the internal listener with a certificate of another authority", handshake(func(t *testing.T, _ *town) []certtest.Pair {
		return []certtest.Pair{newAuthority(t).Issue(t, connectorID)}
	}), "no connection"},
	{"the internal listener without TLS", plaintext(func(w *town) string { return strings.TrimPrefix(w.inner, "https://") }), "400 Bad Request"},
	{"the public listener without TLS", plaintext(func(w *town) string { return w.host() }), "400 Bad Request"},
}
