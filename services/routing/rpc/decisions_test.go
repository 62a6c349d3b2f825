package rpc_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/platform/pagetoken"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
	"trunkline/services/routing"
	"trunkline/services/routing/routingtest"
	"trunkline/services/routing/rpc"
)

// shelf is a log that remembers what was asked of it.
type shelf struct {
	filter  routing.RecordFilter
	erasure routing.Erasure
	page    routing.RecordPage
	query   routing.SummaryQuery
	// records are on each page, and summaries in each summary.
	records   []*routingv1.DecisionRecord
	summaries []routing.Summary
}

func (s *shelf) List(_ context.Context, p routing.RecordPage) ([]*routingv1.DecisionRecord, bool, error) {
	s.page = p
	return s.records, len(s.records) > 0, nil
}

func (s *shelf) Summarize(_ context.Context, q routing.SummaryQuery) ([]routing.Summary, error) {
	s.query = q
	return s.summaries, nil
}

func (s *shelf) Export(_ context.Context, f routing.RecordFilter, _ func([]*routingv1.DecisionRecord) error) error {
	s.filter = f
	return nil
}

func (s *shelf) Erase(_ context.Context, e routing.Erasure) (int64, error) {
	s.erasure = e
	return 7, nil
}

func TestTheLogIsAskedForWhatTheRequestSays(t *testing.T) {
	s := &shelf{}
	service := rpc.NewDecisions(s, nil, clock.NewFake(routingtest.Now))
	account, id := uuid.New(), uuid.New()
	from, to := routingtest.Now.Add(-time.Hour).UTC(), routingtest.Now.UTC()
	require.NoError(t, service.ExportDecisions(t.Context(), &routingv1.ExportDecisionsRequest{
		FromTime: timestamppb.New(from), ToTime: timestamppb.New(to), AccountId: account.String(), DecisionId: id.String(), Number: "+447911123456",
	}, (*connect.ServerStream[routingv1.ExportDecisionsResponse])(nil)))
	require.Equal(t, routing.RecordFilter{From: from, To: to, Account: account, ID: id, Number: "+447911123456"}, s.filter)
	require.NoError(t, service.ExportDecisions(t.Context(), &routingv1.ExportDecisionsRequest{}, nil))
	require.Equal(t, routing.RecordFilter{}, s.filter)

	res, err := service.EraseDecisions(caller.With(t.Context(), caller.Caller{Name: "key:1"}), &routingv1.EraseDecisionsRequest{Number: "+447911123456"})
	require.NoError(t, err)
	require.EqualValues(t, 7, res.GetErased())
	require.Equal(t, routing.Erasure{Number: "+447911123456", Actor: "key:1", At: routingtest.Now}, s.erasure)
}

// as gives a context of a caller with a role.
func as(t *testing.T, role caller.Role) context.Context {
	return caller.With(t.Context(), caller.Caller{Name: "key:1", Role: role})
}

