// Package cli is the command line of Trunkline. Run is the whole program but for
// the end of the process.
//
// Client commands (routes, operators, rules) speak to a server over its generated
// clients. What was asked for goes to stdout; progress, warnings and the one line
// that says why a command failed go to stderr. Numbers are shown in full, because
// the person who asks knows them, and are never logged.
//
// Exit codes are part of the interface; see the constants and
// `trunkline help exit-codes`.
package cli
