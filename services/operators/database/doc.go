// Package database keeps operators and routing rules in PostgreSQL or SQLite,
// with one set of models and queries for both. Table names carry no schema: on
// PostgreSQL the search path of bunstore finds them.
//
// Every read outside a transaction ends after 10 s at the latest. Errors are
// faults.
package database
