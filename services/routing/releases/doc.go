// Package releases makes an engine serve what is published.
//
// The signed manifest in NATS says which release is current and which one takes its place later. A Follower takes every
// manifest, fetches what it names, builds tables aside and puts them in force:
//
//	manifest -> signature, environment, revision -> artifact from the folder, or from NATS and into the folder
//	         -> layout and digest while the table is built -> routing.ReleaseSupply
//
// What must hold:
//   - Nothing serves that is not named by a manifest with a trusted signature, and whose bytes do not have the digest that
//     the manifest names.
//   - The revision of the manifest never goes back, also across restarts.
//   - Whatever is refused, what serves goes on serving. It is named in the log once, counted, shown on the health pages
//     and told on the bus.
//   - One table is built at a time, and at most three are held: what serves, what served before and what is scheduled.
//     So going back takes no building.
//
// # Last known good
//
// The folder belongs to one engine. It holds the newest manifest, the one by which the engine serves, the artifacts they
// name with the one before, and what operators were set to last. An engine that starts while NATS and the database are
// out of reach serves from it, and an operator that was suspended stays so. Manifests and artifacts are checked again
// when they are read. What operators were set to, and which of the named releases served, is not signed: whoever can write
// into the folder can change it.
package releases
