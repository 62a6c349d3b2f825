package operators

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var reducerStart = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// scene plays reports against one operator and stores every change, as Ingest does.
type scene struct {
	reducer reducer
	health  Health
	changes []Transition
	counter map[string]int64
}

// facts is a report at a second of the scene.
type facts struct {
	at                         float64
	connector                  string
	bind                       BindState
	submits, errors, throttled int64
	sequence                   int64 // 0 is the next
	late                       bool
}

func (s *scene) hear(f facts) {
	if f.connector == "" {
		f.connector = "a"
	}
	if f.sequence == 0 {
		if s.counter == nil {
			s.counter = map[string]int64{}
		}
		s.counter[f.connector]++
		f.sequence = s.counter[f.connector]
	}
	s.reducer.observe(SessionReport{
		ConnectorID: f.connector, Sequence: f.sequence, Bind: f.bind, Submits: f.submits, Errors: f.errors, Throttled: f.throttled,
		ReceivedAt: reducerStart.Add(time.Duration(f.at * float64(time.Second))),
	}, f.late)
	s.judge()
}

func (s *scene) judge() {
	next, t := s.reducer.judge(s.health)
	if t != nil {
		s.changes = append(s.changes, *t)
		if next.Quality != s.health.Quality {
			s.reducer.restart()
		}
	}
	s.health = next
}

// beats are reports every 10 s from..to, both in seconds and inclusive.
func beats(from, to int, bind BindState, submits, errors int64) (all []facts) {
	for at := from; at <= to; at += 10 {
		all = append(all, facts{at: float64(at), bind: bind, submits: submits, errors: errors})
	}
	return all
}

func by(connector string, all []facts) []facts {
	for i := range all {
		all[i].connector = connector
	}
	return all
}

func together(parts ...[]facts) []facts {
	all := slices.Concat(parts...)
	slices.SortStableFunc(all, func(a, b facts) int { return int((a.at - b.at) * 1000) })
	return all
}

