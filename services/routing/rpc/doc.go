// Package rpc serves trunkline.routing.v1.RoutingService over the domain package routing. It converts
// once, in convert.go, and picks no status codes: faults do.
package rpc
