package rpcservertest

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/emptypb"

	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/platform/rpcserver"
)

// Ping is a service with one method and no content, for tests of what lies
// around services.
type Ping struct {
	// Procedure is the path of the method.
	Procedure string
	method    protoreflect.MethodDescriptor
}

// NewPing makes a service of the audience. Two of one audience are the same service.
func NewPing(audience optionsv1.Audience) (*Ping, error) {
	name := "test." + audience.String() + ".PingService"
	options := &descriptorpb.MethodOptions{}
	proto.SetExtension(options, optionsv1.E_Access, &optionsv1.Access{Role: optionsv1.Role_ROLE_VIEWER, Audience: audience})
	empty := proto.String(".google.protobuf.Empty")
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String(name + ".proto"), Package: proto.String("test." + audience.String()), Syntax: proto.String("proto3"),
		Dependency: []string{emptypb.File_google_protobuf_empty_proto.Path()},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name:   proto.String("PingService"),
			Method: []*descriptorpb.MethodDescriptorProto{{Name: proto.String("Ping"), InputType: empty, OutputType: empty, Options: options}},
		}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		return nil, err
	}
	return &Ping{Procedure: "/" + name + "/Ping", method: file.Services().Get(0).Methods().Get(0)}, nil
}

// Mount serves the method with do.
func (p *Ping) Mount(do func(ctx context.Context) error) rpcserver.Mount {
	name := string(p.method.Parent().FullName())
	return rpcserver.Mount{Name: name, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
		opts = append([]connect.HandlerOption{connect.WithSchema(p.method)}, opts...)
		return "/" + name + "/", connect.NewUnaryHandlerSimple(p.Procedure, func(ctx context.Context, _ *emptypb.Empty) (*emptypb.Empty, error) {
			return &emptypb.Empty{}, do(ctx)
		}, opts...)
	}}
}

// Call calls the method of the server at url.
func (p *Ping) Call(ctx context.Context, client connect.HTTPClient, url string, opts ...connect.ClientOption) error {
	_, err := connect.NewClient[emptypb.Empty, emptypb.Empty](client, url+p.Procedure, opts...).CallUnary(ctx, connect.NewRequest(&emptypb.Empty{}))
	return err
}
