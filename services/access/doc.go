// Package access decides who a caller is from the one credential a call carries, and what that credential allows.
//
// There are two kinds of credentials, both shown as "Authorization: Bearer ...". One is a signed token (JWT) of the
// issuer that the configuration names: its signature is checked elsewhere, and ClaimRules turn its verified claims
// into a caller. The other is an API key, which may also be shown as "x-api-key: ...". The text of a key is
//
//	tl_ + 22 characters of key id + 43 characters of secret + 6 characters of CRC-32 (IEEE) of all before
//
// in base 62 with the digits 0-9A-Za-z: 74 characters in all. The checksum tells typing mistakes from wrong keys and
// lets scanners find leaked ones. Stored is only HMAC-SHA256(pepper, whole text); the pepper is a secret of the
// server that the database does not hold.
//
// A call that shows no credential, or more than one, is refused. A credential with no known role makes a caller who
// may do nothing.
package access
