// Package jetstream is the one way in which processes exchange events: durable
// work over NATS JetStream that survives the loss of the server, the connection,
// a consumer or a whole stream without help.
//
// # Connection
//
// Connect never waits for the network. The connection is made and remade in the
// background for ever, with a jittered delay of at most two seconds. Streams given
// to EnsureStreams are created again on every connect if they are gone.
//
// # Durable: each message is handled by one process
//
// A message moves through these states:
//
//	delivered -> handler returned nil             -> acknowledged
//	delivered -> handler returned an error        -> negative ack with a growing delay -> delivered
//	delivered -> poison, or delivered too often   -> stored in DEAD_LETTER -> terminated
//	delivered -> dead letter could not be stored  -> negative ack -> delivered
//	delivered -> no answer within AckWait         -> delivered
//
// What must hold: a message is acknowledged only after its handler returned nil,
// and terminated only after the stream DEAD_LETTER acknowledged its copy. So
// handlers see a message at least once, sometimes more often and sometimes out of
// order (MaxInFlight = 1 keeps the order), and must be idempotent.
//
// # Follow: every process sees each message
//
// A follower holds no state on the server. It counts what it was sent; a gap, a
// missing heartbeat, a reconnect or a deleted consumer ends its session, and the
// next one starts after the last message that was handled. A stream that was
// deleted and created again is noticed by its creation time and read from its
// start.
package jetstream
