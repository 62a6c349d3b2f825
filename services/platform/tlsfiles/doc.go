// Package tlsfiles keeps a TLS configuration that follows its files: whoever
// replaces a certificate on disk needs to restart nothing. Servers and clients
// use it alike.
//
// The contents of the files decide, not their times: orchestrators swap
// directories by symbolic link, which may leave time and size the same. Files
// that do not fit together, such as half of a rotation, leave the old
// configuration in force.
package tlsfiles
