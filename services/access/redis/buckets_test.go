package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"trunkline/services/access"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/redistest"
)

const (
	eventually = 60 * time.Second
	tick       = 20 * time.Millisecond
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
}

// scripts reaches Redis over a connection of its own, as one process does.
type scripts struct{ rueidis.Client }

func (s scripts) Script(ctx context.Context, script *rueidis.Lua, keys, args []string) ([]int64, error) {
	type answer struct {
		numbers []int64
		err     error
	}
	done := make(chan answer, 1)
	go func() { // the client library has waits that do not end with a context
		numbers, err := script.Exec(ctx, s.Client, keys, args).AsIntSlice()
		done <- answer{numbers, err}
	}()
	select {
	case a := <-done:
		return a.numbers, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func connect(t *testing.T, server *redistest.Server) scripts {
	t.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{server.Addr()}, ForceSingleClient: true, DisableCache: true, DisableRetry: true,
		AlwaysPipelining: true, ConnWriteTimeout: time.Second,
	})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return scripts{client}
}

func (s scripts) do(t *testing.T, words ...string) rueidis.RedisResult {
	t.Helper()
	result := s.Do(t.Context(), s.B().Arbitrary(words...).Build())
	require.NoError(t, result.Error())
	return result
}

// slow lets in next to nothing while a test runs.
var slow = access.Limit{Rate: 0.001, Burst: 10}

var someone = access.LimitKey{Kind: access.LimitOfPrincipal, ID: "key:someone"}

func lease(t *testing.T, b *Buckets, limit access.Limit, want, least int) (int, time.Duration) {
	t.Helper()
	granted, wait, err := b.Lease(t.Context(), someone, limit, want, least)
	require.NoError(t, err)
	return granted, wait
}

func TestProcessesDrawFromOneBucket(t *testing.T) {
	server := redistest.Start(t)
	one, two := NewBuckets(connect(t, server)), NewBuckets(connect(t, server))
	for _, c := range []struct {
		from        *Buckets
		want, least int
		granted     int
	}{
		{one, 4, 1, 4},
		{two, 4, 2, 4},
		{one, 4, 3, 0}, // 2 are left and stay
		{two, 4, 1, 2},
		{one, 1, 1, 0},
	} {
		granted, wait := lease(t, c.from, slow, c.want, c.least)
		require.Equal(t, c.granted, granted)
		require.Equal(t, granted == 0, wait > 0)
	}
	granted, _, err := one.Lease(t.Context(), access.LimitKey{Kind: access.LimitOfAccount, ID: someone.ID}, slow, 10, 10)
	require.NoError(t, err)
	require.Equal(t, 10, granted, "an account of the same name has another bucket")
}

func TestTokensFlowInWithTheTimeOfRedis(t *testing.T) {
	client := connect(t, redistest.Start(t))
	b := NewBuckets(client)
	granted, _ := lease(t, b, slow, 10, 10)
	require.Equal(t, 10, granted)
	_, wait := lease(t, b, slow, 3, 3)
	require.InDelta(t, 3000, wait.Seconds(), 60, "a token takes 1000 s")

	shift := func(seconds int64) int64 {
		at, err := client.do(t, "HGET", name(someone), "at").AsInt64()
		require.NoError(t, err)
		client.do(t, "HSET", name(someone), "at", strconv.FormatInt(at+seconds*1_000_000, 10))
		return at
	}
	shift(-2000)
	granted, _ = lease(t, b, slow, 10, 1)
	require.Equal(t, 2, granted)
	shift(-1_000_000)
	granted, _ = lease(t, b, slow, 10, 1)
	require.Equal(t, 10, granted, "a pause is worth one burst at most")

	before := shift(+1_000_000)
	granted, wait = lease(t, b, slow, 1, 1)
	require.Zero(t, granted, "a clock that was set back lets nothing in")
	require.InDelta(t, 1000, wait.Seconds(), 60)
	after, err := client.do(t, "HGET", name(someone), "at").AsInt64()
	require.NoError(t, err)
	require.InDelta(t, before, after, 60e6, "and goes on from where it is")
}

func TestABucketGetsAnotherSize(t *testing.T) {
	b := NewBuckets(connect(t, redistest.Start(t)))
	granted, _ := lease(t, b, slow, 2, 2)
	require.Equal(t, 2, granted)
	granted, _ = lease(t, b, access.Limit{Rate: 0.001, Burst: 5}, 5, 1)
	require.Equal(t, 5, granted)
	granted, _ = lease(t, b, access.Limit{Rate: 0.001, Burst: 100}, 100, 1)
	require.Zero(t, granted, "a larger bucket fills with time")
}

func TestExtremeLimitsAreCounted(t *testing.T) {
	client := connect(t, redistest.Start(t))
	b := NewBuckets(client)
	widest := access.Limit{Rate: 0.001, Burst: 1_000_000}
	granted, _ := lease(t, b, widest, 1_000_000, 1_000_000)
	require.Equal(t, 1_000_000, granted)
	_, wait := lease(t, b, widest, 1_000_000, 1_000_000)
	require.InDelta(t, 1e9, wait.Seconds(), 60)
	client.do(t, "DEL", name(someone))
	fastest := access.Limit{Rate: 1_000_000, Burst: 1}
	granted, _ = lease(t, b, fastest, 1, 1)
	require.Equal(t, 1, granted)
}

