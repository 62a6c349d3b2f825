// Package trail keeps the audit trail going: the Sealer links rows into the hash chain soon after they are committed, the
// Recorder writes security events that belong to no change, and the Prover checks that the whole is as it was written.
package trail
