// Package rpcserver is the one-port server of every process. One listener
// answers gRPC (with and without TLS), gRPC-Web, Connect JSON, gRPC health,
// reflection, the health pages, metrics and plain HTTP such as the console.
//
// # The way of a call
//
//	HTTP request
//	  root           request id, routing by exact procedure path, panics
//	  inspection     content type, timeout, encoding and size, before a byte is read
//	  body guard     size and framing of every message while it arrives
//	  codec          never fails; it marks a message it cannot decode
//	  interceptors   recover, trace, request id, access log and metrics, deadline,
//	                 faults, recover, intake, yours, validation
//	  handler
//
// What goes wrong before the interceptors cannot reach them, because the RPC
// library answers by itself. So that these answers are as precise as the
// others, the inspection and the body guard produce finished errors, and the
// codec hands a marked message to the intake interceptor. Either way the call
// is counted and logged exactly once.
//
// # Audiences
//
// A process has up to two listeners: the public one, and the internal one for
// other processes, which wants a client certificate in the handshake and a
// configured identity for each procedure. Both get all mounts, and each takes
// those of its audience, so an internal RPC cannot be reached from outside by a
// mistake of the wiring. A method without an audience is an error at start.
//
// # Errors
//
// Handlers return faults and never pick codes. Every error that leaves carries
// google.rpc.ErrorInfo with a stable reason, and RequestInfo with the request
// id. Causes are logged once and never sent. No text for the caller repeats a
// value the caller sent, because values are subscriber numbers.
//
// # Stopping
//
//	serving -> notice     readiness answers 503, calls are still served
//	notice  -> draining   the listener closes, calls in flight go on; Draining closes
//	draining -> stopped   nothing in flight, or the drain timeout cut the rest
//	any     -> stopped    Force
package rpcserver
