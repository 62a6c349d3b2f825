package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// count writes 1000000 as 1,000,000.
func count(n int) string {
	text := strconv.Itoa(n)
	var groups []string
	for len(text) > 3 {
		groups = append(groups, text[len(text)-3:])
		text = text[:len(text)-3]
	}
	groups = append(groups, text)
	slices.Reverse(groups)
	return strings.Join(groups, ",")
}

// spread writes the smallest and the largest value.
func spread(values []float64, format string) string {
	if len(values) == 0 {
		return ""
	}
	return fmt.Sprintf("("+format+"-"+format+")", slices.Min(values), slices.Max(values))
}

// shortTime writes a time with three digits, in ms from a tenth of one.
func shortTime(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= 100*time.Microsecond:
		return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%.0f µs", float64(d.Nanoseconds())/1000)
}

func perSecond(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
