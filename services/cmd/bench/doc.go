// Command bench measures the routing engine on this machine and prints one report: the machine, every figure and
// what it is compared with. With -write it also puts the report into a Markdown file, between the two marks that
// docs/benchmarks.md has.
//
// It needs nothing but itself: engines are assembled as processes are, with guards and without, on SQLite, an embedded
// NATS server and the in-process cache, on free ports of the loopback interface, in a temporary folder. Every
// part is bounded in time and in memory and ends by itself. Only what is compared with PostgreSQL and Redis needs them
// installed: they are started for that, and where one is missing the report says so.
//
// What is compared is measured in turns within one run, in the same process and on the same listener, and each
// ratio is the median of the ratios of neighbouring rounds. So a machine that gets slower or faster meanwhile
// shifts both sides. Clients live in the same process as the server and share its cores: calls per second are
// those of both together.
package main
