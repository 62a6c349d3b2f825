package jwks

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"trunkline/services/access"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
)

var errDown = errors.New("the issuer is down")

func onlyED() []byte { return document(listed("ed", allKeys().ed.Public())) }

// unknown is signed with a key that onlyED does not list.
func unknown(id string) string { return goodBy(id, allKeys().edOther) }

func TestKeysAreFetchedAtOnceThenEveryFiveMinutesAndSoonerAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{document: onlyED()}
		v := newTestVerifier(t, ourConfig(), s, clock.System())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); v.Run(ctx) }()
		synctest.Wait()
		require.Equal(t, 1, s.count())
		time.Sleep(refreshEvery - time.Nanosecond)
		synctest.Wait()
		require.Equal(t, 1, s.count())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, 2, s.count())

		s.set(nil, errDown)
		time.Sleep(refreshEvery)
		synctest.Wait()
		require.Equal(t, 3, s.count())
		time.Sleep(minRetry)
		synctest.Wait()
		require.Equal(t, 4, s.count(), "the first retry comes within a second")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		retries := s.count() - 4
		require.GreaterOrEqual(t, retries, 10, "at least one a minute")
		require.LessOrEqual(t, retries, 30, "at most two a minute once the pause is full")

		s.set(onlyED(), nil)
		time.Sleep(maxRetry)
		synctest.Wait()
		require.NoError(t, v.Check(ctx))
		healthy := s.count()
		time.Sleep(refreshEvery - maxRetry)
		synctest.Wait()
		require.Equal(t, healthy, s.count(), "back to the usual pace")
		cancel()
		<-done
	})
}

func TestTheEndOfTheProcessEndsAFetchQuietly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{gate: make(chan struct{}), entered: make(chan struct{}, 1)}
		var out bytes.Buffer
		v, err := newVerifier(ourConfig(), s.fetch, clock.System(), prometheus.NewRegistry(), slog.New(slog.NewTextHandler(&out, nil)))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); v.Run(ctx) }()
		<-s.entered
		cancel()
		<-done
		require.Empty(t, out.String())
	})
}

func TestAnUnknownKeyCausesOneFetchInThirtySeconds(t *testing.T) {
	clk := clock.NewFake(noon)
	s := &source{document: onlyED()}
	v := newTestVerifier(t, ourConfig(), s, clk)
	require.NoError(t, refreshNow(t, v))
	for i, c := range []struct {
		after   time.Duration
		fetches int
	}{{0, 2}, {0, 2}, {askEvery - time.Nanosecond, 2}, {time.Nanosecond, 3}, {0, 3}, {askEvery, 4}} {
		clk.Advance(c.after)
		_, err := v.Verify(t.Context(), unknown("made-up-"+strings.Repeat("x", i)))
		require.True(t, fault.Is(err, access.ReasonInvalid), "%v", err)
		require.Equal(t, c.fetches, s.count(), "step %d", i)
	}
	_, err := v.Verify(t.Context(), good())
	require.NoError(t, err)
	require.Equal(t, 4, s.count(), "known keys cause none")
}

func TestWhoComesDuringAFetchWaitsForItAndOthersDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{document: onlyED()}
		v := newTestVerifier(t, ourConfig(), s, clock.System())
		require.NoError(t, refreshNow(t, v))
		s.gate, s.entered = make(chan struct{}), make(chan struct{}, 1)
		results := make(chan error, 10)
		verify := func(ctx context.Context, token string) {
			go func() {
				_, err := v.Verify(ctx, token)
				results <- err
			}()
		}
		fresh := goodIn(t, "new")
		for range 4 {
			verify(t.Context(), fresh)
		}
		verify(t.Context(), goodIn(t, "other"))
		synctest.Wait()
		require.Empty(t, results)
		_, err := v.Verify(t.Context(), goodIn(t, "ed"))
		require.NoError(t, err, "known keys do not wait")

		impatient, cancel := context.WithCancel(t.Context())
		verify(impatient, fresh)
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-results, context.Canceled)

		s.set(document(listed("ed", allKeys().ed.Public()), listed("new", allKeys().ed.Public())), nil)
		close(s.gate)
		refused := 0
		for range 5 {
			if err := <-results; err != nil {
				require.True(t, fault.Is(err, access.ReasonInvalid), "%v", err)
				refused++
			}
		}
		require.Equal(t, 1, refused)
		require.Equal(t, 2, s.count())

		s.gate = make(chan struct{}) // a fetch would hang now
		_, err = v.Verify(t.Context(), goodIn(t, "yet-another"))
		require.True(t, fault.Is(err, access.ReasonInvalid), "%v: it is too early for a fetch", err)
		require.Equal(t, 2, s.count())
	})
}

func TestAFetchOutlivesTheCallThatCausedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{document: onlyED(), gate: make(chan struct{}), entered: make(chan struct{}, 1)}
		v := newTestVerifier(t, ourConfig(), s, clock.System())
		ctx, cancel := context.WithCancel(t.Context())
		first, second := make(chan error), make(chan error)
		go func() {
			_, err := v.Verify(ctx, goodIn(t, "ed"))
			first <- err
		}()
		<-s.entered
		go func() {
			_, err := v.Verify(t.Context(), goodIn(t, "ed"))
			second <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-first, context.Canceled)
		synctest.Wait()
		close(s.gate)
		require.NoError(t, <-second)
		require.Equal(t, 1, s.count())
	})
}

