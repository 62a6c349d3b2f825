// Package pgtest runs real PostgreSQL servers for tests.
//
// Database gives a fresh database on one server that all tests of the process
// share, and Prepared a copy of one that was filled once. Start gives a server
// of its own, which the test may kill, restart or freeze. StartReplica gives such a server a hot standby that streams from it.
//
// The servers listen on a free loopback port and do not sync to disk. Their
// files live in one private folder per test process. A small shell, the
// keeper, waits for the test process to end, also when it is killed; then it
// stops every server and removes the folder. No TestMain is needed, and no
// goroutine stays behind that a leak check could find.
//
// PostgreSQL refuses to run as root. Under uid 0 the servers run as the user
// postgres, or nobody when there is none.
package pgtest
