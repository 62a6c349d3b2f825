// Package console serves the web console: the bundle that the build of the folder src leaves in dist, which is part of
// the binary.
//
// The page itself is answered for every address that names no file, so that each state of the console has an address
// of its own. It is never kept by a cache, because each answer carries a nonce of its own for the styles that the page
// makes while it runs. Files below assets/ have a hash in their name and are kept for ever.
package console
