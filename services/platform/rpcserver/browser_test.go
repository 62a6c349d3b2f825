package rpcserver_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/dynamicpb"

	"trunkline/services/platform/certtest"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

const (
	console = "https://console.example.org"
	foreign = "https://evil.example.org"
)

// fromWeb starts a server whose pages of the origins may call, and counts what its handlers see.
func fromWeb(t *testing.T, origins ...string) (*rpcservertest.Running, chan struct{}) {
	t.Helper()
	ran := make(chan struct{}, 1)
	e := &echo{do: func(context.Context, *dynamicpb.Message) error {
		ran <- struct{}{}
		return nil
	}}
	r, _ := startCounting(t, e, func(c *rpcserver.Config, o *rpcserver.Options) {
		c.CORS.AllowedOrigins = origins
		o.Pages = []rpcserver.Page{
			{Pattern: "POST /page", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran <- struct{}{} })},
			{Pattern: "GET /console", ContentSecurityPolicy: rpcserver.ConsolePolicy, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Cache-Control", "max-age=60")
				_, _ = io.WriteString(w, "console")
			})},
		}
	})
	return r, ran
}

// webBodies is an empty message for each protocol that a web page can speak, and for gRPC.
func webBodies() map[string]string {
	return map[string]string{
		"application/json": "{}", "application/proto": "", "application/grpc-web": "\x00\x00\x00\x00\x00",
		"application/grpc-web+json": "\x00\x00\x00\x00\x02{}", "application/grpc": "\x00\x00\x00\x00\x00",
	}
}

func TestOnlyPagesOfAllowedOriginsCall(t *testing.T) {
	for _, c := range []struct {
		name    string
		origins []string
		header  http.Header
		runs    bool
		shared  string
	}{
		{"a program, which names no origin", nil, http.Header{}, true, ""},
		{"a page of an allowed origin", []string{console}, http.Header{"Origin": {console}, "Sec-Fetch-Site": {"cross-site"}}, true, console},
		{"a page of an allowed origin in an old browser", []string{console}, http.Header{"Origin": {console}}, true, console},
		{"a page of this server", nil, http.Header{"Origin": {"https://HOST"}, "Sec-Fetch-Site": {"same-origin"}}, true, ""},
		{"a page of this server in an old browser", nil, http.Header{"Origin": {"http://HOST"}}, true, ""},
		{"a page of another origin", []string{console}, http.Header{"Origin": {foreign}, "Sec-Fetch-Site": {"cross-site"}}, false, ""},
		{"a page of another origin in an old browser", []string{console}, http.Header{"Origin": {foreign}}, false, ""},
		{"a page of another origin when none is allowed", nil, http.Header{"Origin": {console}}, false, ""},
		{"a page of a neighbour of this server", nil, http.Header{"Origin": {"https://x.HOST"}, "Sec-Fetch-Site": {"same-site"}}, false, ""},
		{"an allowed origin with another scheme", []string{console}, http.Header{"Origin": {"http://console.example.org"}}, false, ""},
		{"an allowed origin with another port", []string{console}, http.Header{"Origin": {console + ":8443"}}, false, ""},
		{"an allowed origin as the beginning of another", []string{console}, http.Header{"Origin": {console + ".evil.example"}}, false, ""},
		{"a sandboxed page", []string{console}, http.Header{"Origin": {"null"}, "Sec-Fetch-Site": {"cross-site"}}, false, ""},
		{"a form of another site without origin", []string{console}, http.Header{"Sec-Fetch-Site": {"cross-site"}}, false, ""},
	} {
		r, ran := fromWeb(t, c.origins...)
		header := c.header.Clone()
		if origin := header.Get("Origin"); origin != "" {
			header.Set("Origin", strings.ReplaceAll(origin, "HOST", strings.TrimPrefix(r.URL, "http://")))
		}
		check := func(t *testing.T, a answer) {
			require.Equal(t, c.shared, a.header.Get("Access-Control-Allow-Origin"))
			require.Empty(t, a.header.Get("Access-Control-Allow-Credentials"), "there are no cookies")
			if c.runs {
				require.Equal(t, 200, a.status, a.text)
				await(t, ran, "the handler runs")
				return
			}
			require.Empty(t, ran, "the handler does not run")
		}
		for contentType, body := range webBodies() {
			t.Run(c.name+" by "+contentType, func(t *testing.T) {
				a := send(t, r.HTTP2, http.MethodPost, r.URL+lookup, contentType, header, strings.NewReader(body))
				check(t, a)
				if !c.runs {
					require.Equal(t, "permission_denied", a.code)
					require.Equal(t, "ORIGIN_NOT_ALLOWED", a.reason)
				}
			})
		}
		t.Run(c.name+" to a page", func(t *testing.T) {
			a := send(t, r.HTTP1, http.MethodPost, r.URL+"/page", "text/plain", header, strings.NewReader("x"))
			check(t, a)
			if !c.runs {
				require.Equal(t, http.StatusForbidden, a.status)
			}
		})
	}
}

