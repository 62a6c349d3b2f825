// Package bunstore opens SQL databases behind bun and hides what differs between
// PostgreSQL and SQLite: connection settings, error codes, transactions that may
// have to run again, and migrations.
//
// # How statements reach PostgreSQL
//
// bun writes arguments into the text of a statement itself, so prepared
// statements would never be found again in a cache. Every statement therefore
// takes one round trip of the extended protocol without a name (pgx's exec
// mode), and that protocol refuses a second statement in the same text. pgx
// itself sends statements without arguments over the simple protocol, which
// would run a second one: one quoting defect would be enough for an injection.
// The sessions opened here do not take that shortcut. A query over loopback
// takes about 170 us, against 145 us with the simple protocol and 290 us with
// pgx's default, as measured with 15 values in the text.
// standard_conforming_strings and the encoding UTF8 are set for every session,
// because bun's quoting relies on them. A default_query_exec_mode in the URL
// changes queries only.
//
// # Deadlines
//
// The server ends a statement after StatementTimeout and a session that idles
// inside a transaction after IdleTxTimeout. Connecting is bounded by
// ConnectTimeout. A server that hangs without closing connections is noticed
// only through the deadline of the context: give every call one.
//
// # Reading from a replica
//
// A Reader with a replica looks at both servers once a second. A primary that
// does not answer within 1.5 s is down: reads in progress are ended and run on
// the replica, new ones go there at once, and the first look that succeeds brings
// them back. A read that meets a broken connection goes to the replica without
// waiting for a look. What the database answers, such as no row or a statement
// that took too long, is never asked again elsewhere.
//
// The age of a stale answer is an upper bound, not an estimate: everything that
// was committed before it is in the answer. Each look notes how far the log of
// the primary was, and at what time; when the replica has replayed that far, it is
// complete until then. So while the replica follows, an outage begins with an age
// of about a second and grows with the clock, also when nothing was written. A
// process that never saw both servers knows only what the replica says of itself,
// which is true as far as the clocks agree, and late when the primary was idle.
package bunstore
