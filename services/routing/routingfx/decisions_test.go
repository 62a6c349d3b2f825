package routingfx_test

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/pgtest"
	"trunkline/services/platform/platformfx"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
	"trunkline/services/routing/routingfx"
)

// archive is the part of operator-management that keeps decisions.
func archive(t *testing.T) (*jetstream.Conn, routingv1connect.DecisionServiceClient) {
	t.Helper()
	store := bunstore.DefaultConfig()
	store.URL = config.NewSecret(pgtest.Database(t))
	database(t, store.URL.Reveal())
	nats, err := jetstream.Embedded(filepath.Join(t.TempDir(), "nats"), "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, nats.Shutdown()) })
	platform := platformfx.DefaultConfig()
	platform.Server.Addr, platform.Server.Drain.Notice = "127.0.0.1:0", 0
	platform.Server.Drain.Timeout = time.Hour
	var conn *jetstream.Conn
	var server *rpcserver.Server
	app := fx.New(
		fx.NopLogger,
		fx.Supply(slog.New(slog.NewTextHandler(t.Output(), nil)), platform, platformfx.Process{Name: "operator-management"}, rpcserver.Metrics{},
			store, jetstream.DefaultConfig(), nats, routingfx.DefaultDecisionsConfig()),
		platformfx.Database, platformfx.NATS, routingfx.Decisions, platformfx.Module, fx.Provide(rpcservertest.Everybody), fx.Populate(&conn, &server),
	)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, app.Start(ctx))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, app.Stop(ctx), "whoever watches does not hold it up")
	})
	var h2 http.Protocols
	h2.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &h2}
	t.Cleanup(transport.CloseIdleConnections)
	return conn, routingv1connect.NewDecisionServiceClient(&http.Client{Transport: transport}, server.URL(), connect.WithGRPC())
}

func TestDecisionsAreListedSummedUpAndWatched(t *testing.T) {
	ended := func() {} // runs after the process has stopped
	t.Cleanup(func() { ended() })
	conn, client := archive(t)
	at := time.Now().Add(-20 * time.Second)
	batch, err := proto.Marshal(&routingv1.DecisionBatch{Decisions: []*routingv1.DecisionRecord{{
		DecisionId: uuid.NewString(), DecideTime: timestamppb.New(at), AccountId: account, NumberHash: strings.Repeat("ab", 32), HashKeyId: "k",
		MessageType: routingv1.MessageType_MESSAGE_TYPE_SMS, Failure: "NO_ROUTE", Latency: durationpb.New(time.Millisecond),
	}}})
	require.NoError(t, err)
	require.NoError(t, conn.Publish(t.Context(), "routing.decision", batch, "one"))
	require.Eventually(t, func() bool {
		page, err := client.ListDecisions(t.Context(), &routingv1.ListDecisionsRequest{})
		require.NoError(t, err)
		return len(page.GetDecisions()) == 1
	}, eventually, tick)
	sums, err := client.SummarizeDecisions(t.Context(), &routingv1.SummarizeDecisionsRequest{
		Step: durationpb.New(time.Hour), Group: routingv1.DecisionGroup_DECISION_GROUP_FAILURE,
	})
	require.NoError(t, err)
	require.Len(t, sums.GetSummaries(), 1)
	require.EqualValues(t, 1, sums.GetSummaries()[0].GetFailedCount())

	// It stays open until the process ends.
	stream, err := client.WatchTraffic(context.Background(), &routingv1.WatchTrafficRequest{})
	require.NoError(t, err)
	require.True(t, stream.Receive(), stream.Err())
	var seen []*routingv1.TrafficPoint
	for _, p := range stream.Msg().GetPoints() {
		if p.GetDecisionCount() > 0 {
			seen = append(seen, p)
		}
	}
	require.Len(t, stream.Msg().GetPoints(), 60)
	require.Len(t, seen, 1)
	require.EqualValues(t, 1, seen[0].GetFailedCount())
	require.True(t, stream.Receive(), "then it goes on: %v", stream.Err())
	require.EqualValues(t, 1, stream.Msg().GetPoints()[0].GetSeconds())
	done := make(chan error, 1)
	go func() {
		for stream.Receive() {
			continue
		}
		done <- stream.Err()
	}()
	ended = func() {
		require.NoError(t, <-done)
		_ = stream.Close()
	}
}

func TestAHundredWatchAndOneMoreIsRefused(t *testing.T) {
	_, client := archive(t)
	watch := func() (end func(), err error) {
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := client.WatchTraffic(ctx, &routingv1.WatchTrafficRequest{History: durationpb.New(0)})
		if err != nil {
			cancel()
			return nil, err
		}
		end = func() {
			cancel()
			_ = stream.Close()
		}
		if !stream.Receive() {
			end()
			return nil, stream.Err()
		}
		return end, nil
	}
	var ends []func()
	for range 100 {
		end, err := watch()
		require.NoError(t, err)
		ends = append(ends, end)
	}
	_, err := watch()
	var refused *connect.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, connect.CodeResourceExhausted, refused.Code())
	retry := false
	for _, d := range refused.Details() {
		value, err := d.Value()
		require.NoError(t, err)
		if info, ok := value.(*errdetails.RetryInfo); ok {
			retry = info.GetRetryDelay().AsDuration() > 0
		}
	}
	require.True(t, retry, "it tells when to come back")
	ends[0]()
	require.Eventually(t, func() bool {
		end, err := watch()
		if err == nil {
			ends[0] = end
		}
		return err == nil
	}, eventually, tick)
	for _, end := range ends {
		end()
	}
}
