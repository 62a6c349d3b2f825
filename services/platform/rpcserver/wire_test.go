package rpcserver_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
)

// answer is what a raw request got, whatever the protocol.
type answer struct {
	status  int
	code    string // canonical lower case name, "" for success
	reason  string
	text    string // message, or the whole body
	header  http.Header
	details []byte
}

// send posts raw bytes and reads the error out of any protocol.
func send(t testing.TB, h *http.Client, method, target, contentType string, header http.Header, body io.Reader) answer {
	t.Helper()
	req, err := http.NewRequest(method, target, body)
	require.NoError(t, err)
	for k, v := range header {
		req.Header[k] = v
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := h.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	a := answer{status: res.StatusCode, header: res.Header, text: string(data)}
	switch {
	case strings.HasPrefix(res.Header.Get("Content-Type"), "application/grpc"):
		trailer := res.Trailer
		if trailer.Get("Grpc-Status") == "" {
			trailer = res.Header
		}
		if trailer.Get("Grpc-Status") == "" { // gRPC-Web puts trailers into the body
			trailer = webTrailer(data)
		}
		a.grpc(t, trailer)
	case strings.HasPrefix(res.Header.Get("Content-Type"), "application/connect+"):
		if i := bytes.LastIndex(data, []byte(`{"error"`)); i >= 0 {
			var end struct {
				Error json.RawMessage `json:"error"`
			}
			require.NoError(t, json.Unmarshal(data[i:], &end))
			a.connect(t, end.Error)
		}
	case res.StatusCode >= 400 && json.Valid(data):
		a.connect(t, data)
	}
	return a
}

func (a *answer) connect(t testing.TB, data []byte) {
	t.Helper()
	var e struct {
		Code, Message string
		Details       []struct{ Type, Value string }
	}
	require.NoError(t, json.Unmarshal(data, &e))
	a.code, a.text = e.Code, e.Message
	for _, d := range e.Details {
		a.details = append(a.details, d.Value...)
		if d.Type == "google.rpc.ErrorInfo" {
			raw, err := base64.RawStdEncoding.DecodeString(d.Value)
			require.NoError(t, err)
			var info errdetails.ErrorInfo
			require.NoError(t, proto.Unmarshal(raw, &info))
			a.reason = info.GetReason()
		}
	}
}

func (a *answer) grpc(t testing.TB, trailer http.Header) {
	t.Helper()
	var n int
	for _, r := range trailer.Get("Grpc-Status") {
		n = n*10 + int(r-'0')
	}
	if n == 0 {
		return
	}
	a.code, a.text = connect.Code(n).String(), trailer.Get("Grpc-Message")
	raw, err := connect.DecodeBinaryHeader(trailer.Get("Grpc-Status-Details-Bin"))
	require.NoError(t, err)
	var st spb.Status
	require.NoError(t, proto.Unmarshal(raw, &st))
	for _, d := range st.GetDetails() {
		var info errdetails.ErrorInfo
		if d.UnmarshalTo(&info) == nil {
			a.reason = info.GetReason()
		}
	}
}

func webTrailer(body []byte) http.Header {
	h := http.Header{}
	for len(body) >= 5 {
		n := int(binary.BigEndian.Uint32(body[1:5]))
		if body[0]&0x80 != 0 {
			for _, line := range strings.Split(string(body[5:5+n]), "\r\n") {
				if k, v, ok := strings.Cut(line, ":"); ok {
					h.Add(k, strings.TrimSpace(v))
				}
			}
		}
		body = body[5+n:]
	}
	return h
}

func framed(flags byte, payloads ...[]byte) []byte {
	var out []byte
	for _, p := range payloads {
		out = append(out, flags)
		out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}

func zipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

func startCounting(t testing.TB, e *echo, change func(*rpcserver.Config, *rpcserver.Options)) (*rpcservertest.Running, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	metrics, err := rpcserver.NewMetrics(reg, "test", nil)
	require.NoError(t, err)
	return rpcservertest.Start(t, func(c *rpcserver.Config, o *rpcserver.Options) {
		o.Metrics, o.Gatherer, o.Registerer = metrics, reg, reg
		if change != nil {
			change(c, o)
		}
	}, e.mount()), reg
}

func TestBadBytesAreMalformedMessages(t *testing.T) {
	r, reg := startCounting(t, &echo{}, nil)
	wrong := []byte(`{"to": ` + wrongData + `}`)
	badProto := []byte{0x0a, 0x20, 'x'}
	gz := http.Header{"Content-Encoding": {"gzip"}}
	grpcGz := http.Header{"Grpc-Encoding": {"gzip"}}
	cases := []struct {
		name, path, contentType string
		header                  http.Header
		body                    []byte
		text                    string
	}{
		{"broken JSON", check, "application/json", nil, []byte(`{"to": "` + number), ""},
		{"a number where text belongs names the field", check, "application/json", nil, wrong, "field to"},
		{"a number in JSON with charset", check, "application/json; charset=utf-8", nil, wrong, "field to"},
		{"an unknown enum name", check, "application/json", nil, []byte(`{"kind":"KIND_FAX"}`), "kind"},
		{"an unknown enum name in a list of messages", check, "application/json", nil, []byte(`{"requests":[{},{"messageKind":"FAX"}]}`), "requests[1].messageKind"},
		{"an unknown enum name beside an unknown field", check, "application/json", nil, []byte(`{"later":1,"kind":"KIND_FAX"}`), "kind"},
		{"an empty JSON body", check, "application/json", nil, nil, "empty"},
		{"a JSON array", check, "application/json", nil, []byte(`[]`), ""},
		{"broken protobuf", check, "application/proto", nil, badProto, "protobuf"},
		{"text that is not UTF-8", check, "application/proto", nil, []byte{0x0a, 1, 0xff}, "protobuf"},
		{"gzip that is none", check, "application/proto", gz, []byte("no gzip"), "gzip"},
		{"gzip with garbage behind it", check, "application/proto", gz, append(zipped([]byte{}), "garbage"...), "gzip"},
		{"gzip that is cut", check, "application/proto", gz, zipped(badProto)[:14], "gzip"},
		{"broken protobuf over gRPC", check, "application/grpc", nil, framed(0, badProto), "protobuf"},
		{"wrong JSON over gRPC", check, "application/grpc+json", nil, framed(0, wrong), "field to"},
		{"broken protobuf over gRPC-Web", check, "application/grpc-web+proto", nil, framed(0, badProto), "protobuf"},
		{"broken protobuf on a Connect stream", collect, "application/connect+proto", nil, framed(0, badProto), "protobuf"},
		{"a bad second message of a stream", collect, "application/connect+json", nil, framed(0, []byte(`{}`), wrong), "field to"},
		{"a cut message over gRPC", check, "application/grpc", nil, framed(0, []byte{1, 2, 3})[:7], "middle"},
		{"a cut prefix over gRPC", check, "application/grpc", nil, []byte{0, 0, 0}, "middle"},
		{"no message over gRPC", check, "application/grpc", nil, nil, "no message"},
		{"two messages for a unary call", check, "application/grpc", nil, framed(0, nil, nil), "exactly one"},
		{"unknown envelope flags", check, "application/grpc", nil, framed(0x42, nil), "flags"},
		{"a compressed flag without an encoding", check, "application/grpc", nil, framed(1, []byte{1}), "encoding"},
		{"bad gzip over gRPC", check, "application/grpc", grpcGz, framed(1, []byte("no gzip")), "gzip"},
		{"no message for a server stream", watch, "application/grpc", nil, nil, "no message"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			method := c.path[strings.LastIndexByte(c.path, '/')+1:]
			before := requests(t, reg, method, "INVALID_ARGUMENT")
			a := send(t, r.HTTP2, http.MethodPost, r.URL+c.path, c.contentType, c.header, bytes.NewReader(c.body))
			require.Equal(t, "invalid_argument", a.code, a.text)
			require.Equal(t, rpcserver.ReasonMalformedMessage, a.reason)
			require.Contains(t, a.text, c.text)
			require.NotContains(t, a.text, wrongData[:8])
			require.NotContains(t, a.text, "FAX")
			require.NotEmpty(t, a.header.Get("X-Request-Id"))
			require.Equal(t, before+1, requests(t, reg, method, "INVALID_ARGUMENT"), "counted once")
		})
	}
}

func TestUnknownJSONFieldsAreIgnored(t *testing.T) {
	r, _ := startCounting(t, &echo{}, nil)
	a := send(t, r.HTTP1, http.MethodPost, r.URL+check, "application/json", nil,
		strings.NewReader(`{"to":"`+number+`","later":{"kind":"ANY"},"kind":"KIND_SMS"}`))
	require.Equal(t, 200, a.status, a.text)
	require.JSONEq(t, `{"to":"`+number+`","kind":"KIND_SMS"}`, a.text)
}

func TestTooLargeMessagesAreRefusedInEveryShape(t *testing.T) {
	const limit = 1000
	r, reg := startCounting(t, &echo{}, func(c *rpcserver.Config, o *rpcserver.Options) {
		c.MaxMessageBytes = limit
		o.Limits = map[string]rpcserver.Limits{lookup: {MaxBytes: 100_000}}
	})
	exact := marshal(t, set(newMessage(), "data", bytes.Repeat([]byte{'x'}, limit-3)))
	require.Len(t, exact, limit)
	over := marshal(t, set(newMessage(), "data", bytes.Repeat([]byte{'x'}, limit-2)))
	bomb := zipped(marshal(t, set(newMessage(), "data", make([]byte, 900_000))))
	require.Less(t, len(bomb), limit)
	cases := []struct {
		name, path, contentType string
		header                  http.Header
		body                    io.Reader
		refused                 bool
	}{
		{"a message of exactly the limit passes", check, "application/proto", nil, bytes.NewReader(exact), false},
		{"one byte more is refused by its length header", check, "application/proto", nil, bytes.NewReader(over), true},
		{"one byte more is refused without a length header", check, "application/proto", nil, io.MultiReader(bytes.NewReader(over)), true},
		{"an endless body is refused", check, "application/json", nil, endless{}, true},
		{"exactly the limit passes over gRPC", check, "application/grpc", nil, bytes.NewReader(framed(0, exact)), false},
		{"one byte more is refused over gRPC", check, "application/grpc", nil, bytes.NewReader(framed(0, over)), true},
		{"one byte more is refused over gRPC-Web", check, "application/grpc-web", nil, bytes.NewReader(framed(0, over)), true},
		{"a promised size is enough to refuse", check, "application/grpc", nil, io.MultiReader(bytes.NewReader([]byte{0, 0xff, 0xff, 0xff, 0xff}), endless{}), true},
		{"a compression bomb is refused", check, "application/proto", http.Header{"Content-Encoding": {"gzip"}}, bytes.NewReader(bomb), true},
		{"a compression bomb is refused over gRPC", check, "application/grpc", http.Header{"Grpc-Encoding": {"gzip"}}, bytes.NewReader(framed(1, bomb)), true},
		{"the second message of a stream is refused", collect, "application/connect+proto", nil, bytes.NewReader(framed(0, exact, over)), true},
		{"a procedure with its own limit takes more", lookup, "application/proto", nil, bytes.NewReader(over), false},
		{"compressed exactly the limit passes", check, "application/proto", http.Header{"Content-Encoding": {"gzip"}}, bytes.NewReader(zipped(exact)), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			method := c.path[strings.LastIndexByte(c.path, '/')+1:]
			before := requests(t, reg, method, "RESOURCE_EXHAUSTED")
			a := send(t, r.HTTP2, http.MethodPost, r.URL+c.path, c.contentType, c.header, c.body)
			if !c.refused {
				require.Empty(t, a.code, a.text)
				return
			}
			require.Equal(t, "resource_exhausted", a.code, a.text)
			require.Equal(t, rpcserver.ReasonMessageTooLarge, a.reason)
			require.Contains(t, a.text, "1000 bytes")
			require.Equal(t, before+1, requests(t, reg, method, "RESOURCE_EXHAUSTED"), "counted once")
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	require.NoError(t, err)
	return b
}

func TestUnknownMethodsAreUnimplementedInEveryProtocol(t *testing.T) {
	r, reg := startCounting(t, &echo{}, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Pages = []rpcserver.Page{{Pattern: "/", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "console")
		})}}
	})
	for _, p := range protocols() {
		for _, path := range []string{unruled, "/no.such.v1.Service/Method"} {
			t.Run(path+" over "+p.name, func(t *testing.T) {
				c := connect.NewClient[spb.Status, spb.Status](r.HTTP2, r.URL+path, p.options...)
				_, err := c.CallUnary(within(t), connect.NewRequest(&spb.Status{}))
				require.Equal(t, connect.CodeUnimplemented, connect.CodeOf(err))
				require.Equal(t, rpcserver.ReasonUnknownMethod, detail[*errdetails.ErrorInfo](t, err).GetReason())
			})
		}
	}
	a := send(t, r.HTTP1, http.MethodPost, r.URL+unruled, "application/json", nil, strings.NewReader("{}"))
	require.Equal(t, 404, a.status)
	require.Equal(t, "unimplemented", a.code)
	a = send(t, r.HTTP1, http.MethodGet, r.URL+unruled, "", nil, nil)
	require.Equal(t, 404, a.status, "a service path never shows a page")
	a = send(t, r.HTTP1, http.MethodGet, r.URL+"/anything", "", nil, nil)
	require.Equal(t, "console", a.text)
	require.EqualValues(t, 10, requests(t, reg, "unknown", "UNIMPLEMENTED"))
}

