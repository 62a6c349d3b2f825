package replay_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
	"trunkline/services/routing/releases"
	"trunkline/services/routing/replay"
)

// live and next are two releases of which the second takes the cheaper operator, gives up a route and has a new one.
func live(t testing.TB) *source {
	return compile(t, 1, release.Content{
		Operators: []release.Operator{operator(10, "Alpha"), operator(11, "Beta")},
		FX:        []release.FXRate{{Currency: eur, Nanos: 1_000_000_000}, {Currency: usd, Nanos: 900_000_000}},
		Rules:     []release.Rule{rule(20, "44", candidate(10, 50_000_000)), rule(21, "49", candidate(10, 70_000_000)), rule(22, "33", candidate(11, 10))},
	})
}

func next(t testing.TB) *source {
	return compile(t, 2, release.Content{
		Operators: []release.Operator{operator(10, "Alfa"), operator(12, "Gamma")},
		FX:        []release.FXRate{{Currency: eur, Nanos: 1_000_000_000}},
		Rules:     []release.Rule{rule(20, "44", candidate(12, 40_000_000), candidate(10, 60_000_000)), rule(21, "49", candidate(10, 70_000_000)), rule(23, "1", candidate(12, 10))},
	})
}

func TestAReportTellsWhoMovesAndWhatItCosts(t *testing.T) {
	base, draft := live(t), next(t)
	report := run(t, &log{}, file("number,count\n+447911123456,10\n+4915112345678,3\n+33612345678,2\n+12025550123,4\n+81312345678,5\n"), base, draft)
	var want releasesv1.ReplayReport
	require.NoError(t, prototext.Unmarshal([]byte(strings.NewReplacer("OP", id(0).String()[:34]).Replace(`
		decision_count: 24 same_count: 3 moved_count: 10 lost_count: 2 gained_count: 4 no_route_count: 5
		moves { from_operator_id: "OP0a" from_operator_name: "Alfa" to_operator_id: "OP0c" to_operator_name: "Gamma" count: 10 }
		moves { count: 5 }
		moves { to_operator_id: "OP0c" to_operator_name: "Gamma" count: 4 }
		moves { from_operator_id: "OP0a" from_operator_name: "Alfa" to_operator_id: "OP0a" to_operator_name: "Alfa" count: 3 }
		moves { from_operator_id: "OP0b" from_operator_name: "Beta" count: 2 }
		costs { operator_id: "OP0a" operator_name: "Alfa" calling_code: "+44" before_count: 10 before { currency_code: "EUR" nanos: 500000000 } }
		costs { operator_id: "OP0c" operator_name: "Gamma" calling_code: "+44" after_count: 10 after { currency_code: "EUR" nanos: 400000000 } }
		costs { operator_id: "OP0c" operator_name: "Gamma" calling_code: "+1" after_count: 4 after { currency_code: "EUR" nanos: 40 } }
		costs { operator_id: "OP0b" operator_name: "Beta" calling_code: "+33" before_count: 2 before { currency_code: "EUR" nanos: 20 } }
		costs { operator_id: "OP0a" operator_name: "Alfa" calling_code: "+49" before_count: 3 after_count: 3
			before { currency_code: "EUR" nanos: 210000000 } after { currency_code: "EUR" nanos: 210000000 } }
		totals { before_count: 15 after_count: 17 before { currency_code: "EUR" nanos: 710000020 } after { currency_code: "EUR" nanos: 610000040 } }
		losses { prefix: "+336123" reason: "NO_ROUTE" count: 2 }
		decide_time { seconds: 1795262400 }
		base_release_id: "OP01"
	`)), &want))
	require.True(t, proto.Equal(&want, report), "want %s\ngot  %s", prototext.Format(&want), prototext.Format(report))
	require.Zero(t, base.open+draft.open, "what was opened is closed")
}

