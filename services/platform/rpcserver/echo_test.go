package rpcserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/rpcserver"
)

// TestMain checks for leaks. A connection of net/http that a client left in the middle of a body lingers for
// half a second by design and then ends by itself.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

const (
	service   = "echo.v1.EchoService"
	check     = "/" + service + "/Check"
	lookup    = "/" + service + "/Lookup"
	collect   = "/" + service + "/Collect"
	watch     = "/" + service + "/Watch"
	chat      = "/" + service + "/Chat"
	unruled   = "/" + service + "/Gone"
	number    = "+447700900123"
	wrongData = "4477009001234567"
)

// schema is the test service. Writing it as a descriptor keeps the tests free
// of generated code and of the product's contracts.
const schema = `
name: "echo/v1/echo.proto" package: "echo.v1" syntax: "proto3"
dependency: "buf/validate/validate.proto" dependency: "trunkline/options/v1/access.proto"
enum_type { name: "Kind"
  value { name: "KIND_UNSPECIFIED" number: 0 } value { name: "KIND_SMS" number: 1 } }
message_type { name: "Item"
  field { name: "to" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "to"
    options { [buf.validate.field] { string { pattern: "^\\+[1-9]\\d{6,14}$" } } } }
  field { name: "message_kind" number: 2 type: TYPE_ENUM type_name: ".echo.v1.Kind" label: LABEL_OPTIONAL json_name: "messageKind" } }
message_type { name: "Message"
  field { name: "to" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "to"
    options { [buf.validate.field] { ignore: IGNORE_IF_ZERO_VALUE string { pattern: "^\\+[1-9]\\d{6,14}$" max_len: 16 } } } }
  field { name: "max_parts" number: 2 type: TYPE_INT32 label: LABEL_OPTIONAL json_name: "maxParts"
    options { [buf.validate.field] { int32 { gte: 0 lte: 9 } } } }
  field { name: "requests" number: 3 type: TYPE_MESSAGE type_name: ".echo.v1.Item" label: LABEL_REPEATED json_name: "requests" }
  field { name: "note" number: 4 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "note"
    options { [buf.validate.field] { cel { id: "note.quoted" expression: "this.startsWith('bad') ? 'the note ' + this + ' is bad' : ''" } } } }
  field { name: "kind" number: 5 type: TYPE_ENUM type_name: ".echo.v1.Kind" label: LABEL_OPTIONAL json_name: "kind" }
  field { name: "labels" number: 6 type: TYPE_MESSAGE type_name: ".echo.v1.Message.LabelsEntry" label: LABEL_REPEATED json_name: "labels"
    options { [buf.validate.field] { map { values { string { min_len: 2 } } } } } }
  field { name: "data" number: 7 type: TYPE_BYTES label: LABEL_OPTIONAL json_name: "data" }
  nested_type { name: "LabelsEntry" options { map_entry: true }
    field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "key" }
    field { name: "value" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "value" } }
}
service { name: "EchoService"
  method { name: "Check" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" options { [trunkline.options.v1.access] { role: ROLE_OPERATOR audience: AUDIENCE_PUBLIC } } }
  method { name: "Lookup" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" options { [trunkline.options.v1.access] { role: ROLE_OPERATOR audience: AUDIENCE_PUBLIC } } }
  method { name: "Collect" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" options { [trunkline.options.v1.access] { role: ROLE_OPERATOR audience: AUDIENCE_PUBLIC } } client_streaming: true }
  method { name: "Watch" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" options { [trunkline.options.v1.access] { role: ROLE_OPERATOR audience: AUDIENCE_PUBLIC } } server_streaming: true }
  method { name: "Chat" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" options { [trunkline.options.v1.access] { role: ROLE_OPERATOR audience: AUDIENCE_PUBLIC } } client_streaming: true server_streaming: true }
}
service { name: "InternalService"
  method { name: "Check" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" options { [trunkline.options.v1.access] { role: ROLE_OPERATOR audience: AUDIENCE_INTERNAL } } }
  method { name: "Watch" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" server_streaming: true options { [trunkline.options.v1.access] { role: ROLE_OPERATOR audience: AUDIENCE_INTERNAL } } }
}
service { name: "MixedService"
  method { name: "Check" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" options { [trunkline.options.v1.access] { role: ROLE_OPERATOR audience: AUDIENCE_INTERNAL } } }
  method { name: "Watch" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" server_streaming: true options { [trunkline.options.v1.access] { role: ROLE_OPERATOR audience: AUDIENCE_PUBLIC } } }
}
service { name: "BareService"
  method { name: "Check" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" options { [trunkline.options.v1.access] { role: ROLE_OPERATOR audience: AUDIENCE_PUBLIC } } }
  method { name: "Watch" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" server_streaming: true }
}
service { name: "RolelessService"
  method { name: "Check" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" options { [trunkline.options.v1.access] { role: ROLE_VIEWER audience: AUDIENCE_PUBLIC } } }
  method { name: "Watch" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" server_streaming: true options { [trunkline.options.v1.access] { audience: AUDIENCE_PUBLIC } } }
}
service { name: "ScopedService"
  method { name: "Check" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" options { [trunkline.options.v1.access] { role: ROLE_VIEWER audience: AUDIENCE_PUBLIC account_scoped: true } } }
  method { name: "Watch" input_type: ".echo.v1.Message" output_type: ".echo.v1.Message" server_streaming: true options { [trunkline.options.v1.access] { role: ROLE_VIEWER audience: AUDIENCE_PUBLIC account_scoped: true } } }
}`

