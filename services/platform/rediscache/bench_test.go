package rediscache

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/redistest"
)

// Where a Get is answered: from this process, by Redis, or by nobody because the
// breaker is open.
func BenchmarkGet(b *testing.B) {
	s := redistest.Start(b)
	for name, prepare := range map[string]func(*Cache){
		"copy in this process": nil,
		"Redis":                nil,
		"breaker open":         func(c *Cache) { c.breaker.Open() },
	} {
		b.Run(name, func(b *testing.B) {
			cfg := patient(s.Addr())
			cfg.ProbeInterval = time.Hour
			cfg.ClientSideCaching = name != "Redis"
			c := open(b, cfg)
			require.Eventually(b, func() bool { return c.Set(b.Context(), "k", []byte("v"), time.Hour) == nil }, limit, tick)
			if prepare != nil {
				prepare(c)
			}
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = c.Get(b.Context(), "k")
			}
		})
	}
}