func TestNothingAtAnAddressIsJSON(t *testing.T) {
	r, _ := startCounting(t, &echo{}, nil)
	a := send(t, r.HTTP1, http.MethodGet, r.URL+"/nothing", "", nil, nil)
	require.Equal(t, 404, a.status)
	require.Equal(t, "not_found", a.code)
	for _, path := range []string{"//elsewhere.example/console", "/a//b", "/a/../b"} {
		a = send(t, r.HTTP1, http.MethodGet, r.URL+path, "", nil, nil)
		require.Equal(t, 404, a.status, path)
		require.Empty(t, a.header.Get("Location"), path)
	}
	a = send(t, r.HTTP1, http.MethodDelete, r.URL+"/health", "", nil, nil)
	require.Equal(t, 405, a.status)
	require.Equal(t, "GET, HEAD", a.header.Get("Allow"))
}

func TestWrongContentTypesNameTheAcceptedOnes(t *testing.T) {
	r, reg := startCounting(t, &echo{}, nil)
	cases := []struct{ path, contentType, accepted string }{
		{check, "text/plain", "application/json"},
		{check, "", "application/grpc"},
		{check, "application/connect+json", "application/proto"},
		{check, "application/grpc+thrift", "application/grpc-web"},
		{collect, "application/json", "application/connect+json"},
	}
	for i, c := range cases {
		a := send(t, r.HTTP2, http.MethodPost, r.URL+c.path, c.contentType, nil, strings.NewReader("{}"))
		require.Equal(t, 415, a.status, c)
		require.Contains(t, a.header.Get("Accept-Post"), c.accepted)
		require.Equal(t, "application/json", a.header.Get("Content-Type"))
		require.EqualValues(t, i+1, requests(t, reg, "Check", "INVALID_ARGUMENT")+requests(t, reg, "Collect", "INVALID_ARGUMENT"))
	}
	res, err := r.HTTP1.Post(r.URL+check, "text/plain", strings.NewReader("x"))
	require.NoError(t, err)
	defer res.Body.Close()
	var body struct {
		Code, Reason string
		Accepted     []string
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&body))
	require.Equal(t, rpcserver.ReasonUnsupportedContentType, body.Reason)
	require.Contains(t, body.Accepted, "application/json")
}