func TestAGetOfAnotherPageChangesNothingAndIsNotShared(t *testing.T) {
	r, ran := fromWeb(t, console)
	header := http.Header{"Origin": {foreign}, "Sec-Fetch-Site": {"cross-site"}}
	query := "?connect=v1&encoding=json&message=%7B%7D"
	a := send(t, r.HTTP1, http.MethodGet, r.URL+lookup+query, "", header, nil)
	require.Equal(t, 200, a.status)
	require.Empty(t, a.header.Get("Access-Control-Allow-Origin"), "its page cannot read the answer")
	await(t, ran, "a method without side effects runs")
	for _, procedure := range []string{check, watch, collect, chat} {
		a = send(t, r.HTTP1, http.MethodGet, r.URL+procedure+query, "", header, nil)
		require.Equal(t, http.StatusMethodNotAllowed, a.status, procedure)
	}
	require.Empty(t, ran)
}

func TestPreflightsAreAnsweredForAllowedOriginsOnly(t *testing.T) {
	ask := func(method, headers string) http.Header {
		return http.Header{"Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": {headers}}
	}
	const usual = "authorization,connect-protocol-version,content-type,grpc-timeout,x-api-key,x-grpc-web,x-request-id,x-user-agent"
	r, ran := fromWeb(t, console, "http://localhost:5173")
	for _, c := range []struct {
		name, origin string
		header       http.Header
		allowed      bool
	}{
		{"an allowed origin", console, ask("POST", usual), true},
		{"another allowed origin", "http://localhost:5173", ask("GET", ""), true},
		{"another origin", foreign, ask("POST", usual), false},
		{"no origin", "", ask("POST", usual), false},
		{"a sandboxed page", "null", ask("POST", usual), false},
		{"another method", console, ask("DELETE", usual), false},
		{"a header that no call has", console, ask("POST", "cookie"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.origin != "" {
				c.header.Set("Origin", c.origin)
			}
			a := send(t, r.HTTP1, http.MethodOptions, r.URL+check, "", c.header, nil)
			require.Equal(t, http.StatusNoContent, a.status)
			require.Contains(t, a.header.Get("Vary"), "Origin")
			require.Empty(t, a.header.Get("Access-Control-Allow-Credentials"))
			if !c.allowed {
				require.Empty(t, a.header.Get("Access-Control-Allow-Origin")+a.header.Get("Access-Control-Allow-Methods"))
				return
			}
			require.Equal(t, c.origin, a.header.Get("Access-Control-Allow-Origin"))
			require.Equal(t, "7200", a.header.Get("Access-Control-Max-Age"))
			require.Equal(t, c.header.Get("Access-Control-Request-Headers"), a.header.Get("Access-Control-Allow-Headers"))
		})
	}
	a := send(t, r.HTTP1, http.MethodPost, r.URL+check, "application/json", http.Header{"Origin": {console}}, strings.NewReader("{}"))
	for _, name := range []string{"Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin", "X-Request-Id"} {
		require.Contains(t, a.header.Get("Access-Control-Expose-Headers"), name)
	}
	await(t, ran, "the call runs")

	closed, _ := fromWeb(t)
	header := ask("POST", usual)
	header.Set("Origin", console)
	a = send(t, closed.HTTP1, http.MethodOptions, closed.URL+check, "", header, nil)
	require.Equal(t, http.StatusMethodNotAllowed, a.status)
	require.Empty(t, a.header.Get("Access-Control-Allow-Origin"), "an empty list is nobody, not everybody")
}

