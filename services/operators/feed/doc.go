// Package feed tells everybody who watches what the streams of health, of changes and of engines tell.
//
//	OPERATOR_HEALTH  last word of each operator, then new ones  -+
//	OPERATOR_CONFIG  new events                                 -+-> Feed -> Watch, any number of them
//	RELEASES         last word of each engine, then new ones    -+
//
// Each stream is followed once, however many watch. The boards of sessions and releases follow two of these streams as well:
// they keep the last word for whoever asks, and tell nobody of a new one.
//
// # What a watcher is told
//
// First every last word, then a heartbeat, then what is new. A heartbeat comes again after 10 s without anything else, and
// when NATS is lost or back. What must hold for watchers that are slower than the news: none of them holds up the streams or
// another watcher, and what waits for one is no more than the last word of each operator and engine and one change.
// So of several words about one operator it is told the newest. Several changes become one, which has the
// highest version and names no operator.
//
// Words are told once: those that a stream gives again after an interruption are left out.
package feed
