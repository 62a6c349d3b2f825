// Package rpc serves OperatorService and RoutingRuleService.
//
// # Page tokens
//
// A token holds the position after the last row of a page and a checksum over
// the list it belongs to. It gives no right to anything: a forged one only starts
// somewhere else in a list the caller may read anyway. So the checksum needs no
// key; it catches tokens that were damaged or taken from another list.
package rpc
