// Package bus connects the engine to NATS JetStream.
//
// Health. Neighbours publish on operator.health.<id>, or by hand on operator.health. Every engine follows
// the stream OPERATOR_HEALTH, which keeps the last word about each operator, into its HealthView: that
// is what decisions see. One engine at a time, whoever the durable routing-engine-health picks, also
// keeps each event in the shared cache and moves what cannot be read to DEAD_LETTER.
//
//	operator.health       -> OPERATOR_HEALTH_INBOX -(durable routing-engine-health-inbox)-> operator.health.<id>
//	operator.health.<id>  -> OPERATOR_HEALTH -(follow, every engine)-> HealthView
//	                                         -(durable routing-engine-health)-> shared cache, DEAD_LETTER
//
// The inbox is a stream of its own because OPERATOR_HEALTH keeps one message per subject: on the plain
// subject an event about one operator would push out that about another before it is read.
//
// Configuration. Every engine follows OPERATOR_CONFIG and refreshes what it serves. The durable
// routing-engine-config acknowledges an event when the version it tells of is in force, and moves
// what cannot be read to DEAD_LETTER.
package bus
