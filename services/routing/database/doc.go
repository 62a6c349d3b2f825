// Package database reads the routing rules from Postgres or SQLite: the state of the store, what can
// concern one number, or everything. It only reads; on Postgres the engine logs in as a member of
// ops_routing_reader, which can do nothing else.
package database
