package main

import (
	"net/http"

	"connectrpc.com/connect"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
)

// protocol is one way to call the server.
type protocol struct {
	name    string
	http2   bool
	options []connect.ClientOption
}

// protocols: HTTP/2 without TLS where callers use it, HTTP/1.1 for the others. Answers are not compressed: gzip
// would cost both sides of a comparison the same and make them look alike.
var protocols = []protocol{
	{"gRPC (h2c)", true, []connect.ClientOption{connect.WithGRPC(), noGzip}},
	{"gRPC-Web", false, []connect.ClientOption{connect.WithGRPCWeb(), noGzip}},
	{"Connect JSON", false, []connect.ClientOption{connect.WithProtoJSON(), noGzip}},
	connectProtobuf,
}

var connectProtobuf = protocol{"Connect protobuf", false, []connect.ClientOption{noGzip}}

var noGzip = connect.WithAcceptCompression("gzip", nil, nil)

// http2Connections is how many connections HTTP/2 callers share. One connection is served by one goroutine that
// reads its frames, so one alone would be the limit.
const http2Connections = 4

type selectClient = connect.Client[routingv1.SelectOperatorRequest, routingv1.SelectOperatorResponse]

// httpClients gives one client per caller; HTTP/2 callers share connections.
func httpClients(http2 bool, callers int) []*http.Client {
	all := make([]*http.Client, callers)
	for i := range all {
		if http2 && i >= http2Connections {
			all[i] = all[i%http2Connections]
			continue
		}
		var p http.Protocols
		p.SetHTTP1(!http2)
		p.SetUnencryptedHTTP2(http2)
		all[i] = &http.Client{Transport: &http.Transport{Protocols: &p, MaxIdleConnsPerHost: 1}}
	}
	return all
}

func closeIdle(clients []*http.Client) {
	for _, c := range clients {
		c.CloseIdleConnections()
	}
}

// selectClients gives one client of SelectOperator per caller.
func selectClients(p protocol, over []*http.Client, base string) []*selectClient {
	all := make([]*selectClient, len(over))
	for i := range all {
		all[i] = connect.NewClient[routingv1.SelectOperatorRequest, routingv1.SelectOperatorResponse](
			over[i], base+routingv1connect.RoutingServiceSelectOperatorProcedure, p.options...)
	}
	return all
}
