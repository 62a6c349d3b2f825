// Package release is the format in which whole sets of rules travel from the control plane to the engines: the
// artifact, which holds the content, and the signed manifest, which says what is in force.
//
// # Artifact
//
// An artifact is a zstd stream of parts, as the schema in trunkline.releases.v1 describes them. Its name is the SHA-256
// of the bytes before compression, so these bytes are written here field by field: no release of a library may change
// them. Compile writes one, a Reader reads one.
//
// A Reader trusts nothing. It bounds memory by the limits below, whatever the bytes say, and it checks every row, the
// order of rows, all counts, the size and the digest. What it gives before Close returned nil may come from a damaged
// artifact: build aside, close, and only then use what was built.
//
// # Manifest
//
// Manifests are signed with Ed25519 over the exact bytes that are stored. Keys.Open is the only way to read one.
package release
