// Package pact holds, in its tests, what other programs expect of the routing engine, and what the engine expects of
// operator-management: its events, its configuration, what it knows of health and what it publishes. The tests have the
// build tag pact and write the pacts that ./task pact compares with the folder pacts/; its README explains them.
package pact
