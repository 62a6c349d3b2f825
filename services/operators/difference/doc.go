// Package difference tells what differs between two releases.
//
// Rules are the same when prefix, account and message types are; their ids do not count, because an import may give a rule
// a new one. Prices are the same when prefix, operator and message type are. They are compared from now on: what is told
// of a price is the first moment at which both releases differ, be it now or when a price that is known by now begins or
// ends. Where they never will, but did, only the dates differ.
//
// Both artifacts are read once, side by side, in their order. What is kept in memory is the changes to be told and 8 bytes
// for each prefix of a changed rule.
package difference
