// Package vaulttest runs real Vault servers as separate processes that a test may kill, pause, seal and restart on the
// same port. A server keeps its data in a private folder, so what it acknowledged outlives a kill.
//
// A server starts unsealed, with KV version 2 at secret/, the AppRole and Kubernetes log-ins, and the policies of
// deploy/vault under the names of their files. The program is built by ./task setup from tools/vault.
package vaulttest
