// Package decisionlog keeps a log of decisions and of what became of the messages.
//
//	engine: Writer (queue -> hash -> batch) -> stream DECISIONS -> operator-management: Keeper (database)
//
// The log never slows or fails a decision: the queue is bounded, and what does not fit is counted and left out. While
// NATS is down the queue fills within seconds at a high rate; the stream holds a day when the database is down. Batches
// may be delivered again and change nothing then.
//
// The transaction that stores a batch, or erases, changes decision_sums by what it really changed, so that Summarize need not read
// every decision of a long time; Rollup makes longer sums of them. One transaction at a time may change sums: it locks the row of
// decision_sums_state after it has stored its rows and reads only then what others reported, so that a decision and a report about it that
// are stored at the same moment find each other. So sums always tell what the decisions themselves would; see cover for which answer what.
//
// Numbers leave the engine as HMAC-SHA256, beside the start that routing.ShownPrefix gives and the number of digits, with
// which Samples feeds replays; the Keeper refuses a longer start. Who has the key can find the decisions about a number he
// knows, and erase them; nobody can read whole numbers out of the log. Batches are binary protobuf, unlike events for
// neighbours: nobody else reads them, and JSON would cost an engine more than the decisions.
package decisionlog
