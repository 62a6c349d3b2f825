// Package routing decides which operator connection carries a message.
//
// A decision has one path, whoever asks and wherever rules come from:
//
//	Query -> Source -> Table -> Decide (match, price, eligibility, rank) -> Decision
//
// A Table is an immutable, compiled rule set. In memory mode there is one table with every rule; in
// database mode the Source builds a small table with just the rules and rates that can concern the
// number. Both are decided by the same code, and ExplainRoute is that code with a Trace attached.
//
// In memory mode a change makes a new table from the one in force, with what the store tells that changed (Changes), as
// long as it can tell; else, and every SweepEvery, everything is read anew.
//
// What must hold:
//   - Table and Operator values never change once built; readers take no lock.
//   - Decide allocates nothing when the Decision is reused and no Trace is attached.
//   - The same query, table, health and time give the same decision, to the last tie.
//   - An operator that is explicitly UNBOUND, UNHEALTHY or not ACTIVE is never chosen.
package routing
