// Package database keeps operators, rules, rates and what belongs to their
// changes in PostgreSQL or SQLite, with one set of models and queries for both.
// Table names carry no schema: on PostgreSQL the search path of bunstore finds
// them.
//
// Changes run in serializable transactions, one after the other, on the primary.
// Reads outside a transaction may be answered by a replica, which they tell, and
// end after 10 s at the latest. Errors are faults.
package database