func TestReportsAreReducedByTheStateMachine(t *testing.T) {
	tests := []struct {
		name    string
		reports []facts
		// want are the transitions: second, bind, quality and cause.
		want []string
	}{
		{"the first bind is HEALTHY", beats(0, 0, Bound, 0, 0), []string{"0 BOUND HEALTHY first bind"}},
		{"a first bind over a backup is HEALTHY too", beats(0, 0, Failback, 0, 0), []string{"0 FAILBACK HEALTHY first bind"}},
		{"no session from the start is no quality", beats(0, 30, Unbound, 0, 0), []string{"0 UNBOUND UNKNOWN first report"}},
		{"a session after none is the first bind", together(beats(0, 0, Unbound, 0, 0), beats(10, 10, Bound, 0, 0)),
			[]string{"0 UNBOUND UNKNOWN first report", "10 BOUND HEALTHY first bind"}},
		{"the same state is no change", beats(0, 300, Bound, 100, 0), []string{"0 BOUND HEALTHY first bind"}},
		{"a lost bind is UNHEALTHY at once, a rebind HEALTHY", []facts{{at: 0, bind: Bound}, {at: 1, bind: Unbound}, {at: 2, bind: Bound}},
			[]string{"0 BOUND HEALTHY first bind", "1 UNBOUND UNHEALTHY bind lost", "2 BOUND HEALTHY bind restored"}},
		{"a backup that carries changes no quality", []facts{{at: 0, bind: Bound}, {at: 1, bind: Failback}, {at: 2, bind: Bound}},
			[]string{"0 BOUND HEALTHY first bind", "1 FAILBACK HEALTHY a backup session carries", "2 BOUND HEALTHY the primary session carries"}},
		{"a lost backup is a lost bind", []facts{{at: 0, bind: Failback}, {at: 1, bind: Unbound}},
			[]string{"0 FAILBACK HEALTHY first bind", "1 UNBOUND UNHEALTHY bind lost"}},

		{"exactly 5 % errors are HEALTHY", beats(0, 300, Bound, 100, 5), []string{"0 BOUND HEALTHY first bind"}},
		{"more than 5 % errors are DEGRADED after 60 s", beats(0, 60, Bound, 1000, 51),
			[]string{"0 BOUND HEALTHY first bind", "60 BOUND DEGRADED error rate 5.1 % over 60 s 6000 306"}},
		{"not before 60 s", beats(0, 50, Bound, 1000, 900), []string{"0 BOUND HEALTHY first bind"}},
		{"HEALTHY falls through DEGRADED also at 90 % errors", beats(0, 120, Bound, 100, 90),
			[]string{"0 BOUND HEALTHY first bind", "60 BOUND DEGRADED error rate 90.0 % over 60 s 600 540", "120 BOUND UNHEALTHY error rate 90.0 % over 60 s 600 540"}},
		{"exactly 20 % errors stay DEGRADED", beats(0, 300, Bound, 100, 20),
			[]string{"0 BOUND HEALTHY first bind", "60 BOUND DEGRADED error rate 20.0 % over 60 s 600 120"}},
		{"UNHEALTHY by rate is not healed by a good rate", together(beats(0, 120, Bound, 100, 90), beats(130, 300, Bound, 100, 0)),
			[]string{"0 BOUND HEALTHY first bind", "60 BOUND DEGRADED error rate 90.0 % over 60 s 600 540", "120 BOUND UNHEALTHY error rate 90.0 % over 60 s 600 540"}},
		{"UNHEALTHY by rate is healed by a rebind", together(beats(0, 120, Bound, 100, 90), []facts{{at: 121, bind: Unbound}, {at: 122, bind: Bound}}),
			[]string{"0 BOUND HEALTHY first bind", "60 BOUND DEGRADED error rate 90.0 % over 60 s 600 540", "120 BOUND UNHEALTHY error rate 90.0 % over 60 s 600 540",
				"121 UNBOUND UNHEALTHY bind lost", "122 BOUND HEALTHY bind restored"}},
		{"DEGRADED heals after 60 s of at most 5 %", together(beats(0, 60, Bound, 100, 10), beats(70, 120, Bound, 100, 5)),
			[]string{"0 BOUND HEALTHY first bind", "60 BOUND DEGRADED error rate 10.0 % over 60 s 600 60", "120 BOUND HEALTHY error rate 5.0 % over 60 s 600 30"}},
		{"DEGRADED that loses its bind is UNHEALTHY at once", together(beats(0, 60, Bound, 100, 10), []facts{{at: 61, bind: Unbound}}),
			[]string{"0 BOUND HEALTHY first bind", "60 BOUND DEGRADED error rate 10.0 % over 60 s 600 60", "61 UNBOUND UNHEALTHY bind lost"}},
		{"fewer than 20 submits make no rate", together(beats(0, 0, Bound, 0, 0), beats(10, 50, Bound, 3, 3), beats(60, 60, Bound, 4, 4)), []string{"0 BOUND HEALTHY first bind"}},
		{"20 submits make a rate", together(beats(0, 0, Bound, 0, 0), beats(10, 50, Bound, 3, 3), beats(60, 60, Bound, 5, 5)),
			[]string{"0 BOUND HEALTHY first bind", "60 BOUND DEGRADED error rate 100.0 % over 60 s 20 20"}},
		{"without traffic DEGRADED stays", together(beats(0, 60, Bound, 100, 10), beats(70, 300, Bound, 0, 0)),
			[]string{"0 BOUND HEALTHY first bind", "60 BOUND DEGRADED error rate 10.0 % over 60 s 600 60"}},
		{"the window moves on: old errors are forgotten", together(beats(0, 20, Bound, 100, 30), beats(30, 200, Bound, 1000, 0)), []string{"0 BOUND HEALTHY first bind"}},
		{"a gap begins the window anew", together(beats(0, 50, Bound, 100, 50), beats(80, 130, Bound, 100, 50)), []string{"0 BOUND HEALTHY first bind"}},
		{"and is then watched for 60 s", together(beats(0, 50, Bound, 100, 50), beats(80, 140, Bound, 100, 50)),
			[]string{"0 BOUND HEALTHY first bind", "140 BOUND DEGRADED error rate 50.0 % over 60 s 600 300"}},
		{"the counts of the first report are of a time before", together([]facts{{at: 0, bind: Bound, submits: 1000, errors: 1000}}, beats(10, 60, Bound, 100, 0)),
			[]string{"0 BOUND HEALTHY first bind"}},
		{"one missed heartbeat is no gap", together(beats(0, 30, Bound, 100, 50), beats(50, 60, Bound, 100, 50)),
			[]string{"0 BOUND HEALTHY first bind", "60 BOUND DEGRADED error rate 50.0 % over 60 s 500 250"}},
		{"late counts say nothing, and the window begins behind them", together(lateOnes(beats(0, 120, Bound, 100, 90)), beats(130, 170, Bound, 100, 90)),
			[]string{"0 BOUND HEALTHY first bind"}},
		{"a late report that was heard before does not", slices.Concat(beats(0, 50, Bound, 100, 90), []facts{{at: 10, bind: Bound, sequence: 2, late: true}}, beats(60, 60, Bound, 100, 90)),
			[]string{"0 BOUND HEALTHY first bind", "60 BOUND DEGRADED error rate 90.0 % over 60 s 600 540"}},
		{"a late report still tells the bind state", together(lateOnes([]facts{{at: 0, bind: Bound}, {at: 10, bind: Unbound}})),
			[]string{"0 BOUND HEALTHY first bind", "10 UNBOUND UNHEALTHY bind lost"}},

		{"one BOUND connector is enough", together(by("a", beats(0, 60, Bound, 0, 0)), by("b", beats(5, 65, Unbound, 0, 0))), []string{"0 BOUND HEALTHY first bind"}},
		{"BOUND counts before FAILBACK", together(by("a", beats(0, 60, Failback, 0, 0)), by("b", beats(5, 65, Bound, 0, 0))),
			[]string{"0 FAILBACK HEALTHY first bind", "5 BOUND HEALTHY the primary session carries"}},
		{"counts of connectors are added", together(by("a", beats(0, 65, Bound, 100, 0)), by("b", beats(5, 65, Bound, 100, 20))),
			[]string{"0 BOUND HEALTHY first bind", "60 BOUND DEGRADED error rate 9.1 % over 60 s 1100 100"}},
		{"a silent connector is left out while another one reports", together(by("a", beats(0, 10, Bound, 0, 0)), by("b", beats(5, 65, Unbound, 0, 0))),
			[]string{"0 BOUND HEALTHY first bind", "45 UNBOUND UNHEALTHY bind lost"}},
		{"25 s of silence are tolerated", []facts{{at: 0, connector: "a", bind: Bound}, {at: 5, connector: "b", bind: Unbound}, {at: 25, connector: "b", bind: Unbound}},
			[]string{"0 BOUND HEALTHY first bind"}},
		{"more are not", []facts{{at: 0, connector: "a", bind: Bound}, {at: 5, connector: "b", bind: Unbound}, {at: 25.001, connector: "b", bind: Unbound}},
			[]string{"0 BOUND HEALTHY first bind", "25.001 UNBOUND UNHEALTHY bind lost"}},
		{"the first counts after a silence are of a time nobody watched", together(by("a", beats(0, 200, Bound, 100, 0)),
			[]facts{{at: 0, connector: "b", bind: Bound}, {at: 105, connector: "b", bind: Bound, submits: 1000, errors: 1000}}),
			[]string{"0 BOUND HEALTHY first bind"}},

		{"a report that comes again counts once", together(beats(0, 60, Bound, 100, 5), []facts{{at: 30, bind: Bound, submits: 1000, errors: 1000, sequence: 1}}),
			[]string{"0 BOUND HEALTHY first bind"}},
		{"also inside the window", together(beats(0, 20, Bound, 100, 0), []facts{{at: 30, bind: Bound, submits: 100, errors: 26, sequence: 4}, {at: 30, bind: Bound, submits: 100, errors: 26, sequence: 4},
			{at: 40, bind: Bound, submits: 300, sequence: 5}, {at: 60, bind: Bound, submits: 20, sequence: 6}}),
			[]string{"0 BOUND HEALTHY first bind"}},
		{"also long after it was counted", together(beats(0, 120, Bound, 100, 5), []facts{{at: 110, bind: Bound, submits: 1000, errors: 1000, sequence: 4}}),
			[]string{"0 BOUND HEALTHY first bind"}},
		{"an older report does not bring an older state back", []facts{{at: 0, bind: Bound, sequence: 1}, {at: 2, bind: Unbound, sequence: 3}, {at: 1, bind: Bound, sequence: 2}},
			[]string{"0 BOUND HEALTHY first bind", "2 UNBOUND UNHEALTHY bind lost"}},
		{"but its counts are added", together(beats(0, 0, Bound, 0, 0), []facts{{at: 20, bind: Bound, sequence: 3}, {at: 20, bind: Bound, submits: 100, errors: 50, sequence: 2},
			{at: 40, bind: Bound, sequence: 4}, {at: 60, bind: Bound, sequence: 5}}),
			[]string{"0 BOUND HEALTHY first bind", "60 BOUND DEGRADED error rate 50.0 % over 60 s 100 50"}},
		{"a connector that begins anew with a lower sequence is heard after its silence", []facts{{at: 0, bind: Bound, sequence: 100}, {at: 26, bind: Unbound, sequence: 1}},
			[]string{"0 BOUND HEALTHY first bind", "26 UNBOUND UNHEALTHY bind lost"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s scene
			for _, f := range tt.reports {
				s.hear(f)
			}
			var got []string
			for i, c := range s.changes {
				require.EqualValues(t, i+1, c.Version)
				text := fmt.Sprintf("%v %v %v %s", c.OccurredAt.Sub(reducerStart).Seconds(), c.ToBind, c.ToQuality, c.Cause)
				if c.Submits > 0 {
					text += fmt.Sprintf(" %d %d", c.Submits, c.Errors)
				}
				got = append(got, text)
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestASessionWithoutAQualityIsHealthy(t *testing.T) {
	s := scene{health: Health{Bind: Bound, Version: 3}}
	s.hear(facts{at: 0, bind: Bound})
	require.Equal(t, Healthy, s.health.Quality)
}

func lateOnes(all []facts) []facts {
	for i := range all {
		all[i].late = true
	}
	return all
}

func TestThrottlingIsApartFromQualityAndVersion(t *testing.T) {
	var s scene
	s.hear(facts{at: 0, bind: Bound})
	s.hear(facts{at: 10, bind: Bound, submits: 1000, throttled: 1000})
	require.True(t, s.health.Throttled)
	for at := 20; at <= 60; at += 10 {
		s.hear(facts{at: float64(at), bind: Bound, submits: 1000})
		require.True(t, s.health.Throttled)
	}
	s.hear(facts{at: 70, bind: Bound, submits: 1000})
	require.False(t, s.health.Throttled, "60 s after the last one")
	s.hear(facts{at: 80, bind: Bound, throttled: 5, submits: 5, late: true})
	require.False(t, s.health.Throttled, "history")
	require.Len(t, s.changes, 1)
	require.EqualValues(t, 1, s.health.Version)
}

func TestARecalledReportKeepsItsConnectorInTheView(t *testing.T) {
	s := scene{health: Health{Bind: Bound, Quality: Healthy, Version: 7}}
	s.reducer.recall(SessionReport{ConnectorID: "a", Sequence: 5, Bind: Bound, Submits: 1000, Errors: 1000, ReceivedAt: reducerStart})
	s.hear(facts{at: 1, connector: "b", bind: Unbound})
	require.Empty(t, s.changes, "the bind is not lost because the other connector reports first")
	s.hear(facts{at: 1, connector: "a", bind: Unbound, sequence: 4})
	require.Empty(t, s.changes, "nor by what came before the recalled report")
	s.hear(facts{at: 2, connector: "a", bind: Unbound, sequence: 6})
	require.Len(t, s.changes, 1)
	require.EqualValues(t, 8, s.changes[0].Version)
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	var s scene
	for i := range maxConnectors + 10 {
		s.hear(facts{at: float64(i) / 1000, connector: strconv.Itoa(i), bind: Bound})
	}
	require.Len(t, s.reducer.connectors, maxConnectors)
	require.Contains(t, s.reducer.connectors, strconv.Itoa(maxConnectors+9), "the oldest are forgotten")
	s.reducer.samples = slices.Repeat([]sample{{connector: "1", at: reducerStart.Add(time.Second)}}, maxSamples)
	for i := range 10 {
		s.hear(facts{at: 1 + float64(i)/1000, connector: "0", bind: Bound, submits: 1})
	}
	require.LessOrEqual(t, len(s.reducer.samples), maxSamples)
	require.Equal(t, "0", s.reducer.samples[len(s.reducer.samples)-1].connector, "the latest are kept")
}

// story draws reports of up to three connectors in the order of the stream.
func story(t *rapid.T) (all []facts) {
	at := 0.0
	sequences := map[string]int64{}
	for range rapid.IntRange(1, 80).Draw(t, "reports") {
		at += rapid.Float64Range(0, 12).Draw(t, "pause")
		if rapid.IntRange(0, 30).Draw(t, "gap") == 0 {
			at += 60
		}
		f := facts{
			at: at, connector: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "connector"),
			bind:    rapid.SampledFrom([]BindState{Bound, Bound, Bound, Bound, Failback, Unbound}).Draw(t, "bind"),
			submits: rapid.Int64Range(0, 50).Draw(t, "submits"),
		}
		f.errors = f.submits * rapid.SampledFrom([]int64{0, 0, 0, 4, 5, 10, 25, 100}).Draw(t, "percent of errors") / 100
		f.throttled = rapid.Int64Range(0, f.submits-f.errors).Draw(t, "throttled")
		sequences[f.connector] += rapid.Int64Range(1, 3).Draw(t, "step")
		f.sequence = sequences[f.connector]
		all = append(all, f)
	}
	return all
}

func TestRatesNeverChangeTheQualityTwiceWithin60s(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s scene
		for _, f := range story(t) {
			s.hear(f)
		}
		var last time.Time
		for _, c := range s.changes {
			if c.ToQuality == c.FromQuality {
				continue
			}
			if c.Submits > 0 && !last.IsZero() && c.OccurredAt.Sub(last) < rateWindow {
				t.Fatalf("%s came %v after the change before it", c.Cause, c.OccurredAt.Sub(last))
			}
			if c.Submits > 0 && c.Submits < minSubmits {
				t.Fatalf("%d submits made a rate", c.Submits)
			}
			last = c.OccurredAt
		}
	})
}

func TestOnlyMovesOfTheStateMachineHappen(t *testing.T) {
	allowed := map[string]bool{
		"UNKNOWN HEALTHY": true, "HEALTHY DEGRADED": true, "DEGRADED UNHEALTHY": true, "HEALTHY UNHEALTHY": true,
		"UNHEALTHY HEALTHY": true, "DEGRADED HEALTHY": true,
	}
	rapid.Check(t, func(t *rapid.T) {
		var s scene
		for _, f := range story(t) {
			s.hear(f)
			if s.health.Bind.carries() && s.health.Quality == QualityUnknown || !s.health.Bind.carries() && s.health.Quality != Unhealthy && s.health.Quality != QualityUnknown {
				t.Fatalf("%v and %v do not fit", s.health.Bind, s.health.Quality)
			}
		}
		at := time.Time{}
		for i, c := range s.changes {
			if c.FromQuality != c.ToQuality && !allowed[c.FromQuality.String()+" "+c.ToQuality.String()] {
				t.Fatalf("%v became %v", c.FromQuality, c.ToQuality)
			}
			byRate := c.Submits > 0
			if c.FromQuality == Healthy && c.ToQuality == Unhealthy && byRate || c.FromQuality == Unhealthy && byRate {
				t.Fatalf("a rate made %v of %v", c.ToQuality, c.FromQuality)
			}
			if i > 0 && (c.FromBind != s.changes[i-1].ToBind || c.FromQuality != s.changes[i-1].ToQuality) || c.OccurredAt.Before(at) {
				t.Fatalf("change %d does not follow from the one before", i)
			}
			at = c.OccurredAt
		}
	})
}

// A redelivered report changes nothing, wherever among later ones it comes.
func TestRepeatedReportsChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := story(t)
		var once, often scene
		for i, f := range all {
			once.hear(f)
			often.hear(f)
			for range rapid.IntRange(0, 2).Draw(t, "repeats") {
				often.hear(all[rapid.IntRange(0, i).Draw(t, "which")])
			}
			if once.health != often.health {
				t.Fatalf("after report %d: %+v, and with repeats %+v", i, once.health, often.health)
			}
		}
	})
}

