package decisionlog

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/money"
	"trunkline/services/platform/secret"
	"trunkline/services/routing"
)

func testHasher() *Hasher { return NewHasher(secret.New(strings.Repeat("k", MinKeyBytes))) }

func TestARecordShowsNothingOfTheOneBeforeInItsPlace(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
	good := entry{record: routing.Record{
		ID: uuid.New(), Account: uuid.New(), At: at, To: "+447911123456", Type: routing.Flash, Rule: uuid.New(), Operator: uuid.New(), Prefix: "44",
		Price: money.Money{Nanos: 5, Currency: money.Currency{'E', 'U', 'R'}}, Versions: routing.Versions{Release: "r", Config: 1, Rules: 2},
		Cache: routing.CacheHit, HealthUnknown: true, Latency: time.Second + 7,
	}}
	bad := entry{record: routing.Record{ID: uuid.New(), Account: uuid.New(), At: at, To: "+12025550123", Type: routing.SMS, Failure: "NO_ROUTE"}}
	alone := parcel{hasher: testHasher()}
	alone.empty(1)
	alone.add(&bad)
	used := parcel{hasher: testHasher()}
	used.empty(1)
	used.add(&good)
	sent, err := proto.Marshal(&used.batch)
	require.NoError(t, err)
	used.empty(1)
	used.add(&bad)
	require.True(t, proto.Equal(&alone.batch, &used.batch), "%v", &used.batch)

	var first routingv1.DecisionBatch
	require.NoError(t, proto.Unmarshal(sent, &first))
	r := first.GetDecisions()[0]
	require.Equal(t, good.record.Operator.String(), r.GetOperatorId())
	require.Equal(t, good.record.Rule.String(), r.GetRuleId())
	require.Equal(t, good.record.Latency, r.GetLatency().AsDuration())
	require.Equal(t, at, r.GetDecideTime().AsTime())
	require.Equal(t, int64(5), r.GetUnitPrice().GetNanos())
}

// times keeps when batches came, and of how many entries.
type times struct {
	came    []time.Time
	entries []int
}

func (s *times) Publish(_ context.Context, _ string, data []byte, _ string) error {
	var b routingv1.DecisionBatch
	err := proto.Unmarshal(data, &b)
	s.came, s.entries = append(s.came, time.Now()), append(s.entries, len(b.GetDecisions()))
	return err
}

func TestABatchGoesWhenItIsFullOrAfterAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent times
		w, err := NewWriter(&sent, testHasher(), time.Now, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.Run(ctx)
		}()
		began := time.Now()
		one := entry{record: routing.Record{To: "+447911123456", Type: routing.SMS, Failure: "NO_ROUTE"}}
		require.True(t, w.put(one))
		synctest.Wait() // it waits for others now
		for range 2*batchMost + 1 {
			require.True(t, w.put(one))
		}
		synctest.Wait()
		time.Sleep(2 * lag)
		synctest.Wait()
		stop()
		<-done
		require.Equal(t, []int{batchMost, batchMost, 2}, sent.entries)
		require.Equal(t, []time.Time{began, began, began.Add(lag)}, sent.came)
	})
}
