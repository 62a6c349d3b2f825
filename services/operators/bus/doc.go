// Package bus carries committed changes of operators, rules and rates to other
// processes, as OperatorConfigEvent in JSON on operator.config.created, .updated
// and .deleted. Encode gives what a transaction puts into the outbox, Publisher
// brings it into the stream OPERATOR_CONFIG.
//
// One event may stand for many rows: consumers read the new state themselves and
// ignore versions that they already have.
package bus
