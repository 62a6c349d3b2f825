// Package migrations holds the SQL migrations of both stores. A migration is a pair of files
// <number>_<name>.tx.up.sql and .tx.down.sql that runs in one transaction; a released file is never
// edited, a new one is added instead.
package migrations

import "embed"

// Postgres holds the migrations of the Postgres store, in the folder postgres.
//
//go:embed postgres/*.sql
var Postgres embed.FS

// SQLite holds the migrations of the SQLite store, in the folder sqlite.
//
//go:embed sqlite/*.sql
var SQLite embed.FS