func TestAllowedOriginsAreReplacedAsAWholeAndBadOnesKeepTheFormer(t *testing.T) {
	r, ran := fromWeb(t, console)
	status := func(origin string) int {
		a := send(t, r.HTTP1, http.MethodPost, r.URL+check, "application/json", http.Header{"Origin": {origin}}, strings.NewReader("{}"))
		if a.status == 200 {
			await(t, ran, "the call runs")
		}
		return a.status
	}
	require.Equal(t, []int{200, 403}, []int{status(console), status("https://new.example.org")})
	require.Error(t, r.Server.SetAllowedOrigins([]string{"https://new.example.org", "*"}))
	require.Equal(t, []int{200, 403}, []int{status(console), status("https://new.example.org")})
	require.NoError(t, r.Server.SetAllowedOrigins([]string{"https://new.example.org"}))
	require.Equal(t, []int{403, 200}, []int{status(console), status("https://new.example.org")})
	require.NoError(t, r.Server.SetAllowedOrigins(nil))
	require.Equal(t, []int{403, 403}, []int{status(console), status("https://new.example.org")})

	files, _ := newFiles(t)
	require.Error(t, startInternal(t, &echo{}, files, nil).Server.SetAllowedOrigins([]string{console}))
}

func TestOriginsAreExactAndSecret(t *testing.T) {
	for origin, text := range map[string]string{
		"https://console.example.org":          "",
		"https://console.example.org:8443":     "",
		"http://localhost:5173":                "",
		"http://127.0.0.1:5173":                "",
		"http://[::1]:5173":                    "",
		"*":                                    "wildcard",
		"https://*.example.org":                "wildcard",
		"null":                                 "write an origin",
		"":                                     "write an origin",
		"console.example.org":                  "write an origin",
		"https://":                             "write an origin",
		"https://console.example.org/":         "write an origin",
		"https://console.example.org/app":      "write an origin",
		"https://console.example.org?x":        "write an origin",
		"https://user@console.example.org":     "write an origin",
		"https://Console.example.org":          "write an origin",
		"https://console.example.org:443":      "443",
		"http://localhost:80":                  "80",
		"http://console.example.org":           "https",
		"http://localhost.evil.example.org":    "https",
		"ftp://console.example.org":            "https",
		"https://a.example, https://b.example": "write an origin",
	} {
		t.Run(origin, func(t *testing.T) {
			c := rpcserver.Default()
			c.CORS.AllowedOrigins = []string{console, origin}
			err := c.Validate()
			if text == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "cors.allowed_origins[1]")
			require.ErrorContains(t, err, text)
		})
	}
}

func TestEveryAnswerCarriesTheHeadersThatKeepBrowsersSafe(t *testing.T) {
	r, _ := fromWeb(t, console)
	fixed := map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
		"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "",
	}
	preflight := http.Header{"Origin": {console}, "Access-Control-Request-Method": {"POST"}}
	for _, c := range []struct {
		name, method, path, contentType string
		header                          http.Header
		console                         bool
	}{
		{"a good call", http.MethodPost, check, "application/json", nil, false},
		{"a good call over gRPC-Web", http.MethodPost, check, "application/grpc-web+json", nil, false},
		{"a call that is refused", http.MethodPost, check, "text/plain", nil, false},
		{"a page of another origin", http.MethodPost, check, "application/json", http.Header{"Origin": {foreign}}, false},
		{"a preflight", http.MethodOptions, check, "", preflight, false},
		{"a method that does not exist", http.MethodPost, unruled, "application/json", nil, false},
		{"a health page", http.MethodGet, "/ready", "", nil, false},
		{"the metrics", http.MethodGet, "/metrics", "", nil, false},
		{"nothing", http.MethodGet, "/nothing", "", nil, false},
		{"a credential in the URL", http.MethodGet, "/ready?api_key=x", "", nil, false},
		{"the console", http.MethodGet, "/console", "", nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var body io.Reader
			if c.method == http.MethodPost {
				body = bytes.NewReader([]byte("\x00\x00\x00\x00\x02{}"))
			}
			a := send(t, r.HTTP1, c.method, r.URL+c.path, c.contentType, c.header, body)
			for name, value := range fixed {
				require.Equal(t, value, a.header.Get(name), name)
			}
			require.Len(t, a.header["Content-Security-Policy"], 1)
			policy := a.header.Get("Content-Security-Policy")
			require.Contains(t, policy, "default-src 'none'")
			require.Contains(t, policy, "frame-ancestors 'none'")
			require.NotContains(t, policy, "unsafe")
			require.Equal(t, c.console, strings.Contains(policy, "script-src 'self'"))
			if c.console {
				require.Equal(t, "max-age=60", a.header.Get("Cache-Control"), "a page may be kept")
			} else {
				require.Equal(t, "no-store", a.header.Get("Cache-Control"))
			}
		})
	}
}

