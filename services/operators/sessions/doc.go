// Package sessions connects the ingest of health to NATS JetStream.
//
//	connectors -> operator.session.<id> -> OPERATOR_SESSION -(durable ops-health-consumer)-> Ingest
//	Ingest -> operator.health.<id> -> OPERATOR_HEALTH -> routing engines
//
// One process consumes, the one that leads. It first reads what the stream still has, so that it knows what each
// connector said last, and then goes on where the process before it stopped. A report is acknowledged when what follows
// from it is stored and published; what cannot be read goes to DEAD_LETTER.
//
// OPERATOR_HEALTH keeps one message for each operator: the board. It is written with the sequence of the message
// that was read before, so that no word of a neighbour, and none of a newer leader, is lost under ours.
package sessions