func TestAPageIsAskedForAsTheRequestSays(t *testing.T) {
	account, operator, id := uuid.New(), uuid.New(), uuid.New()
	last := routingtest.Now.Add(-time.Minute).UTC()
	s := &shelf{records: []*routingv1.DecisionRecord{{DecisionId: uuid.NewString()}, {DecisionId: id.String(), DecideTime: timestamppb.New(last)}}}
	service := rpc.NewDecisions(s, nil, clock.NewFake(routingtest.Now))
	from, to := routingtest.Now.Add(-time.Hour).UTC(), routingtest.Now.UTC()
	req := &routingv1.ListDecisionsRequest{PageSize: 7, DecisionId: id.String(), Number: "+447911123456", Filter: &routingv1.DecisionFilter{
		FromTime: timestamppb.New(from), ToTime: timestamppb.New(to), AccountId: account.String(), OperatorId: operator.String(), Prefix: "+447", Failed: true,
	}}
	res, err := service.ListDecisions(as(t, caller.Admin), req)
	require.NoError(t, err)
	require.Equal(t, s.records, res.GetDecisions())
	want := routing.RecordPage{Limit: 7, Actor: "key:1", At: routingtest.Now, RecordFilter: routing.RecordFilter{
		From: from, To: to, Account: account, Operator: operator, ID: id, Number: "+447911123456", Start: "447", Failed: true,
	}}
	require.Equal(t, want, s.page)

	req.PageToken = res.GetNextPageToken()
	_, err = service.ListDecisions(as(t, caller.Admin), req)
	require.NoError(t, err)
	want.AfterTime, want.AfterID = last, id
	require.Equal(t, want, s.page)
	for name, change := range map[string]func(r *routingv1.ListDecisionsRequest){
		"another filter": func(r *routingv1.ListDecisionsRequest) { r.Filter.Failed = false },
		"another number": func(r *routingv1.ListDecisionsRequest) { r.Number = "" },
		"another token":  func(r *routingv1.ListDecisionsRequest) { r.PageToken = "x" + r.GetPageToken() },
	} {
		t.Run(name, func(t *testing.T) {
			other := proto.CloneOf(req)
			change(other)
			_, err := service.ListDecisions(as(t, caller.Admin), other)
			require.True(t, fault.Is(err, pagetoken.ReasonInvalid), "%v", err)
		})
	}
	s.records = nil
	res, err = service.ListDecisions(as(t, caller.Viewer), &routingv1.ListDecisionsRequest{})
	require.NoError(t, err)
	require.Empty(t, res.GetNextPageToken())
	require.Equal(t, pagetoken.Default, s.page.Limit)
}

func TestOnlyAnAdminLooksForANumber(t *testing.T) {
	for role, may := range map[caller.Role]bool{caller.Viewer: false, caller.Operator: false, caller.Admin: true} {
		s := &shelf{}
		service := rpc.NewDecisions(s, nil, clock.NewFake(routingtest.Now))
		_, err := service.ListDecisions(as(t, role), &routingv1.ListDecisionsRequest{Number: "+447911123456"})
		if may {
			require.NoError(t, err)
			continue
		}
		require.True(t, fault.Is(err, rpcserver.ReasonRoleTooLow), "%v", err)
		require.Equal(t, map[string]string{"needed_role": "admin", "role": role.String()}, fault.From(err).Metadata)
		require.Zero(t, s.page, "the log is not asked")
		_, err = service.ListDecisions(as(t, role), &routingv1.ListDecisionsRequest{})
		require.NoError(t, err)
	}
}

func TestASummaryIsGivenAsItIs(t *testing.T) {
	eur, err := money.Parse("12.5", "EUR")
	require.NoError(t, err)
	start := routingtest.Now.Truncate(time.Minute).UTC()
	counts := routing.Latencies{1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}
	s := &shelf{summaries: []routing.Summary{{
		Start: start, Group: "other", Count: 2, Failed: 1, Costs: []money.Money{eur}, Latencies: counts,
		Outcomes: map[routing.Outcome]int64{routing.Undelivered: 3, routing.Accepted: 1},
	}}}
	service := rpc.NewDecisions(s, nil, clock.NewFake(routingtest.Now))
	res, err := service.SummarizeDecisions(as(t, caller.Viewer), &routingv1.SummarizeDecisionsRequest{
		Step: durationpb.New(time.Minute), Group: routingv1.DecisionGroup_DECISION_GROUP_FAILURE, Filter: &routingv1.DecisionFilter{Prefix: "+44"},
	})
	require.NoError(t, err)
	require.Equal(t, routing.SummaryQuery{Step: time.Minute, Group: routing.ByFailure, RecordFilter: routing.RecordFilter{
		From: routingtest.Now.Add(-time.Hour), To: routingtest.Now, Start: "44",
	}}, s.query)
	require.Len(t, res.GetSummaries(), 1)
	require.True(t, proto.Equal(&routingv1.DecisionSummary{
		StartTime: timestamppb.New(start), Group: "other", DecisionCount: 2, FailedCount: 1, Costs: []*routingv1.Money{{CurrencyCode: "EUR", Nanos: 12_500_000_000}},
		Outcomes: []*routingv1.OutcomeCount{
			{Outcome: routingv1.Outcome_OUTCOME_ACCEPTED, Count: 1}, {Outcome: routingv1.Outcome_OUTCOME_UNDELIVERED, Count: 3},
		},
		LatencyP50: durationpb.New(10 * time.Microsecond), LatencyP95: durationpb.New(250 * time.Microsecond),
	}, res.GetSummaries()[0]), "%v", res)
	_, err = service.SummarizeDecisions(as(t, caller.Viewer), &routingv1.SummarizeDecisionsRequest{Step: durationpb.New(time.Second)})
	require.True(t, fault.Is(err, routing.ReasonValidation), "%v", err)
}

