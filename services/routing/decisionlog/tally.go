package decisionlog

import (
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"trunkline/services/platform/bunstore"
	"trunkline/services/routing"
)

// lastEdge is the place of all latencies, which need no condition.
const lastEdge = routing.LatencyBuckets - 1

// tally counts rows that have the columns failure and latency_micros.
type tally struct {
	count, failed int64
	latencies     routing.Latencies
}

// tallyColumns are its columns in SQL.
func tallyColumns() string {
	columns := []string{"count(*)", "count(*) FILTER (WHERE failure <> '')"}
	edges := routing.LatencyEdges()
	for _, edge := range edges[:lastEdge] {
		columns = append(columns, fmt.Sprintf("count(*) FILTER (WHERE latency_micros <= %d)", edge.Microseconds()))
	}
	return strings.Join(columns, ", ")
}

// places are where a row with these columns is read to. After that read completes the tally.
func (t *tally) places() []any {
	to := []any{&t.count, &t.failed}
	for i := range lastEdge {
		to = append(to, &t.latencies[i])
	}
	return to
}

func (t *tally) read() { t.latencies[lastEdge] = t.count }

// intervalColumn is the Unix second in SQL at which the interval of a decision begins. One of them begins at origin.
func intervalColumn(db bun.IDB, origin, step int64) string {
	return fmt.Sprintf("(%s - %d) / %d * %d + %d", secondColumn(db, "d.decided_at"), origin, step, step, origin)
}

// secondColumn is the Unix second of a time in SQL.
func secondColumn(db bun.IDB, column string) string {
	if bunstore.DialectOf(db) == bunstore.SQLite {
		return "unixepoch(substr(" + column + ", 1, 19))" // without the fraction
	}
	return "CAST(floor(date_part('epoch', " + column + ")) AS bigint)"
}
