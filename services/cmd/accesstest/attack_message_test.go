package accesstest

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
)

// sends is a JSON call of an admin.
func sends(procedure, body string, headers ...string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		body := strings.NewReplacer("ACCOUNT_A", w.a.ID.String(), "ACCOUNT_B", w.b.ID.String(), "OPERATOR", w.operatorID).Replace(body)
		return w.status(t, http.MethodPost, path(procedure), body, append(headers, asJSON, w.keyLine())...)
	}
}

// asksOfA is a JSON question of an admin of A.
func asksOfA(body string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		body := strings.NewReplacer("ACCOUNT_A", w.a.ID.String(), "ACCOUNT_B", w.b.ID.String()).Replace(body)
		return w.call(t, w.ofA, selectOperator, body).outcome()
	}
}

// binaryOfA is a binary question of an admin of A, with fields of account_id in this order.
func binaryOfA(accounts func(w *town) []string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		raw := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "+4915112345678")
		for _, account := range accounts(w) {
			raw = protowire.AppendString(protowire.AppendTag(raw, 2, protowire.BytesType), account)
		}
		raw = protowire.AppendVarint(protowire.AppendTag(raw, 3, protowire.VarintType), 1)
		return call(t, w.plain, w.url, methodOf(t, path(selectOperator)), grpc, w.ofA, raw).outcome()
	}
}

// framed sends bytes as the body of a gRPC call of an admin.
func framed(procedure string, body []byte, headers ...string) func(*testing.T, *town) string {
	return func(t *testing.T, w *town) string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path(procedure), bytes.NewReader(body))
		require.NoError(t, err)
		req.Header = w.admin.Clone()
		for _, h := range append(headers, asGRPC, "Te: trailers") {
			name, value, _ := strings.Cut(h, ": ")
			req.Header.Set(name, value)
		}
		res, err := w.plain.Do(req)
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		raw, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		a := answer{status: res.StatusCode}
		require.NoError(t, a.unframe(grpc, res, raw))
		return a.outcome()
	}
}

// bomb is a megabyte that becomes a gigabyte.
func bomb() []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	chunk := make([]byte, 1<<20)
	for range 64 {
		_, _ = z.Write(chunk) // into memory
	}
	_ = z.Close()
	return out.Bytes()
}

func nested(open, end string, depth int) string { return repeat(open, depth) + repeat(end, depth) }

const (
	malformedJSON = "400 MALFORMED_MESSAGE"
	tooLarge      = "429 MESSAGE_TOO_LARGE"
)

