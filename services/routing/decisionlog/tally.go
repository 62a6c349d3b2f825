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
	second := "CAST(floor(date_part('epoch', d.decided_at)) AS bigint)"
	if bunstore.DialectOf(db) == bunstore.SQLite {
		second = "unixepoch(substr(d.decided_at, 1, 19))" // without the fraction
	}
	return fmt.Sprintf("(%s - %d) / %d * %d + %d", second, origin, step, step, origin)
}
