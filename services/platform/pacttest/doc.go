// Package pacttest lets a service verify that it keeps the pacts others have with it, and gives the tests of
// consumers the folder to write pacts to. What needs the native Pact library has the build tag pact.
//
// # Where pacts come from
//
// Without PACT_BROKER_BASE_URL they are the files of the folder pacts/. With it they come from that Pact
// Broker: those of the consumers' main branches, of the branch that has the name of ours, and of the versions
// that are deployed or released. The results are then published, and read back, because the library says
// nothing when the broker did not take them.
//
// # Provider states
//
// A state sets the provider up for one interaction. A state that nobody handles fails the verification: the
// library itself would only warn and let the interaction pass or fail by chance.
package pacttest
