// Package jwks verifies signed tokens (JWT) by the keys that their issuer publishes (JWKS, RFC 7517).
//
// A token is a compact JWS with RS256, ES256 or EdDSA and the id of its key. Whatever would let the token choose how
// it is verified is refused: other algorithms, keys or addresses of keys in its header, critical extensions, a key of
// another type than the algorithm. Issuer, audience and expiry must be there and fit. JSON with a name twice and
// base64 that is not canonical are refused as well, so that nobody reads the same token differently.
//
// The keys are fetched from one configured address, never from one that a token names, without redirects, within 2 s,
// up to 1 MiB. They are fetched every 5 minutes, sooner after a failure, and at once when a token names a key that is
// not known, though at most every 30 s for that. Who waits for a fetch under way is served by it; others are refused
// without waiting. While fetching fails, the last good keys stay in force without limit. A key that the issuer took
// out is accepted for another 10 minutes, so that tokens of before the rotation live on.
//
// A verified token is remembered for up to a minute, no longer than it is valid and than its key is accepted.
package jwks