func TestProtocolHeadersAreChecked(t *testing.T) {
	r, _ := startCounting(t, &echo{}, nil)
	cases := []struct {
		name, contentType, key, value, code, reason string
	}{
		{"a Connect timeout with a unit", "application/json", "Connect-Timeout-Ms", "10s", "invalid_argument", rpcserver.ReasonInvalidHeader},
		{"a Connect timeout that is too long", "application/json", "Connect-Timeout-Ms", "12345678901", "invalid_argument", rpcserver.ReasonInvalidHeader},
		{"a gRPC timeout without a unit", "application/grpc", "Grpc-Timeout", "10", "invalid_argument", rpcserver.ReasonInvalidHeader},
		{"an unknown Connect version", "application/json", "Connect-Protocol-Version", "2", "invalid_argument", rpcserver.ReasonInvalidHeader},
		{"an unknown Connect encoding", "application/json", "Content-Encoding", "br", "unimplemented", rpcserver.ReasonUnsupportedEncoding},
		{"an unknown gRPC encoding", "application/grpc", "Grpc-Encoding", "snappy", "unimplemented", rpcserver.ReasonUnsupportedEncoding},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := send(t, r.HTTP2, http.MethodPost, r.URL+check, c.contentType, http.Header{c.key: {c.value}}, strings.NewReader("{}"))
			require.Equal(t, c.code, a.code)
			require.Equal(t, c.reason, a.reason)
			require.NotContains(t, a.text, c.value)
		})
	}
	a := send(t, r.HTTP1, http.MethodPost, r.URL+chat, "application/connect+json", nil, strings.NewReader(""))
	require.Equal(t, rpcserver.ReasonHTTP2Required, a.reason)
	a = send(t, r.HTTP1, http.MethodPut, r.URL+check, "application/json", nil, strings.NewReader("{}"))
	require.Equal(t, 405, a.status)
	require.Equal(t, "POST", a.header.Get("Allow"))
}

