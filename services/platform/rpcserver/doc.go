// Package rpcserver is the one-port server of every process. One listener
// answers gRPC (with and without TLS), gRPC-Web, Connect JSON, gRPC health,
// reflection, the health pages, metrics and plain HTTP such as the console.
//
// # The way of a call
//
//	HTTP request
//	  root           headers for browsers, request id, panics, routing by exact procedure path
//	  browser        preflights, foreign web pages, credentials in the URL
//	  inspection     content type, timeout, encoding and size, before a byte is read
//	  policy         caller, role, account, limits; still before a byte is read
//	  body guard     size and framing of every message while it arrives
//	  codec          never fails; it marks a message it cannot decode
//	  interceptors   recover, trace, request id, access log and metrics, deadline,
//	                 faults, recover, caller, intake, place, yours, validation
//	  handler
//
// What goes wrong before the interceptors cannot reach them, because the RPC
// library answers by itself. So that these answers are as precise as the
// others, the steps before them and the body guard produce finished errors, and the
// codec hands a marked message to the intake interceptor. Either way the call
// is counted and logged exactly once.
//
// # Audiences
//
// A process has up to two listeners: the public one, and the internal one for
// other processes, which wants a client certificate in the handshake and a
// configured identity for each procedure. Both get all mounts, and each takes
// those of its audience, so an internal RPC cannot be reached from outside by a
// mistake of the wiring. A method without an audience or a role is an error at start.
//
// # Policy
//
// Deny is the default: without an Authenticator every public call is refused. The
// option of the method says which role its caller needs and whether its answer is
// limited to the caller's account; a caller that is bound to an account may call
// only such methods. Internal callers have an identity instead and get the role of
// the method. The handler finds who calls by caller.From. The library decodes a
// message before it asks interceptors, so the policy stands in front of the library,
// and an interceptor refuses what did not come that way.
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