var messages = []attack{
	{"JSON that grows beyond all bounds when unpacked", sends(createAccount, string(bomb()), "Content-Encoding: gzip"), tooLarge},
	{"a frame that grows beyond all bounds when unpacked", func(t *testing.T, w *town) string {
		packed := bomb()
		body := append(binary.BigEndian.AppendUint32([]byte{1}, uint32(len(packed))), packed...)
		return framed(createAccount, body, "Grpc-Encoding: gzip")(t, w)
	}, "resource_exhausted MESSAGE_TOO_LARGE"},
	{"a frame that says it is packed and is not", framed(createAccount, []byte{1, 0, 0, 0, 2, '{', '}'}, "Grpc-Encoding: gzip"), "invalid_argument MALFORMED_MESSAGE"},
	{"a frame that announces four gigabytes", framed(createAccount, []byte{0, 0xff, 0xff, 0xff, 0xff, 'x'}), "resource_exhausted MESSAGE_TOO_LARGE"},
	{"a frame that announces more than comes", framed(createAccount, []byte{0, 0, 0, 0, 9, 'x'}), "invalid_argument MALFORMED_MESSAGE"},
	{"half the head of a frame", framed(createAccount, []byte{0, 0, 0}), "invalid_argument MALFORMED_MESSAGE"},
	{"a frame with flags that nobody knows", framed(createAccount, append([]byte{0x7c}, emptyFrame[1:]...)), "invalid_argument MALFORMED_MESSAGE"},
	{"two messages in a call of one", framed(listOperators, []byte(emptyFrame+emptyFrame)), "invalid_argument MALFORMED_MESSAGE"},
	{"no message in a call of one", framed(listOperators, nil), "invalid_argument MALFORMED_MESSAGE"},
	{"a packing that nobody knows", sends(createAccount, evil, "Content-Encoding: br"), "501 UNSUPPORTED_ENCODING"},
	{"a packing in a packing", sends(createAccount, evil, "Content-Encoding: gzip, gzip"), "501 UNSUPPORTED_ENCODING"},
	{"JSON of a megabyte and more", sends(createAccount, `{"account":{"name":"`+repeat("x", 1<<20)+`"}}`), tooLarge},
	{"JSON nested a hundred thousand times", sends(createAccount, `{"account":`+nested("[", "]", 100_000)+`}`), malformedJSON},
	{"JSON nested in a member that nobody knows", sends(createAccount, `{"unknown":`+nested("[", "]", 100_000)+`}`), malformedJSON},
	{"JSON objects nested fifty thousand times", sends(createAccount, repeat(`{"account":`, 50_000)), malformedJSON},
	{"a JSON member twice", sends(createAccount, `{"account":{"name":"Evil"},"account":{"name":"Evil"}}`), malformedJSON},
	{"a JSON member in both spellings", asksOfA(`{"to":"+4915112345678","account_id":"ACCOUNT_A","accountId":"ACCOUNT_B","messageType":"MESSAGE_TYPE_SMS"}`), "invalid_argument MALFORMED_MESSAGE"},
	{"a JSON account twice, the own one last", asksOfA(`{"to":"+4915112345678","accountId":"ACCOUNT_B","accountId":"ACCOUNT_A","messageType":"MESSAGE_TYPE_SMS"}`), "invalid_argument MALFORMED_MESSAGE"},
	{"a JSON account whose name is escaped", asksOfA(`{"to":"+4915112345678","\u0061ccountId":"ACCOUNT_B","messageType":"MESSAGE_TYPE_SMS"}`), "permission_denied ACCOUNT_MISMATCH"},
	{"a JSON account in capitals", asksOfA(`{"to":"+4915112345678","accountId":"` + "ACCOUNT_B" + `","messageType":"MESSAGE_TYPE_SMS"}`), "permission_denied ACCOUNT_MISMATCH"},
	{"a binary account twice, another one last", binaryOfA(func(w *town) []string { return []string{w.a.ID.String(), w.b.ID.String()} }), "permission_denied ACCOUNT_MISMATCH"},
	{"a binary account twice, the own one last", binaryOfA(func(w *town) []string { return []string{w.b.ID.String(), w.a.ID.String()} }), "ok"},
	{"another account without hyphens", binaryOfA(func(w *town) []string { return []string{strings.ReplaceAll(w.b.ID.String(), "-", "")} }), "invalid_argument VALIDATION_FAILED"},
	{"another account in capitals", binaryOfA(func(w *town) []string { return []string{strings.ToUpper(w.b.ID.String())} }), "permission_denied ACCOUNT_MISMATCH"},
	{"another account in braces", binaryOfA(func(w *town) []string { return []string{"{" + w.b.ID.String() + "}"} }), "invalid_argument VALIDATION_FAILED"},
	{"another account as a URN", binaryOfA(func(w *town) []string { return []string{"urn:uuid:" + w.b.ID.String()} }), "invalid_argument VALIDATION_FAILED"},
	{"the account of nobody", binaryOfA(func(*town) []string { return []string{"00000000-0000-0000-0000-000000000000"} }), "invalid_argument VALIDATION_FAILED"},
	{"an account with SQL behind it", binaryOfA(func(w *town) []string { return []string{w.a.ID.String() + "' OR 1=1 --"} }), "invalid_argument VALIDATION_FAILED"},
	{"an account with a NUL character behind it", binaryOfA(func(w *town) []string { return []string{w.a.ID.String() + "\x00"} }), "invalid_argument VALIDATION_FAILED"},
	{"something behind the JSON", sends(createAccount, evil+evil), malformedJSON},
	{"a comment in the JSON", sends(createAccount, "/* */"+evil), malformedJSON},
	{"a mark of byte order before the JSON", sends(createAccount, "\xef\xbb\xbf"+evil), malformedJSON},
	{"JSON in UTF-16", sends(createAccount, "\xff\xfe{\x00}\x00"), malformedJSON},
	{"JSON with bytes that are no UTF-8", sends(createAccount, `{"account":{"name":"`+"\xff"+`"}}`), malformedJSON},
	{"JSON with half a pair of surrogates", sends(createAccount, `{"account":{"name":"\ud800"}}`), malformedJSON},
	{"JSON with a NUL character in a name", sends(createAccount, `{"account":{"name":"Evil\u0000"}}`), "400 VALIDATION_FAILED"},
	{"JSON that is null", sends(createAccount, "null"), malformedJSON},
	{"JSON with a member that changes the prototype", sends("operators.v1.OperatorService/GetOperator", `{"__proto__":{"operatorId":"OPERATOR"},"constructor":{}}`), "400 VALIDATION_FAILED"},
	{"an enum by a name that does not exist", sends(createKey, `{"name":"up","role":"ROLE_ROOT"}`), malformedJSON},
	{"an enum by a number with a fraction", sends(createKey, `{"name":"up","role":3.5}`), malformedJSON},
	{"a mark of the server's own among the fields", framed(listOperators, frame(protowire.AppendBytes(
		protowire.AppendTag(nil, protowire.MaxValidNumber, protowire.BytesType), []byte("\x010123456789abcdefx")))), "ok"},
	{"groups nested ten thousand times", framed(listOperators, frame([]byte(repeat("\x0b", 20_000)))), "invalid_argument MALFORMED_MESSAGE"},
	{"headers of 100 KiB", func(t *testing.T, w *town) string {
		return w.status(t, http.MethodPost, path(createAccount), evil, asJSON, "X-Bomb: "+repeat("x", 100<<10))
	}, "431"},
	{"ten thousand headers", func(t *testing.T, w *town) string {
		return w.status(t, http.MethodPost, path(createAccount), evil, asJSON, without(repeat("X-Bomb: xx\r\n", 10_000), 2))
	}, "431"},
	{"a query of 100 KiB", func(t *testing.T, w *town) string {
		return w.status(t, http.MethodGet, path(createAccount)+"?message="+repeat("x", 100<<10), "")
	}, "431"},
	{"a time that is up before the call", sends(listOperators, "{}", "Connect-Timeout-Ms: 0"), "504 DEADLINE_EXCEEDED"},
	{"a time beyond all bounds", sends(listOperators, "{}", "Connect-Timeout-Ms: 99999999999999"), "400 INVALID_HEADER"},
	{"a time below nothing", sends(listOperators, "{}", "Connect-Timeout-Ms: -1"), "400 INVALID_HEADER"},
	{"two lengths of one body", func(t *testing.T, w *town) string {
		return w.status(t, http.MethodPost, path(createAccount), evil, asJSON, w.keyLine(), "Content-Length: 3")
	}, "400"},
	{"a length and pieces", func(t *testing.T, w *town) string {
		return w.status(t, http.MethodPost, path(createAccount), evil, asJSON, "Transfer-Encoding: chunked", "Transfer-Encoding: identity", w.keyLine())
	}, "501"},
	{"a blank behind the name of a header", func(t *testing.T, w *town) string {
		return w.status(t, http.MethodPost, path(createAccount), evil, asJSON, "Authorization : Bearer "+w.adminText)
	}, "400"},
	{"a request id with a line break for the log", func(t *testing.T, w *town) string {
		res, _ := w.web(t, http.MethodPost, path(createAccount), evil, asJSON, "X-Request-Id: x\tlevel=ERROR")
		if res.Header.Get("X-Request-Id") == "x\tlevel=ERROR" {
			return "taken"
		}
		return "not taken"
	}, "not taken"},
	{"a request id of a kilobyte", func(t *testing.T, w *town) string {
		res, _ := w.web(t, http.MethodPost, path(createAccount), evil, asJSON, "X-Request-Id: "+repeat("x", 1024))
		if len(res.Header.Get("X-Request-Id")) == 1024 {
			return "taken"
		}
		return "not taken"
	}, "not taken"},
}