func TestRedisHoldsNoNameAndNothingForEver(t *testing.T) {
	client := connect(t, redistest.Start(t))
	b := NewBuckets(client)
	account := uuid.New()
	keys := []access.LimitKey{{Kind: access.LimitOfPrincipal, ID: "jwt:alice@example.com"}, {Kind: access.LimitOfAccount, ID: account.String()}}
	for _, key := range keys {
		_, _, err := b.Lease(t.Context(), key, access.Limit{Rate: 10, Burst: 20}, 5, 1)
		require.NoError(t, err)
		left, err := client.do(t, "PTTL", name(key)).AsInt64()
		require.NoError(t, err)
		require.Positive(t, left)
		require.LessOrEqual(t, left, int64(1500), "5 tokens at 10 a second, and a second")
	}
	stored, err := client.do(t, "KEYS", "*").AsStrSlice()
	require.NoError(t, err)
	require.Len(t, stored, 2)
	for _, key := range stored {
		require.Regexp(t, `^access:limit:(principal|account):[0-9a-f]{32}$`, key)
	}
}

func TestAScriptThatRedisForgotIsLoadedAgain(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	b := NewBuckets(client)
	granted, _ := lease(t, b, slow, 4, 1)
	require.Equal(t, 4, granted)
	client.do(t, "SCRIPT", "FLUSH")
	granted, _ = lease(t, b, slow, 10, 1)
	require.Equal(t, 6, granted, "it runs once")

	server.Restart()
	require.Eventually(t, func() bool {
		granted, _, err := b.Lease(t.Context(), someone, slow, 10, 10)
		return err == nil && granted == 10
	}, eventually, tick)
}

func TestWhatRedisCannotDoIsAFault(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	b := NewBuckets(client)
	requireFault := func(b *Buckets) {
		t.Helper()
		_, _, err := b.Lease(t.Context(), someone, slow, 1, 1)
		require.True(t, fault.Is(err, ReasonUnavailable), "%v", err)
		require.Error(t, errors.Unwrap(err))
	}
	client.do(t, "SET", name(someone), "something else")
	requireFault(b)
	requireFault(NewBuckets(odd{}))
	server.Kill()
	requireFault(b)
}

// odd answers with a number too many.
type odd struct{}

func (odd) Script(context.Context, *rueidis.Lua, []string, []string) ([]int64, error) {
	return []int64{1, 2, 3}, nil
}

// A loaded machine may take longer than a call waits for Redis. Such a try says nothing, so it is made again.
func TestLimitersShareOneBucket(t *testing.T) {
	server := redistest.Start(t)
	limits := access.Limits{Principal: slow}
	one := access.NewLimiter(limits, NewBuckets(connect(t, server)), time.Now)
	two := access.NewLimiter(limits, NewBuckets(connect(t, server)), time.Now)
	try := 0
	require.Eventually(t, func() bool {
		try++
		failed := one.SharedErrors() + two.SharedErrors()
		let := 0
		for range slow.Burst {
			for _, l := range []*access.Limiter{one, two} {
				if l.Take(t.Context(), fmt.Sprintf("try:%d", try), uuid.Nil, 1) == nil {
					let++
				}
			}
		}
		if failed != one.SharedErrors()+two.SharedErrors() {
			return false
		}
		return let == slow.Burst
	}, eventually, tick)
}

func TestALimiterGoesOnWithoutRedisAndComesBack(t *testing.T) {
	for name, f := range map[string]struct{ breakIt, mend func(*redistest.Server) }{
		"killed": {func(s *redistest.Server) { s.Kill() }, func(s *redistest.Server) { s.Restart() }},
		"hung":   {func(s *redistest.Server) { s.Pause() }, func(s *redistest.Server) { s.Resume() }},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			client := connect(t, server)
			l := access.NewLimiter(access.Limits{Principal: slow}, NewBuckets(client), time.Now)
			try := 0
			shares := func() bool {
				try++
				principal := fmt.Sprintf("try:%d", try)
				if !assert.NoError(t, l.Take(t.Context(), principal, uuid.Nil, 1)) {
					return false
				}
				known, err := client.Do(t.Context(), client.B().Exists().Key(nameOf(principal)).Build()).AsBool()
				return err == nil && known
			}
			require.Eventually(t, shares, eventually, tick)

			f.breakIt(server)
			for range slow.Burst {
				require.NoError(t, l.Take(t.Context(), "alone", uuid.Nil, 1))
			}
			require.True(t, fault.Is(l.Take(t.Context(), "alone", uuid.Nil, 1), access.ReasonRateLimited))
			require.NotZero(t, l.SharedErrors())

			f.mend(server)
			require.Eventually(t, shares, eventually, tick)
		})
	}
}

func nameOf(principal string) string {
	return name(access.LimitKey{Kind: access.LimitOfPrincipal, ID: principal})
}
