package routing

import "time"

// LatencyBuckets is how many buckets latencies of decisions are counted in.
const LatencyBuckets = 20

// latencyEdges are the upper edges of the buckets: those of the metric of calls, finer below a millisecond, because most
// decisions from memory take less, and coarser ones above.
var latencyEdges = [LatencyBuckets]time.Duration{
	10 * time.Microsecond, 25 * time.Microsecond, 50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 40 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// LatencyEdges gives the upper edges of the buckets, which belong to them.
func LatencyEdges() [LatencyBuckets]time.Duration { return latencyEdges }

// Latencies counts decisions: in each place those that took no longer than its edge. The last place counts all, so what
// took longer passes for its edge.
type Latencies [LatencyBuckets]int64

// Within gives the least edge that so many of 100 decisions kept to; 0 when there are none.
func (l *Latencies) Within(percent int64) time.Duration {
	all := l[LatencyBuckets-1]
	if all == 0 {
		return 0
	}
	enough := (all*percent + 99) / 100
	i := 0
	for l[i] < enough {
		i++
	}
	return latencyEdges[i]
}