// goodIn is good by the bubble's clock. All ids stand for the same key.
func goodIn(t *testing.T, id string) string {
	t.Helper()
	return goodBy(id, allKeys().ed, object{"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()})
}

func TestAFetchThatBeganBeforeTheKeyWasPublishedIsFollowedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, release := make(chan struct{}), make(chan struct{})
		fetches := 0
		v, err := newVerifier(ourConfig(), func(context.Context) ([]byte, error) {
			if fetches++; fetches > 1 {
				return document(listed("new", allKeys().ed.Public())), nil
			}
			close(began)
			<-release
			return onlyED(), nil
		}, clock.System(), prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		go v.Run(ctx)
		<-began
		result := make(chan error)
		go func() {
			_, err := v.Verify(ctx, goodIn(t, "new"))
			result <- err
		}()
		synctest.Wait()
		close(release)
		require.NoError(t, <-result)
		cancel()
	})
}

func TestAFetchThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{gate: make(chan struct{}), entered: make(chan struct{}, 1)}
		v := newTestVerifier(t, ourConfig(), s, clock.System())
		began := time.Now()
		_, err := v.Verify(t.Context(), goodIn(t, "ed"))
		require.True(t, fault.Is(err, access.ReasonUncheckable), "%v", err)
		require.Equal(t, fetchTimeout, time.Since(began))
	})
}

func TestTooManyDoNotWait(t *testing.T) {
	s := &source{document: onlyED()}
	v := newTestVerifier(t, ourConfig(), s, clock.NewFake(noon))
	v.keys.waiting.Store(maxWaiting)
	_, err := v.Verify(t.Context(), good())
	require.True(t, fault.Is(err, access.ReasonUncheckable), "%v", err)
	require.EqualValues(t, maxWaiting, v.keys.waiting.Load())
	require.NoError(t, refreshNow(t, v))
}

func TestWithoutRunTheFirstTokenFetchesTheKeys(t *testing.T) {
	clk := clock.NewFake(noon)
	s := &source{err: errDown}
	v := newTestVerifier(t, ourConfig(), s, clk)
	_, err := v.Verify(t.Context(), good())
	require.True(t, fault.Is(err, access.ReasonUncheckable), "%v: keys that were never fetched refuse nobody for good", err)
	s.set(onlyED(), nil)
	clk.Advance(askEvery)
	_, err = v.Verify(t.Context(), good())
	require.NoError(t, err)
}

func TestWhatIsMeasuredAndChecked(t *testing.T) {
	clk := clock.NewFake(noon)
	s := &source{err: errDown}
	reg := prometheus.NewPedanticRegistry()
	var out bytes.Buffer
	v, err := newVerifier(ourConfig(), s.fetch, clk, reg, slog.New(slog.NewTextHandler(&out, nil)))
	require.NoError(t, err)
	expect := func(ok, failed, keys, age string) {
		t.Helper()
		require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP trunkline_jwks_age_seconds Time since the keys were last fetched with success; since the start while they never were.
# TYPE trunkline_jwks_age_seconds gauge
trunkline_jwks_age_seconds `+age+`
# HELP trunkline_jwks_keys Keys that the issuer of tokens listed last and that may sign tokens.
# TYPE trunkline_jwks_keys gauge
trunkline_jwks_keys `+keys+`
# HELP trunkline_jwks_refresh_total Fetches of the keys that tokens are verified with, by result: ok or error.
# TYPE trunkline_jwks_refresh_total counter
trunkline_jwks_refresh_total{result="error"} `+failed+`
trunkline_jwks_refresh_total{result="ok"} `+ok+`
`)))
	}
	require.ErrorContains(t, v.Check(t.Context()), "were not fetched yet")
	clk.Advance(3 * time.Second)
	expect("0", "0", "0", "3")
	require.ErrorIs(t, refreshNow(t, v), errDown)
	require.ErrorIs(t, refreshNow(t, v), errDown)
	require.True(t, fault.Is(v.Check(t.Context()), ReasonUnavailable))
	require.ErrorIs(t, v.Check(t.Context()), errDown)
	expect("0", "2", "0", "3")

	s.set(wholeDocument(), nil)
	require.NoError(t, refreshNow(t, v))
	require.NoError(t, v.Check(t.Context()))
	clk.Advance(time.Minute)
	expect("1", "2", "3", "60")
	s.set(onlyED(), nil)
	require.NoError(t, refreshNow(t, v))
	require.NoError(t, refreshNow(t, v))
	expect("3", "2", "1", "0")

	require.Equal(t, 1, strings.Count(out.String(), "level=WARN"), "the first failure of a row: %s", out.String())
	require.Equal(t, 2, strings.Count(out.String(), "level=INFO"), "changes of keys only: %s", out.String())

	_, err = newVerifier(ourConfig(), s.fetch, clk, reg, slog.New(slog.DiscardHandler))
	require.Error(t, err, "names are registered once")
}
