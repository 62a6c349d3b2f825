package operators_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
)

func TestWordsByHand(t *testing.T) {
	unbound := operators.Word{Bind: operators.Unbound}
	for _, tt := range []struct {
		name string
		word operators.Word
		// play goes on 10 s after the word.
		play func(b *bench)
		want func(t *testing.T, b *bench)
	}{
		{"an UNBOUND stands, and is refreshed nowhere", unbound, func(b *bench) {
			for s := 20; s <= 300; s += 10 {
				b.at(float64(s)).hears(operators.Bound)
			}
		}, func(t *testing.T, b *bench) {
			require.Len(t, b.said, 1)
			require.Len(t, b.cached, 1)
			require.Equal(t, ingestStart, b.live[b.id].ObservedAt)
		}},
		{"also for a process that takes over", unbound, func(b *bench) {
			b.at(20).takeOver()
			b.hears(operators.Bound)
		}, func(t *testing.T, b *bench) { require.Len(t, b.said, 1) }},
		{"until the health changes", unbound, func(b *bench) { b.at(20).hears(operators.Failback) },
			func(_ *testing.T, b *bench) { b.saidLast(operators.Failback, operators.Healthy, 2) }},
		{"a change that was reported before the word does not undo it", unbound, func(b *bench) { b.at(20).hears(operators.Failback, received(5)) },
			func(t *testing.T, b *bench) {
				require.Len(t, b.transitions, 2)
				require.Len(t, b.said, 1)
			}},
		{"a word that agrees is said again with a version", operators.Word{Bind: operators.Bound}, func(b *bench) { b.at(20).hears(operators.Bound); b.at(30).hears(operators.Bound) },
			func(t *testing.T, b *bench) {
				b.saidLast(operators.Bound, operators.Healthy, 2)
				require.Len(t, b.said, 3)
				require.Len(t, b.transitions, 1)
				require.EqualValues(t, 2, b.live[b.id].Version)
			}},
		{"another quality stands too", operators.Word{Quality: operators.Unhealthy}, func(b *bench) { b.at(100).hears(operators.Bound) },
			func(t *testing.T, b *bench) { require.Len(t, b.said, 1) }},
		{"a good word that differs stands for 60 s", operators.Word{Quality: operators.Degraded}, func(b *bench) { b.at(70).hears(operators.Bound) },
			func(t *testing.T, b *bench) { require.Len(t, b.said, 1) }},
		{"and not longer", operators.Word{Quality: operators.Degraded}, func(b *bench) { b.at(71).hears(operators.Bound) },
			func(_ *testing.T, b *bench) { b.saidLast(operators.Bound, operators.Healthy, 2) }},
		{"an UNBOUND of our own, said while the store was down, ends with the next report", operators.Word{Bind: operators.Unbound, Provisional: true},
			func(b *bench) { b.at(20).hears(operators.Bound) },
			func(_ *testing.T, b *bench) { b.saidLast(operators.Bound, operators.Healthy, 2) }},
		{"what cannot be read is replaced", operators.Word{}, func(b *bench) { b.at(20).hears(operators.Bound) },
			func(_ *testing.T, b *bench) { b.saidLast(operators.Bound, operators.Healthy, 1) }},
		{"a higher version is overtaken", operators.Word{Bind: operators.Unbound, Version: 900}, func(b *bench) { b.at(20).hears(operators.Bound) },
			func(t *testing.T, b *bench) {
				b.saidLast(operators.Bound, operators.Healthy, 901)
				require.EqualValues(t, 901, b.live[b.id].Version)
			}},
		{"a version that nothing is above stands", operators.Word{Bind: operators.Unbound, Version: math.MaxInt64}, func(b *bench) { b.at(20).hears(operators.Bound) },
			func(t *testing.T, b *bench) { require.Len(t, b.said, 1) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.hears(operators.Bound)
			b.at(10).byHand(tt.word)
			tt.play(b)
			tt.want(t, b)
		})
	}
}