var echoFile = sync.OnceValue(func() protoreflect.FileDescriptor {
	_, _ = validate.File_buf_validate_validate_proto, optionsv1.File_trunkline_options_v1_access_proto
	var fd descriptorpb.FileDescriptorProto
	if err := prototext.Unmarshal([]byte(schema), &fd); err != nil {
		panic(err)
	}
	// Options parsed from text are known extensions already.
	file, err := protodesc.NewFile(&fd, protoregistry.GlobalFiles)
	if err != nil {
		panic(err)
	}
	return file
})

func method(procedure string) protoreflect.MethodDescriptor {
	service, name, _ := strings.Cut(strings.TrimPrefix(procedure, "/echo.v1."), "/")
	return echoFile().Services().ByName(protoreflect.Name(service)).Methods().ByName(protoreflect.Name(name))
}

func newMessage() *dynamicpb.Message {
	return dynamicpb.NewMessage(echoFile().Messages().ByName("Message"))
}

func set(m *dynamicpb.Message, field string, value any) *dynamicpb.Message {
	m.Set(m.Descriptor().Fields().ByName(protoreflect.Name(field)), protoreflect.ValueOf(value))
	return m
}

func to(value string) *dynamicpb.Message { return set(newMessage(), "to", value) }

func get(m *dynamicpb.Message, field string) protoreflect.Value {
	return m.Get(m.Descriptor().Fields().ByName(protoreflect.Name(field)))
}

func initialize(_ connect.Spec, message any) error {
	m, ok := message.(*dynamicpb.Message)
	if !ok {
		return fmt.Errorf("unexpected message %T", message)
	}
	proto.Reset(m)
	*m = *newMessage()
	return nil
}

// echo is the service. do decides what a call does; nil echoes.
type echo struct {
	do func(ctx context.Context, m *dynamicpb.Message) error
}

func (e *echo) run(ctx context.Context, m *dynamicpb.Message) error {
	if e.do == nil {
		return nil
	}
	return e.do(ctx, m)
}

func (e *echo) unary(ctx context.Context, req *connect.Request[dynamicpb.Message]) (*connect.Response[dynamicpb.Message], error) {
	if err := e.run(ctx, req.Msg); err != nil {
		return nil, err
	}
	return connect.NewResponse(req.Msg), nil
}

