// Package rediscache is a cache in Redis (single, Sentinel or Cluster) that its
// callers can afford to lose at any moment, and Memory, the same in process.
//
// # States
//
//	connecting --connected--> closed --failures--> open --delay--> half open
//	                             ^                   ^                |  |
//	                             |                   +--probe failed--+  |
//	                             +--------------probe succeeded----------+
//
// "closed", "open" and "half open" are those of a circuit breaker. Callers reach
// Redis in "closed" only; in every other state they get ErrUnavailable at once.
// One background goroutine, the keeper, makes the first connection and, while the
// breaker is open, sends the probes. Probes have more time than calls: a
// connection takes several round trips, and callers with a small budget could
// never make one.
//
// What must hold:
//   - Open and the calls never wait for a Redis that is down, silent or slow: a
//     call returns after Config.Budget at the latest.
//   - Recovery needs no call: the keeper finds Redis again by itself.
//   - The number of calls in flight is bounded; more get ErrUnavailable.
//
// With client-side caching a value read before is answered from this process until
// Redis invalidates it. A process may see its own former value for a moment after
// Set or Del, until the invalidation arrives. The local copies of a connection are
// dropped with the connection, at the latest about two seconds after Redis went
// silent.
//
// With a Cluster, one silent node opens the breaker for all of them: otherwise
// every call for its keys would cost the budget.
package rediscache
