// Package cache keeps extracts, the candidate sets of database mode, in the process and in a shared cache, and lets one
// question at a time go to the store behind it. Keys carry the configuration version and the epoch of
// blocked operators, so nothing is ever removed: a change makes older entries unreachable and their time
// to live ends them.
package cache
