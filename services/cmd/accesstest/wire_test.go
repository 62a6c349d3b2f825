package accesstest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	optionsv1 "trunkline/gen/go/trunkline/options/v1"
)

// protocol is how a call is written on the wire. The calls of this package are written by hand, so that no client
// library repairs them.
type protocol int

const (
	connectJSON protocol = iota
	grpc
	grpcWeb
)

var protocols = map[protocol]string{connectJSON: "Connect JSON", grpc: "gRPC", grpcWeb: "gRPC-Web"}

// method is one RPC of the schema.
type method struct {
	procedure string
	access    *optionsv1.Access
	stream    bool
	schema    protoreflect.MethodDescriptor
}

// patience gives a header that lets a call end soon where it would go on until its caller ends it. What it is answered by then
// is not certain.
func (m method) patience(header http.Header) http.Header {
	if !strings.Contains(m.procedure, "Service/Watch") {
		return header
	}
	header = header.Clone()
	header.Set("Connect-Timeout-Ms", "300")
	return header
}

// methods finds every RPC of every Trunkline service that is linked in, in order of name.
func methods() (all []method) {
	_ = accessv1.File_trunkline_access_v1_audit_service_proto // links the schema in; the modules link the rest
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), "trunkline.") {
			return true
		}
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				m := service.Methods().Get(j)
				option, _ := proto.GetExtension(m.Options(), optionsv1.E_Access).(*optionsv1.Access)
				all = append(all, method{
					procedure: fmt.Sprintf("/%s/%s", service.FullName(), m.Name()), access: option,
					stream: m.IsStreamingServer() || m.IsStreamingClient(), schema: m,
				})
			}
		}
		return true
	})
	sortBy(all, func(m method) string { return m.procedure })
	return all
}

// methodOf finds one RPC by its path.
func methodOf(t *testing.T, procedure string) method {
	t.Helper()
	for _, m := range methods() {
		if m.procedure == procedure {
			return m
		}
	}
	require.Fail(t, "no such RPC", procedure)
	return method{}
}

// answer is what came back.
type answer struct {
	status int
	// code and reason are those of the error; "ok" and "" when there is none.
	code, reason string
	header       http.Header
	// body is the messages of an RPC without their frames, or the body of a page.
	body []byte
	// told is everything that the caller was told.
	told string
	// retry is the delay of a RetryInfo.
	retry time.Duration
}

// outcome is code and reason in one word.
func (a answer) outcome() string { return strings.TrimSpace(a.code + " " + a.reason) }

// malformed is no message of any type.
var malformed = map[protocol][]byte{connectJSON: []byte("{"), grpc: {0xff}, grpcWeb: {0xff}}

// encode writes a message as the protocol does, without frame.
func encode(t *testing.T, by protocol, m proto.Message) []byte {
	t.Helper()
	write := proto.Marshal
	if by == connectJSON {
		write = protojson.Marshal
	}
	data, err := write(m)
	require.NoError(t, err)
	return data
}

func frame(data []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(data))), data...)
}

// call makes a call of one message.
func call(t *testing.T, client *http.Client, url string, m method, by protocol, header http.Header, message []byte) answer {
	t.Helper()
	a, err := try(t.Context(), client, url, m, by, header, message)
	require.NoError(t, err)
	return a
}

// try is call for callers that a listener may not even let connect.
func try(ctx context.Context, client *http.Client, url string, m method, by protocol, header http.Header, message []byte) (answer, error) {
	body, contentType := message, "application/json"
	switch {
	case by == grpc:
		contentType = "application/grpc"
	case by == grpcWeb:
		contentType = "application/grpc-web"
	case m.stream:
		contentType = "application/connect+json"
	}
	framed := by != connectJSON || m.stream
	if framed {
		body = frame(message)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+m.procedure, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	maps.Copy(req.Header, header)
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", contentType)
	}
	if by == grpc {
		req.Header.Set("Te", "trailers")
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: res.StatusCode, header: res.Header, told: fmt.Sprint(res.Header, res.Trailer, string(raw))}
	if framed && strings.HasPrefix(res.Header.Get("Content-Type"), strings.TrimSuffix(contentType, "+json")) {
		return a, a.unframe(by, res, raw)
	}
	a.body = raw
	if res.StatusCode != http.StatusOK {
		return a, a.readJSON(raw)
	}
	a.code = "ok"
	return a, nil
}

// unframe reads a framed body: messages, and the end of the call.
func (a *answer) unframe(by protocol, res *http.Response, raw []byte) error {
	trailer := res.Trailer
	if res.Header.Get("Grpc-Status") != "" {
		trailer = res.Header // there were no messages
	}
	for len(raw) >= 5 {
		flags, size := raw[0], binary.BigEndian.Uint32(raw[1:])
		if int(size) > len(raw)-5 {
			return io.ErrUnexpectedEOF
		}
		data := raw[5 : 5+size]
		raw = raw[5+size:]
		switch {
		case flags&0x80 != 0: // the trailers of gRPC-Web
			trailer = http.Header{}
			for line := range strings.SplitSeq(string(data), "\r\n") {
				name, value, _ := strings.Cut(line, ":")
				trailer.Set(name, strings.TrimSpace(value))
			}
			a.told += fmt.Sprint(trailer)
		case flags&0x02 != 0: // the end of a Connect stream
			var end struct{ Error json.RawMessage }
			if err := json.Unmarshal(data, &end); err != nil {
				return err
			}
			if a.code = "ok"; end.Error != nil {
				return a.readJSON(end.Error)
			}
			return nil
		default:
			a.body = append(a.body, data...)
		}
	}
	if by == connectJSON {
		return io.ErrUnexpectedEOF
	}
	n, err := strconv.ParseUint(trailer.Get("Grpc-Status"), 10, 32)
	if err != nil {
		return fmt.Errorf("the end of the call has no status: %w", err)
	}
	if a.code = "ok"; n == 0 {
		return nil
	}
	a.code = connect.Code(n).String()
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(trailer.Get("Grpc-Status-Details-Bin"), "="))
	if err != nil {
		return err
	}
	var status spb.Status
	if err := proto.Unmarshal(data, &status); err != nil {
		return err
	}
	a.told += status.String()
	for _, detail := range status.GetDetails() {
		m, err := detail.UnmarshalNew()
		if err != nil {
			return err
		}
		a.read(m)
	}
	return nil
}

func (a *answer) read(detail proto.Message) {
	switch d := detail.(type) {
	case *errdetails.ErrorInfo:
		a.reason = d.GetReason()
	case *errdetails.RetryInfo:
		a.retry = d.GetRetryDelay().AsDuration()
	}
}

// readJSON reads the error of a Connect call, or of a page.
func (a *answer) readJSON(raw []byte) error {
	var failed struct {
		Code, Reason string
		Details      []struct{ Type, Value string }
	}
	if err := json.Unmarshal(raw, &failed); err != nil {
		return fmt.Errorf("an error of HTTP status %d is no JSON: %w", a.status, err)
	}
	a.code, a.reason = failed.Code, failed.Reason
	for _, d := range failed.Details {
		data, err := base64.RawStdEncoding.DecodeString(d.Value)
		if err != nil {
			return err
		}
		a.told += string(data)
		kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(d.Type))
		if err != nil {
			return err
		}
		m := kind.New().Interface()
		if err := proto.Unmarshal(data, m); err != nil {
			return err
		}
		a.read(m)
	}
	return nil
}