func TestGetRequestsAreCheckedLikePosts(t *testing.T) {
	r, reg := startCounting(t, &echo{}, nil)
	good := func() url.Values {
		return url.Values{"connect": {"v1"}, "encoding": {"json"}, "message": {`{"to":"` + number + `"}`}}
	}
	cases := []struct {
		name       string
		change     func(url.Values)
		status     int
		code, text string
	}{
		{"a good request", func(url.Values) {}, 200, "", number},
		{"a missing message", func(v url.Values) { v.Del("message") }, 400, "invalid_argument", "message"},
		{"an unknown encoding", func(v url.Values) { v.Set("encoding", "xml") }, 400, "invalid_argument", "encoding"},
		{"bad base64", func(v url.Values) { v.Set("base64", "1") }, 400, "invalid_argument", "base64"},
		{"good base64", func(v url.Values) { v.Set("base64", "1"); v.Set("message", "e30=") }, 200, "", "{}"},
		{"good base64 without padding", func(v url.Values) { v.Set("base64", "1"); v.Set("message", "e30") }, 200, "", "{}"},
		{"bad JSON", func(v url.Values) { v.Set("message", `{"to":`+wrongData) }, 400, "invalid_argument", "column"},
		{"an unknown version", func(v url.Values) { v.Set("connect", "v2") }, 400, "invalid_argument", "connect"},
		{"an unknown compression", func(v url.Values) { v.Set("compression", "br") }, 501, "unimplemented", "gzip"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := good()
			c.change(v)
			a := send(t, r.HTTP1, http.MethodGet, r.URL+lookup+"?"+v.Encode(), "", nil, nil)
			require.Equal(t, c.status, a.status, a.text)
			require.Equal(t, c.code, a.code)
			require.Contains(t, a.text, c.text)
			require.NotContains(t, a.text, wrongData)
		})
	}
	require.EqualValues(t, 3, requests(t, reg, "Lookup", "OK"))
	require.EqualValues(t, 5, requests(t, reg, "Lookup", "INVALID_ARGUMENT"))
	a := send(t, r.HTTP1, http.MethodGet, r.URL+check+"?"+good().Encode(), "", nil, nil)
	require.Equal(t, 405, a.status, "a call with side effects is no GET")
}

