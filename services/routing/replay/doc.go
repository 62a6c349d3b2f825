// Package replay tells what a release would have decided: it decides a sample of traffic by two releases and reports who
// moves where, what it costs, and who loses his route.
//
// Both releases decide each message of the sample at the same moment, with the same draw under WEIGHTED. Operators have
// the status that the release says, and all are bound and healthy but those that are taken to be down.
//
// The log of decisions keeps the start of a number only. The rest is drawn from the decision's id, so that the same log
// gives the same report, byte for byte. A message stands for one segment.
package replay
