package replay_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
)

// content gives a world as a release, and makes everybody in the world well. Rules without candidates are in no release.
func content(rs *routingtest.RuleSet, weighted bool) release.Content {
	for _, o := range rs.Operators {
		rs.Health[o.ID] = routing.Health{Bind: routing.Bound, Quality: routing.Healthy, ObservedAt: routingtest.Now}
	}
	rs.Rules = slices.DeleteFunc(rs.Rules, func(r routing.Rule) bool {
		return len(r.Candidates) == 0 || r.Strategy == routing.Weighted && !weighted
	})
	return *rs.Content()
}

// slow counts one message after the other, each decided by two selectors.
type slow struct {
	t             *testing.T
	before, after *routing.Selector
	report        releasesv1.ReplayReport
	moves         map[string]int64
	costs         map[string][4]int64
	losses        map[string]int64
}

func (s *slow) decide(q routing.Query) {
	var b, a routing.Decision
	errB, errA := s.before.Select(s.t.Context(), &q, &b), s.after.Select(s.t.Context(), &q, &a)
	from, to := "", ""
	if errB == nil {
		from = b.Choices[0].ID.String()
		s.pay(q, 0, &b.Choices[0])
	}
	if errA == nil {
		to = a.Choices[0].ID.String()
		s.pay(q, 1, &a.Choices[0])
	}
	s.report.DecisionCount++
	s.moves[from+">"+to]++
	switch {
	case from == "" && to == "":
		s.report.NoRouteCount++
	case from == to:
		s.report.SameCount++
	case from == "":
		s.report.GainedCount++
	case to == "":
		s.report.LostCount++
		s.losses[strings.TrimSuffix(q.To.String(), "…")+" "+fault.From(errA).Reason]++
	default:
		s.report.MovedCount++
	}
}

func (s *slow) pay(q routing.Query, side int, c *routing.Choice) {
	for _, key := range []string{c.ID.String() + " +" + q.To.CallingCode() + " " + c.Price.Currency.String(), "  " + c.Price.Currency.String()} {
		sum := s.costs[key]
		sum[side]++
		sum[2+side] += c.Price.Nanos
		s.costs[key] = sum
	}
}

func TestAReportIsThatOfTwoSelectors(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 40 {
		first, accounts := routingtest.Generate(rng)
		second, _ := routingtest.Generate(rng)
		base, draft := compile(t, 1, content(first, false)), compile(t, 2, content(second, false))
		down := routingtest.UID(uint64(rng.IntN(6)))
		req := &releasesv1.ReplayReleaseRequest{DecideTime: at(routingtest.Now)}
		known := false
		for _, rs := range []*routingtest.RuleSet{first, second} {
			_, has := rs.Health[down]
			known = known || has
		}
		if known {
			req.DownOperatorIds = []string{down.String()}
			for _, rs := range []*routingtest.RuleSet{first, second} {
				rs.Health[down] = routing.Health{Bind: routing.Unbound, Quality: routing.Unhealthy, ObservedAt: routingtest.Now}
			}
		}
		want := &slow{
			t: t, before: routing.NewSelector(routingtest.Source(first.Table())), after: routing.NewSelector(routingtest.Source(second.Table())),
			moves: map[string]int64{}, costs: map[string][4]int64{}, losses: map[string]int64{},
		}
		text := "number,account,message_type,count\n"
		for range 200 {
			q := routing.Query{To: routingtest.RandomQuery(rng, accounts).To, Account: accounts[rng.IntN(len(accounts))], Type: routing.MessageType(1 + rng.IntN(3)), At: routingtest.Now}
			count := 1 + rng.IntN(3)
			for range count {
				want.decide(q)
			}
			text += fmt.Sprintf("%s,%s,%s,%d\n", q.To.Raw(), q.Account, q.Type, count)
		}
		req.Sample = &releasesv1.ReplayReleaseRequest_Csv{Csv: []byte(text)}
		got := run(t, &log{}, req, base, draft)
		requireReport(t, want, got)
	}
}

func requireReport(t *testing.T, want *slow, got *releasesv1.ReplayReport) {
	t.Helper()
	require.Zero(t, got.GetBadLineCount(), "%v", got.GetBadLines())
	counts := func(r *releasesv1.ReplayReport) [6]int64 {
		return [6]int64{r.GetDecisionCount(), r.GetSameCount(), r.GetMovedCount(), r.GetLostCount(), r.GetGainedCount(), r.GetNoRouteCount()}
	}
	require.Equal(t, counts(&want.report), counts(got))
	moves, costs, losses := map[string]int64{}, map[string][4]int64{}, map[string]int64{}
	for _, m := range got.GetMoves() {
		moves[m.GetFromOperatorId()+">"+m.GetToOperatorId()] = m.GetCount()
	}
	for _, list := range [][]*releasesv1.ReplayCost{got.GetCosts(), got.GetTotals()} {
		for _, c := range list {
			currency := c.GetBefore().GetCurrencyCode()
			if currency == "" {
				currency = c.GetAfter().GetCurrencyCode()
			}
			costs[c.GetOperatorId()+" "+c.GetCallingCode()+" "+currency] = [4]int64{c.GetBeforeCount(), c.GetAfterCount(), c.GetBefore().GetNanos(), c.GetAfter().GetNanos()}
		}
	}
	for _, l := range got.GetLosses() {
		losses[l.GetPrefix()+" "+l.GetReason()] = l.GetCount()
	}
	require.Equal(t, want.moves, moves)
	require.Equal(t, want.costs, costs)
	if len(want.losses) <= 100 {
		require.Equal(t, want.losses, losses)
	}
}

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 6 {
		first, accounts := routingtest.Generate(rng)
		second, _ := routingtest.Generate(rng)
		one, two := content(first, true), content(second, true)
		l := &log{}
		text := "number,count\n"
		for range 300 {
			to := routingtest.RandomQuery(rng, accounts).To
			text += fmt.Sprintf("%s,%d\n", to.Raw(), 1+rng.IntN(1000))
			sample := routing.Sample{Account: accounts[0], Type: routing.SMS, Start: routing.ShownPrefix(to), Digits: len(to.Digits())}
			sample.Decision = uuid.NewSHA1(uuid.Nil, fmt.Append(nil, rng.Uint64()))
			l.all = append(l.all, sample)
		}
		for _, req := range []*releasesv1.ReplayReleaseRequest{logged(0), file(text)} {
			req.DecideTime = at(routingtest.Now)
			var last []byte
			for range 3 {
				for _, c := range []release.Content{one, two} {
					rng.Shuffle(len(c.Rules), func(i, j int) { c.Rules[i], c.Rules[j] = c.Rules[j], c.Rules[i] })
					rng.Shuffle(len(c.Rates), func(i, j int) { c.Rates[i], c.Rates[j] = c.Rates[j], c.Rates[i] })
				}
				rng.Shuffle(len(l.all), func(i, j int) { l.all[i], l.all[j] = l.all[j], l.all[i] })
				data, err := proto.Marshal(run(t, l, req, compile(t, 1, one), compile(t, 2, two)))
				require.NoError(t, err)
				if last != nil {
					require.Equal(t, last, data)
				}
				last = data
			}
		}
	}
}