func TestAHealthIsShownAsEnginesHoldItUnderAWordByHand(t *testing.T) {
	at := func(second int) time.Time { return checkTime.Add(time.Duration(second) * time.Second) }
	bound := operators.Health{Bind: operators.Bound, Quality: operators.Healthy, Version: 7, ChangedAt: at(0), ObservedAt: at(100)}
	lost := operators.Health{Bind: operators.Unbound, Quality: operators.Unhealthy, Version: 8, ChangedAt: at(0), ObservedAt: at(100)}
	for _, c := range []struct {
		name     string
		reported operators.Health
		word     operators.Word
		want     string
	}{
		{"no word", bound, operators.Word{}, "BOUND HEALTHY 7 0 100"},
		{"a word that cannot be read", bound, operators.Word{Place: 1, At: at(50)}, "BOUND HEALTHY 7 0 100"},
		{"the word of the health", bound, operators.Word{Bind: operators.Bound, Quality: operators.Healthy, Version: 7, At: at(90)}, "BOUND HEALTHY 7 0 100"},
		{"an older word with a version", bound, operators.Word{Bind: operators.Unbound, Quality: operators.Unhealthy, Version: 6, At: at(90)}, "BOUND HEALTHY 7 0 100"},
		{"UNBOUND by hand", bound, operators.Word{Bind: operators.Unbound, At: at(10)}, "UNBOUND UNHEALTHY 7 10 10 by hand"},
		{"UNHEALTHY by hand", bound, operators.Word{Quality: operators.Unhealthy, At: at(10)}, "BOUND UNHEALTHY 7 10 10 by hand"},
		{"UNBOUND of our own, said while the store was down", bound, operators.Word{Bind: operators.Unbound, At: at(10), Provisional: true}, "UNBOUND UNHEALTHY 7 10 10"},
		{"a version that nothing is above", bound, operators.Word{Bind: operators.Unbound, Version: math.MaxInt64, At: at(10)}, "UNBOUND UNHEALTHY 9223372036854775807 10 10 by hand"},
		{"UNBOUND before the health changed", bound, operators.Word{Bind: operators.Unbound, At: at(0)}, "BOUND HEALTHY 7 0 100"},
		{"BOUND by hand", lost, operators.Word{Bind: operators.Bound, At: at(90)}, "BOUND HEALTHY 8 90 90 by hand"},
		{"BOUND by hand that is too old", lost, operators.Word{Bind: operators.Bound, At: at(39)}, "UNBOUND UNHEALTHY 8 0 100"},
		{"DEGRADED by hand", bound, operators.Word{Quality: operators.Degraded, At: at(90)}, "BOUND DEGRADED 7 90 90 by hand"},
		{"FAILBACK leaves the quality", bound, operators.Word{Bind: operators.Failback, At: at(90)}, "FAILBACK HEALTHY 7 90 90 by hand"},
		{"the same by hand", bound, operators.Word{Bind: operators.Bound, At: at(90)}, "BOUND HEALTHY 7 0 90 by hand"},
		{"BOUND where nothing is reported", operators.Health{}, operators.Word{Bind: operators.Bound, At: at(90)}, "BOUND HEALTHY 0 90 90 by hand"},
		{"a newer version than the one that was read", bound, operators.Word{Bind: operators.Unbound, Quality: operators.Unhealthy, Version: 8, At: at(90)}, "UNBOUND UNHEALTHY 8 90 90"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.reported.Under(c.word, at(100))
			shown := fmt.Sprintf("%s %s %d %.0f %.0f", got.Bind, got.Quality, got.Version,
				got.ChangedAt.Sub(at(0)).Seconds(), got.ObservedAt.Sub(at(0)).Seconds())
			if got.ByHand {
				shown += " by hand"
			}
			require.Equal(t, c.want, shown)
		})
	}
}

func TestAHigherVersionThatCannotBeOvertakenIsTriedAgain(t *testing.T) {
	b := newBench(t)
	b.hears(operators.Bound)
	b.at(10).byHand(operators.Word{Bind: operators.Unbound, Version: 900})
	b.at(20).storeFails = errDown
	b.hears(operators.Bound)
	require.Len(t, b.said, 1)
	b.storeFails = nil
	delete(b.live, b.id)
	b.at(22).hears(operators.Bound)
	require.Len(t, b.said, 1, "the operator was deleted")
	b.live[b.id] = operators.Health{OperatorID: b.id}
	b.at(40).takeOver()
	b.hears(operators.Bound)
	b.saidLast(operators.Bound, operators.Healthy, 901)
}