func TestABodyThatNeverArrivesEndsTheCall(t *testing.T) {
	r, _ := startCounting(t, &echo{}, func(c *rpcserver.Config, _ *rpcserver.Options) {
		c.RequestTimeout = 50 * time.Millisecond
	})
	for _, h := range []*http.Client{r.HTTP1, r.HTTP2} {
		for _, contentType := range []string{"application/json", "application/grpc"} {
			body, stuck := io.Pipe()
			a := send(t, h, http.MethodPost, r.URL+check, contentType, nil, body)
			require.Equal(t, "deadline_exceeded", a.code, a.text)
			require.Equal(t, "DEADLINE_EXCEEDED", a.reason)
			_ = stuck.Close()
		}
	}
}

func TestAnAnnouncedSizeIsRefusedBeforeTheBodyArrives(t *testing.T) {
	r, _ := startCounting(t, &echo{}, nil)
	for _, h := range []*http.Client{r.HTTP1, r.HTTP2} {
		body, stuck := io.Pipe()
		req, err := http.NewRequest(http.MethodPost, r.URL+check, body)
		require.NoError(t, err)
		req.ContentLength = 2 << 20
		req.Header.Set("Content-Type", "application/json")
		res, err := h.Do(req)
		require.NoError(t, err)
		data, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusTooManyRequests, res.StatusCode, string(data))
		_ = stuck.Close()
	}
}

func TestTheContentTypesAreThoseOfTheLibrary(t *testing.T) {
	r, _ := startCounting(t, &echo{}, nil)
	types := map[string][]string{
		check: {"application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8", "application/proto"},
		watch: {"application/connect+json", "application/connect+json; charset=utf-8", "application/connect+proto"},
	}
	for path, own := range types {
		for _, prefix := range []string{"application/grpc", "application/grpc-web"} {
			own = append(own, prefix, prefix+"+proto", prefix+"+json", prefix+"+json; charset=utf-8")
		}
		for _, contentType := range own {
			body := []byte("{}")
			if path == watch || strings.Contains(contentType, "grpc") {
				body = framed(0, nil)
			} else if strings.HasSuffix(contentType, "proto") {
				body = nil
			}
			a := send(t, r.HTTP2, http.MethodPost, r.URL+path, contentType, nil, bytes.NewReader(body))
			require.Equal(t, 200, a.status, contentType)
			require.Empty(t, a.code, contentType)
		}
	}
}