func TestAnOperatorThatIsDownIsDownInBoth(t *testing.T) {
	const numbers = "+447911123456\n+4915112345678\n"
	report := run(t, &log{}, file(numbers, 10), live(t), next(t))
	require.EqualValues(t, 1, report.GetGainedCount(), "Gamma carries what Alpha did")
	require.EqualValues(t, 1, report.GetNoRouteCount())
	report = run(t, &log{}, file(numbers, 12, 11), live(t), next(t))
	require.EqualValues(t, 2, report.GetSameCount())
	report = run(t, &log{}, file(numbers, 10), next(t), live(t))
	require.Equal(t, routing.ReasonNoUsableOperator, report.GetLosses()[0].GetReason())

	_, err := replay.New(&log{}, releases.Load, clock.NewFake(noon)).Replay(t.Context(), file(numbers, 10, 99), live(t), next(t), quiet)
	require.True(t, fault.Is(err, routing.ReasonValidation))
	require.Equal(t, "downOperatorIds[1]", fault.From(err).Violations[0].Field)
}

func TestBothDecideAtOneMoment(t *testing.T) {
	content := func(to time.Time) release.Content {
		r := rule(20, "44", candidate(10, 1))
		r.To = to
		return release.Content{Operators: []release.Operator{operator(10, "Alpha")}, Rules: []release.Rule{r}}
	}
	base, draft := compile(t, 1, content(noon.Add(time.Hour))), compile(t, 2, content(noon.Add(2*time.Hour)))
	for after, want := range map[time.Duration][3]int64{0: {1, 0, 0}, 90 * time.Minute: {0, 1, 0}, 3 * time.Hour: {0, 0, 1}} {
		req := file("+447911123456\n")
		if after > 0 {
			req.DecideTime = at(noon.Add(after))
		}
		report := run(t, &log{}, req, base, draft)
		require.Equal(t, want, [3]int64{report.GetSameCount(), report.GetGainedCount(), report.GetNoRouteCount()}, after)
		require.Equal(t, noon.Add(after), report.GetDecideTime().AsTime())
	}
}

func TestALineThatStandsForManyIsSpreadByWeight(t *testing.T) {
	r := rule(20, "44", candidate(10, 1), candidate(11, 1))
	r.Strategy = byWeight
	one := compile(t, 1, release.Content{Operators: []release.Operator{operator(10, "Alpha"), operator(11, "Beta")}, Rules: []release.Rule{r}})
	report := run(t, &log{}, file("number,count\n+447911123456,100007\n+447911123456,3\n"), one, one)
	require.EqualValues(t, 100010, report.GetSameCount(), "the same draw decides on both sides")
	require.Len(t, report.GetMoves(), 2)
	for _, m := range report.GetMoves() {
		require.InDelta(t, 50_000, m.GetCount(), 20_000)
	}
}

func TestTheLogIsCompletedToWholeNumbers(t *testing.T) {
	l := &log{}
	for i := range 5000 {
		l.all = append(l.all, routing.Sample{Decision: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, i)), Account: id(5), Type: routing.SMS, Start: "447911", Digits: 12})
	}
	// Ten rules for the digit that the log does not tell.
	content := release.Content{Operators: []release.Operator{operator(10, "Alpha"), operator(11, "Beta")}}
	for digit := range 10 {
		r := rule(20+digit, e164.Prefix("447911"+fmt.Sprint(digit)), candidate(10+digit%2, int64(digit)))
		r.Account = id(5)
		content.Rules = append(content.Rules, r)
	}
	// And none for a number of another length.
	one := compile(t, 1, content)
	report := run(t, l, logged(0), one, one)
	require.EqualValues(t, 5000, report.GetDecisionCount())
	require.EqualValues(t, 5000, report.GetSameCount())
	require.InDelta(t, 2500, report.GetMoves()[0].GetCount(), 200, "digits are drawn evenly")
	require.Equal(t, routing.SampleFilter{Limit: 100_000}, l.last)

	req := logged(10)
	req.GetDecisions().FromTime, req.GetDecisions().ToTime = at(noon), at(noon.Add(time.Hour))
	require.EqualValues(t, 10, run(t, l, req, one, one).GetDecisionCount())
	require.Equal(t, routing.SampleFilter{From: noon, To: noon.Add(time.Hour), Limit: 10}, l.last)
	run(t, l, logged(math.MaxInt32), one, one)
	require.Equal(t, 1_000_000, l.last.Limit)

	l.all = []routing.Sample{{Type: routing.SMS, Start: "x44"}, {Start: "447911"}, {Type: routing.SMS, Start: "447911", Digits: 99}, {Type: routing.SMS, Start: "1", Digits: 1}, {Type: routing.SMS, Start: "1"}}
	require.EqualValues(t, 3, run(t, l, logged(0), one, one).GetDecisionCount(), "what is no number is left out")
}

