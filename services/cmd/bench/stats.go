package main

import (
	"math"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// median gives the middle value, or the mean of the two in the middle; 0 for none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// ratios divides round by round.
func ratios(over, under []float64) []float64 {
	out := make([]float64, min(len(over), len(under)))
	for i := range out {
		out[i] = over[i] / under[i]
	}
	return out
}

// latencies are sorted times.
type latencies []time.Duration

func sortLatencies(all []time.Duration) latencies {
	slices.Sort(all)
	return all
}

// quantile gives the smallest time that the share q of all does not exceed; 0 for none.
func (l latencies) quantile(q float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	return l[max(int(math.Ceil(q*float64(len(l))))-1, 0)]
}

// processCPU is the processor time that this process has used, in user and kernel.
func processCPU() time.Duration { return cpuOf(syscall.RUSAGE_SELF) }

// threadCPU is that of the calling thread. The goroutine must be locked to it.
func threadCPU() time.Duration { return cpuOf(syscall.RUSAGE_THREAD) }

func cpuOf(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// heapLive is what the heap holds that is still referenced, in bytes.
func heapLive() int64 {
	// The second collection frees what the first one had only found to be garbage, such as pools.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// mallocs counts the allocations of this process so far.
func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
