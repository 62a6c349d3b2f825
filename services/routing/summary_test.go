package routing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/routing"
)

func TestASummaryHasItsBounds(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 500, time.UTC)
	ask := func(from, to time.Time, step time.Duration) routing.SummaryQuery {
		return routing.SummaryQuery{RecordFilter: routing.RecordFilter{From: from, To: to}, Step: step}
	}
	for name, c := range map[string]struct {
		query    routing.SummaryQuery
		from, to time.Time
		field    string
	}{
		"nothing said is the last hour":      {ask(time.Time{}, time.Time{}, time.Minute), now.Add(-time.Hour), now, ""},
		"without an end it is now":           {ask(now.Add(-time.Minute), time.Time{}, time.Second), now.Add(-time.Minute), now, ""},
		"without a beginning an hour before": {ask(time.Time{}, now.Add(-24*time.Hour), time.Minute), now.Add(-25 * time.Hour), now.Add(-24 * time.Hour), ""},
		"31 days by the day":                 {ask(now.AddDate(0, 0, -31), now, 24*time.Hour), now.AddDate(0, 0, -31), now, ""},
		"500 intervals":                      {ask(now.Add(-500*time.Second), now, time.Second), now.Add(-500 * time.Second), now, ""},
		"more than 31 days":                  {ask(now.AddDate(0, 0, -31).Add(-1), now, 24*time.Hour), now, now, "filter.from_time"},
		"more than 500 intervals":            {ask(now.Add(-500*time.Second-1), now, time.Second), now, now, "step"},
		"no time at all":                     {ask(now, now, time.Second), now, now, "filter.to_time"},
		"a time that runs backwards":         {ask(now, now.Add(-1), time.Second), now, now, "filter.to_time"},
		"a step with a fraction":             {ask(now.Add(-time.Minute), now, 1500*time.Millisecond), now, now, "step"},
		"no step":                            {ask(now.Add(-time.Minute), now, 0), now, now, "step"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.query.Bounded(now)
			if c.field == "" {
				require.NoError(t, err)
				require.Equal(t, []time.Time{c.from, c.to}, []time.Time{got.From, got.To})
				return
			}
			require.True(t, fault.Is(err, routing.ReasonValidation))
			require.Equal(t, c.field, fault.From(err).Violations[0].Field)
		})
	}
	_, err := ask(now.Add(-24*time.Hour), now, time.Second).Bounded(now)
	require.ErrorContains(t, err, "at least 173 seconds")
	_, err = ask(now.Add(-24*time.Hour), now, 173*time.Second).Bounded(now)
	require.NoError(t, err, "what the sentence says is enough")
}

func TestLatenciesAreToldToTheEdgeOfTheirBucket(t *testing.T) {
	counted := func(took ...time.Duration) (l routing.Latencies) {
		for i, edge := range routing.LatencyEdges() {
			for _, one := range took {
				if one <= edge || i == routing.LatencyBuckets-1 {
					l[i]++
				}
			}
		}
		return l
	}
	many := make([]time.Duration, 100)
	for i := range many {
		many[i] = 7 * time.Microsecond
		if i >= 95 {
			many[i] = 30 * time.Millisecond
		}
	}
	for name, c := range map[string]struct {
		counts   routing.Latencies
		p50, p95 time.Duration
	}{
		"no decision":                    {counted(), 0, 0},
		"one on an edge":                 {counted(25 * time.Microsecond), 25 * time.Microsecond, 25 * time.Microsecond},
		"one above an edge":              {counted(26 * time.Microsecond), 50 * time.Microsecond, 50 * time.Microsecond},
		"two apart":                      {counted(time.Microsecond, 45*time.Millisecond), 10 * time.Microsecond, 50 * time.Millisecond},
		"95 of 100 fast":                 {counted(many...), 10 * time.Microsecond, 10 * time.Microsecond},
		"94 of 100 fast":                 {counted(append(many[1:], time.Millisecond)...), 10 * time.Microsecond, time.Millisecond},
		"longer than the last edge":      {counted(time.Hour), 10 * time.Second, 10 * time.Second},
		"none takes no time, it is kept": {counted(0), 10 * time.Microsecond, 10 * time.Microsecond},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.p50, c.counts.Within(50))
			require.Equal(t, c.p95, c.counts.Within(95))
		})
	}
}

func TestAPrefixIsComparedAsFarAsTheLogKeepsIt(t *testing.T) {
	for name, c := range map[string]struct{ asked, kept e164.Prefix }{
		"a country":                            {"44", "44"},
		"a digit of several countries":         {"4", "4"},
		"the country and four digits":          {"447911", "447911"},
		"a fifth digit is not kept":            {"4479111", "447911"},
		"a country with one digit":             {"1202555", "12025"},
		"a country with three digits":          {"3591234", "3591234"},
		"a code that belongs to no country":    {"9991234", routing.ShownPrefix("+999123400000000")},
		"a whole number is cut down like this": {"447911123456", "447911"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.kept, routing.KeptPrefix(c.asked)) })
	}
}