func TestCostsOfOtherCurrenciesAreComparedByWorth(t *testing.T) {
	jpy := money.Currency{'J', 'P', 'Y'}
	yen := candidate(11, 1_000_000_000)
	yen.Price.Currency = jpy
	dollar := candidate(10, 500_000_000)
	dollar.Price.Currency = usd
	free := rule(21, "33", release.Candidate{Operator: id(10), Priority: 1})
	base := compile(t, 1, release.Content{Operators: []release.Operator{operator(10, "Alpha")}})
	draft := compile(t, 2, release.Content{
		Operators: []release.Operator{operator(10, "Alpha"), operator(11, "Beta")},
		FX:        []release.FXRate{{Currency: usd, Nanos: 900_000_000}, {Currency: jpy, Nanos: 6_000_000}},
		Rules:     []release.Rule{rule(20, "44", yen), rule(22, "49", dollar), free},
	})
	report := run(t, &log{}, file("+447911123456\n+4915112345678\n+33612345678\n"), base, draft)
	var order []string
	for _, c := range report.GetTotals() {
		order = append(order, c.GetAfter().GetCurrencyCode())
		require.EqualValues(t, 1, c.GetAfterCount())
	}
	require.Equal(t, []string{"USD", "JPY", ""}, order, "one without a price has no money")
	require.Equal(t, "+33", report.GetCosts()[2].GetCallingCode())
	require.Nil(t, report.GetCosts()[2].GetAfter())
}

func TestACostThatIsTooLargeIsRefused(t *testing.T) {
	one := compile(t, 1, release.Content{
		Operators: []release.Operator{operator(10, "Alpha"), operator(11, "Beta")},
		Rules:     []release.Rule{rule(20, "44", candidate(10, math.MaxInt64/2)), rule(21, "49", candidate(11, math.MaxInt64/2))},
	})
	replayer := replay.New(&log{}, releases.Load, clock.NewFake(noon))
	_, err := replayer.Replay(t.Context(), file("+447911123456\n+4915112345678\n"), one, one, quiet)
	require.NoError(t, err)
	for _, text := range []string{"+447911123456\n+4915112345678\n+4915112345678\n", "number,count\n+447911123456,3\n", "number,count\n+447911123456,1000000000\n"} {
		_, err = replayer.Replay(t.Context(), file(text), one, one, quiet)
		require.True(t, fault.Is(err, replay.ReasonSum), "%v", err)
	}
}

func TestProgressIsTold(t *testing.T) {
	one := live(t)
	var told [][2]int64
	_, err := replay.New(&log{}, releases.Load, clock.NewFake(noon)).Replay(t.Context(), file(strings.Repeat("+447911123456\n", 10_000)), one, one, func(done, total int64) {
		told = append(told, [2]int64{done, total})
	})
	require.NoError(t, err)
	require.Equal(t, [][2]int64{{0, 10_001}, {4096, 10_001}, {8192, 10_001}, {10_000, 10_000}}, told)
}

func TestAReplayEndsWithItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := replay.New(&log{}, releases.Load, clock.NewFake(noon)).Replay(ctx, file(strings.Repeat("+447911123456\n", 10_000)), live(t), next(t), func(done, _ int64) {
		if done > 0 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
}

func TestADamagedReleaseIsNotReplayed(t *testing.T) {
	broken := next(t)
	broken.sealed.Digest = live(t).sealed.Digest
	replayer := replay.New(&log{}, releases.Load, clock.NewFake(noon))
	_, err := replayer.Replay(t.Context(), file("+447911123456\n"), live(t), broken, quiet)
	require.ErrorIs(t, err, release.ErrDigest)
	_, err = replayer.Replay(t.Context(), file("+447911123456\n"), broken, live(t), quiet)
	require.ErrorIs(t, err, release.ErrDigest)
	require.Zero(t, broken.open)
	gone := errors.New("gone")
	_, err = replay.New(&log{err: gone}, releases.Load, clock.NewFake(noon)).Replay(t.Context(), logged(1), live(t), next(t), quiet)
	require.ErrorIs(t, err, gone)
}
