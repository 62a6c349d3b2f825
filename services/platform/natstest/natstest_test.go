package natstest_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/natstest"
)

const limit = 60 * time.Second

func connect(t *testing.T, s *natstest.Server) (context.Context, jetstream.JetStream) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	nc, err := nats.Connect(s.URL(), nats.MaxReconnects(0))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return ctx, js
}

func TestMessagesOutliveAKill(t *testing.T) {
	s := natstest.Start(t)
	ctx, js := connect(t, s)
	_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}})
	require.NoError(t, err)
	_, err = js.Publish(ctx, "s.one", []byte("kept"))
	require.NoError(t, err)

	before := s.URL()
	s.Kill()
	_, err = nats.Connect(s.URL())
	require.Error(t, err, "a killed server must not answer")
	s.Restart()
	require.Equal(t, before, s.URL())

	ctx, js = connect(t, s)
	stream, err := js.Stream(ctx, "S")
	require.NoError(t, err)
	msg, err := stream.GetMsg(ctx, 1)
	require.NoError(t, err)
	require.Equal(t, "kept", string(msg.Data))
}

func TestWipedStoreIsEmptyAfterRestart(t *testing.T) {
	s := natstest.Start(t)
	ctx, js := connect(t, s)
	_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}})
	require.NoError(t, err)
	s.Kill()
	s.WipeStore()
	s.Restart()
	ctx, js = connect(t, s)
	_, err = js.Stream(ctx, "S")
	require.ErrorIs(t, err, jetstream.ErrStreamNotFound)
}

func TestPausedServerDoesNotAnswerUntilResumed(t *testing.T) {
	s := natstest.Start(t)
	ctx, js := connect(t, s)
	s.Pause()
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	_, err := js.AccountInfo(short)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	s.Resume()
	_, err = js.AccountInfo(ctx)
	require.NoError(t, err)
}
