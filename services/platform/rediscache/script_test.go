package rediscache

import (
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/redistest"
)

func TestScriptRunsAlsoAfterRedisForgotIt(t *testing.T) {
	s := redistest.Start(t)
	c := open(t, patient(s.Addr()))
	awaitHealthy(t, c)
	script := rueidis.NewLuaScript("return {redis.call('INCRBY', KEYS[1], ARGV[1]), 7}")
	run := func() []int64 {
		t.Helper()
		answer, err := c.Script(t.Context(), script, []string{"k"}, []string{"2"})
		require.NoError(t, err)
		return answer
	}
	require.Equal(t, []int64{2, 7}, run())
	client := *c.client.Load()
	require.NoError(t, client.Do(t.Context(), client.B().ScriptFlush().Build()).Error())
	require.Equal(t, []int64{4, 7}, run())
}

func TestScriptFailsLikeAnyCall(t *testing.T) {
	s := redistest.Start(t)
	cfg := patient(s.Addr())
	cfg.Budget = 50 * time.Millisecond
	c := open(t, cfg)
	awaitHealthy(t, c)
	_, err := c.Script(t.Context(), rueidis.NewLuaScript("return redis.call('NONSENSE')"), []string{"k"}, nil)
	require.ErrorIs(t, err, ErrUnavailable)
	require.True(t, c.breaker.IsClosed())
	s.Pause()
	_, err = c.Script(t.Context(), rueidis.NewLuaScript("return {1}"), []string{"k"}, nil)
	require.ErrorIs(t, err, ErrUnavailable)
	_, err = c.Script(t.Context(), rueidis.NewLuaScript("return {1}"), []string{""}, nil)
	require.Error(t, err)
}