// Without failures of delivery counts are complete: however the reports of 60 s are dealt to connectors, and in
// whatever order those of one moment come, the rate is that of their sum.
func TestTheRateIsThatOfAllConnectors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s scene
		names := []string{"a", "b", "c", "d"}[:rapid.IntRange(1, 4).Draw(t, "connectors")]
		submits, errors := int64(0), int64(0)
		for at := 0; at <= 60; at += 10 {
			for _, name := range rapid.Permutation(names).Draw(t, "order") {
				f := facts{at: float64(at), connector: name, bind: Bound, submits: rapid.Int64Range(0, 20).Draw(t, "submits")}
				f.errors = rapid.Int64Range(0, f.submits).Draw(t, "errors")
				if at > 0 {
					submits, errors = submits+f.submits, errors+f.errors
				}
				if at == 60 {
					// All of the last moment, then the verdict: the first report alone would decide without the others.
					s.reducer.observe(SessionReport{ConnectorID: name, Sequence: 99, Bind: Bound, Submits: f.submits, Errors: f.errors,
						ReceivedAt: reducerStart.Add(60 * time.Second)}, false)
					continue
				}
				s.hear(f)
			}
		}
		s.judge()
		want := Healthy
		if submits >= minSubmits && errors*100 > submits*degradedPercent {
			want = Degraded
		}
		if s.health.Quality != want {
			t.Fatalf("%d errors of %d are %v", errors, submits, s.health.Quality)
		}
	})
}