func (e *echo) collect(ctx context.Context, s *connect.ClientStream[dynamicpb.Message]) (*connect.Response[dynamicpb.Message], error) {
	last := newMessage()
	for s.Receive() {
		last = s.Msg()
		if err := e.run(ctx, last); err != nil {
			return nil, err
		}
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	return connect.NewResponse(last), nil
}

func (e *echo) watch(ctx context.Context, req *connect.Request[dynamicpb.Message], s *connect.ServerStream[dynamicpb.Message]) error {
	if err := s.Send(req.Msg); err != nil {
		return err
	}
	return e.run(ctx, req.Msg)
}

func (e *echo) chat(ctx context.Context, s *connect.BidiStream[dynamicpb.Message, dynamicpb.Message]) error {
	for {
		m, err := s.Receive()
		if err != nil {
			if isEOF(err) {
				return nil
			}
			return err
		}
		if err := e.run(ctx, m); err != nil {
			return err
		}
		if err := s.Send(m); err != nil {
			return err
		}
	}
}

func (e *echo) mount() rpcserver.Mount {
	return rpcserver.Mount{Name: service, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
		with := func(procedure string, more ...connect.HandlerOption) []connect.HandlerOption {
			all := append([]connect.HandlerOption{connect.WithSchema(method(procedure)), connect.WithRequestInitializer(initialize)}, more...)
			return append(all, opts...)
		}
		mux := http.NewServeMux()
		mux.Handle(check, connect.NewUnaryHandler(check, e.unary, with(check)...))
		mux.Handle(lookup, connect.NewUnaryHandler(lookup, e.unary, with(lookup, connect.WithIdempotency(connect.IdempotencyNoSideEffects))...))
		mux.Handle(collect, connect.NewClientStreamHandler(collect, e.collect, with(collect)...))
		mux.Handle(watch, connect.NewServerStreamHandler(watch, e.watch, with(watch)...))
		mux.Handle(chat, connect.NewBidiStreamHandler(chat, e.chat, with(chat)...))
		return "/" + service + "/", mux
	}}
}

type wireProtocol struct {
	name    string
	options []connect.ClientOption
}

func protocols() []wireProtocol {
	return []wireProtocol{
		{"Connect", nil},
		{"Connect JSON", []connect.ClientOption{connect.WithProtoJSON()}},
		{"gRPC", []connect.ClientOption{connect.WithGRPC()}},
		{"gRPC-Web", []connect.ClientOption{connect.WithGRPCWeb()}},
	}
}

func newClient(h *http.Client, url, procedure string, opts ...connect.ClientOption) *connect.Client[dynamicpb.Message, dynamicpb.Message] {
	opts = append([]connect.ClientOption{connect.WithSchema(method(procedure)), connect.WithResponseInitializer(initialize)}, opts...)
	return connect.NewClient[dynamicpb.Message, dynamicpb.Message](h, url+procedure, opts...)
}

func call(ctx context.Context, c *connect.Client[dynamicpb.Message, dynamicpb.Message], m *dynamicpb.Message) (*dynamicpb.Message, error) {
	res, err := c.CallUnary(ctx, connect.NewRequest(m))
	if err != nil {
		return nil, err
	}
	return res.Msg, nil
}

// within bounds a test's own waiting; nothing is measured with it.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func connectError(t *testing.T, err error) *connect.Error {
	t.Helper()
	var ce *connect.Error
	require.ErrorAs(t, err, &ce)
	return ce
}

func detail[T proto.Message](t *testing.T, err error) T {
	t.Helper()
	var zero T
	for _, d := range connectError(t, err).Details() {
		m, err := d.Value()
		require.NoError(t, err)
		if found, ok := m.(T); ok {
			return found
		}
	}
	require.Failf(t, "a detail is missing", "%T in %v", zero, err)
	return zero
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

var vaultDown = fault.New(fault.Unavailable, "VAULT_UNAVAILABLE", "The secret store is down.").
	WithRetry(3*time.Second).With("store", "vault").Wrap(errors.New("dial tcp 10.0.0.9:8200: secret-token"))