func TestOverTLSBrowsersAreToldToStay(t *testing.T) {
	ca, files := certtest.NewAuthority(t), certtest.NewFiles(t)
	files.Write(t, ca.Issue(t, "127.0.0.1"), ca)
	r := rpcservertest.Start(t, func(c *rpcserver.Config, _ *rpcserver.Options) {
		c.TLS = rpcserver.TLSConfig{CertFile: files.Cert, KeyFile: files.Key}
	}, (&echo{}).mount())
	a := send(t, ca.Client(t), http.MethodGet, r.URL+"/ready", "", nil, nil)
	require.Equal(t, "max-age=31536000", a.header.Get("Strict-Transport-Security"))
}

func TestACredentialInTheURLIsRefused(t *testing.T) {
	var denials []rpcserver.Denial
	e := &echo{}
	r, reg := startCounting(t, e, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Denied = func(_ context.Context, d rpcserver.Denial) { denials = append(denials, d) }
	})
	good := "connect=v1&encoding=json&message=" + url.QueryEscape("{}")
	for query, refused := range map[string]bool{
		"access_token=x": true, "api_key=x": true, "authorization=Bearer+x": true, "x-api-key=x": true, "apikey=x": true,
		"Access_Token=x": true, "access%5Ftoken=x": true, "a=b&api_key=": true, "a=b;api_key=x": true, "api_key": true,
		"%zz=1&access_token=x": true, "access_tokens=x": false, "message=api_key": false, "": false,
	} {
		t.Run(query, func(t *testing.T) {
			for contentType, body := range webBodies() {
				denials = nil
				a := send(t, r.HTTP2, http.MethodPost, r.URL+check+"?"+query, contentType, nil, strings.NewReader(body))
				if !refused {
					require.Empty(t, a.code, a.text)
					continue
				}
				require.Equal(t, "invalid_argument", a.code)
				require.Equal(t, "CREDENTIAL_IN_URL", a.reason)
				require.Len(t, denials, 1)
				require.Equal(t, check, denials[0].Procedure)
			}
			want := http.StatusOK
			if refused {
				want = http.StatusBadRequest
			}
			require.Equal(t, want, send(t, r.HTTP1, http.MethodGet, r.URL+lookup+"?"+good+"&"+query, "", nil, nil).status)
			a := send(t, r.HTTP1, http.MethodGet, r.URL+"/ready?"+query, "", nil, nil)
			require.Equal(t, want, a.status)
		})
	}
	require.NotZero(t, sample(t, reg, "trunkline_access_denied_total", map[string]string{"reason": "CREDENTIAL_IN_URL"}))
}

func TestAServerWithoutCredentialsAnswersToItsOwnMachineOnly(t *testing.T) {
	r := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Middleware = []func(http.Handler) http.Handler{rpcserver.LoopbackHosts}
	}, (&echo{}).mount())
	for host, status := range map[string]int{
		"": 200, "localhost": 200, "localhost:8080": 200, "LOCALHOST:8080": 200, "127.0.0.1:8080": 200, "127.9.9.9": 200, "[::1]:8080": 200, "[::1]": 200,
		"evil.example.org": 403, "evil.example.org:8080": 403, "localhost.evil.example.org": 403, "127.0.0.1.evil.example.org:8080": 403,
		"192.0.2.1:8080": 403, "[2001:db8::1]:8080": 403, "0.0.0.0:8080": 403,
	} {
		t.Run(host, func(t *testing.T) {
			for path, body := range map[string]string{check: "{}", "/ready": ""} {
				method := http.MethodPost
				if body == "" {
					method = http.MethodGet
				}
				req, err := http.NewRequest(method, r.URL+path, strings.NewReader(body))
				require.NoError(t, err)
				req.Header.Set("Content-Type", "application/json")
				// A page whose name points here is of the same origin to its browser.
				req.Host = host
				req.Header.Set("Sec-Fetch-Site", "same-origin")
				res, err := r.HTTP1.Do(req)
				require.NoError(t, err)
				data, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				require.Equal(t, status, res.StatusCode, string(data))
				require.Equal(t, status == 403, strings.Contains(string(data), "HOST_NOT_ALLOWED"))
			}
		})
	}
}