// road gives two points and then nothing.
type road struct{ past chan time.Duration }

func (r *road) Watch(ctx context.Context, past time.Duration, give func([]routing.TrafficPoint) error) error {
	r.past <- past
	if err := give([]routing.TrafficPoint{
		{Start: routingtest.Now, Span: 5 * time.Second, Count: 7, Failed: 2, P95: time.Millisecond}, {Start: routingtest.Now.Add(5 * time.Second), Span: time.Second},
	}); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// watched serves a road.
func watched(t *testing.T, change func(*rpcserver.Config, *rpcserver.Options)) (*road, *rpcservertest.Running, routingv1connect.DecisionServiceClient) {
	t.Helper()
	r := &road{past: make(chan time.Duration, 1)}
	running := rpcservertest.Start(t, change, rpcserver.Mount{
		Name: routingv1connect.DecisionServiceName,
		Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return routingv1connect.NewDecisionServiceHandler(rpc.NewDecisions(&shelf{}, r, clock.NewFake(routingtest.Now)), opts...)
		},
	})
	return r, running, routingv1connect.NewDecisionServiceClient(running.HTTP1, running.URL, connect.WithGRPCWeb())
}

func TestTrafficIsToldAsItComes(t *testing.T) {
	r, _, client := watched(t, nil)
	for name, c := range map[string]struct {
		history *durationpb.Duration
		want    time.Duration
	}{"five minutes when nothing is said": {nil, 5 * time.Minute}, "none": {durationpb.New(0), 0}, "an hour": {durationpb.New(time.Hour), time.Hour}} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			stream, err := client.WatchTraffic(ctx, &routingv1.WatchTrafficRequest{History: c.history})
			require.NoError(t, err)
			require.True(t, stream.Receive(), stream.Err())
			require.Equal(t, c.want, <-r.past)
			require.True(t, proto.Equal(&routingv1.WatchTrafficResponse{Points: []*routingv1.TrafficPoint{
				{StartTime: timestamppb.New(routingtest.Now), Seconds: 5, DecisionCount: 7, FailedCount: 2, LatencyP95: durationpb.New(time.Millisecond)},
				{StartTime: timestamppb.New(routingtest.Now.Add(5 * time.Second)), Seconds: 1},
			}}, stream.Msg()), "%v", stream.Msg())
			cancel()
			require.False(t, stream.Receive())
			require.Equal(t, connect.CodeCanceled, connect.CodeOf(stream.Err()))
			_ = stream.Close()
		})
	}
}

func TestAWatchDoesNotHoldUpTheDrain(t *testing.T) {
	_, running, client := watched(t, func(c *rpcserver.Config, _ *rpcserver.Options) { c.Drain.Timeout = time.Hour })
	stream, err := client.WatchTraffic(t.Context(), &routingv1.WatchTrafficRequest{})
	require.NoError(t, err)
	require.True(t, stream.Receive(), stream.Err())
	ended := make(chan error, 1)
	go func() { // it reads on, as a browser does
		for stream.Receive() {
			continue
		}
		ended <- stream.Err()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, running.Server.Shutdown(ctx), "no call is cut")
	require.NoError(t, <-ended)
	_ = stream.Close()
}

func TestAWatchWhoseTimeIsOverEndsWithoutAnError(t *testing.T) {
	_, _, client := watched(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Limits = map[string]rpcserver.Limits{routingv1connect.DecisionServiceWatchTrafficProcedure: {Timeout: 2 * time.Second}}
	})
	stream, err := client.WatchTraffic(t.Context(), &routingv1.WatchTrafficRequest{})
	require.NoError(t, err)
	for stream.Receive() {
		continue
	}
	require.NoError(t, stream.Err())
	_ = stream.Close()
}
