package secrets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/secret"
)

// script plays Vault's token API in the time of a synctest bubble. The real server has no clock that could be moved.
type script struct {
	mu        sync.Mutex
	start     time.Time
	life      time.Duration // of a new token
	renewable bool
	longest   time.Duration // 0: none
	down      bool
	silent    bool // never answers
	refuse    bool // answers 403 to everything

	made  time.Time
	ends  time.Time
	calls []string // "name at"
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.silent {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	s.calls = append(s.calls, fmt.Sprintf("%s %v", name, now.Sub(s.start).Round(time.Second)))
	if s.down {
		return nil, errors.New("connection refused")
	}
	status, body := http.StatusOK, ""
	granted := func() string {
		return fmt.Sprintf(`{"auth":{"client_token":"t","lease_duration":%d,"renewable":%v}}`, int(s.ends.Sub(now).Seconds()), s.renewable)
	}
	switch {
	case s.refuse:
		status = http.StatusForbidden
	case name == "login":
		s.made, s.ends = now, now.Add(s.life)
		body = granted()
	case !now.Before(s.ends):
		status = http.StatusForbidden
	case name == "renew-self":
		s.ends = now.Add(s.life)
		if last := s.made.Add(s.longest); s.longest > 0 && s.ends.After(last) {
			s.ends = last
		}
		body = granted()
	case name == "lookup-self":
		body = fmt.Sprintf(`{"data":{"ttl":%d,"expire_time":"x","renewable":%v}}`, int(s.ends.Sub(now).Seconds()), s.renewable)
		body = strings.Replace(body, `"x"`, s.ends.UTC().Format(`"2006-01-02T15:04:05Z"`), 1)
	}
	return &http.Response{
		StatusCode: status, Request: r, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func (s *script) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

func (s *script) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// bubble runs a Vault against the script.
func bubble(t *testing.T, method string, s *script, check func(t *testing.T, v *Vault, log *journal)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.start = time.Now()
		cfg := DefaultVaultConfig()
		cfg.Address = "http://127.0.0.1:1"
		cfg.Auth.Method, cfg.Auth.Token, cfg.Auth.RoleID, cfg.Auth.SecretID = method, secret.New("t"), "r", secret.New("s")
		var log journal
		v, err := OpenVault(cfg, nil, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		require.NoError(t, err)
		v.http.Transport = s
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			v.Run(ctx)
		}()
		check(t, v, &log)
		cancel()
		<-done
	})
}

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestTheTokenIsRenewedAtHalfOfItsLife(t *testing.T) {
	s := &script{life: time.Hour, renewable: true}
	bubble(t, AuthAppRole, s, func(t *testing.T, _ *Vault, _ *journal) {
		wait(95 * time.Minute)
		require.Equal(t, []string{"login 0s", "renew-self 30m0s", "renew-self 1h0m0s", "renew-self 1h30m0s"}, s.took())
	})
}

func TestATokenThatCannotBeRenewedIsReplacedAtHalfOfItsLife(t *testing.T) {
	s := &script{life: time.Hour}
	bubble(t, AuthAppRole, s, func(t *testing.T, _ *Vault, _ *journal) {
		wait(65 * time.Minute)
		require.Equal(t, []string{"login 0s", "login 30m0s", "login 1h0m0s"}, s.took())
	})
}

func TestATokenNearItsLongestLifeIsReplaced(t *testing.T) {
	s := &script{life: time.Hour, renewable: true, longest: 100 * time.Minute}
	bubble(t, AuthAppRole, s, func(t *testing.T, _ *Vault, _ *journal) {
		wait(94 * time.Minute)
		// At 60 min 40 are left to give, which is more than half of an hour; at 80 min there are 20.
		require.Equal(t, []string{"login 0s", "renew-self 30m0s", "renew-self 1h0m0s", "renew-self 1h20m0s", "login 1h20m0s"}, s.took())
	})
}

func TestATokenOfTheSettingsIsRenewedAsLongAsItCanBe(t *testing.T) {
	s := &script{life: time.Hour, renewable: true, longest: 100 * time.Minute}
	s.made = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when a bubble begins
	s.ends = s.made.Add(s.life)
	bubble(t, AuthToken, s, func(t *testing.T, _ *Vault, log *journal) {
		wait(91 * time.Minute)
		require.Equal(t, []string{
			"lookup-self 0s", "renew-self 30m0s", "renew-self 1h0m0s", "renew-self 1h20m0s", "renew-self 1h30m0s",
		}, s.took())
		require.NotContains(t, log.String(), "WARN")
		wait(10 * time.Minute)
		require.Equal(t, 1, strings.Count(log.String(), "WARN"), "the token has ended")
	})
}

func TestATokenOfTheSettingsThatCannotBeRenewedIsLeftAloneUntilItsEnd(t *testing.T) {
	s := &script{life: time.Hour}
	s.ends = time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)
	bubble(t, AuthToken, s, func(t *testing.T, _ *Vault, log *journal) {
		wait(59 * time.Minute)
		require.Equal(t, []string{"lookup-self 0s"}, s.took())
		wait(2 * time.Minute)
		require.Contains(t, s.took(), "lookup-self 1h0m0s")
		require.Equal(t, 1, strings.Count(log.String(), "WARN"))
	})
}

func TestARefusedRenewalLeadsToALogIn(t *testing.T) {
	s := &script{life: time.Hour, renewable: true}
	bubble(t, AuthAppRole, s, func(t *testing.T, _ *Vault, _ *journal) {
		wait(time.Minute)
		s.set(func() { s.ends = time.Now() }) // revoked
		wait(30 * time.Minute)
		require.Equal(t, []string{"login 0s", "renew-self 30m0s", "login 30m0s"}, s.took())
	})
}

func TestAnOutageIsRetriedWithGrowingPausesAndToldOnce(t *testing.T) {
	s := &script{life: time.Hour, renewable: true, down: true}
	bubble(t, AuthAppRole, s, func(t *testing.T, _ *Vault, log *journal) {
		wait(10 * time.Minute)
		attempts := len(s.took())
		require.Greater(t, attempts, 10*60/30, "at least one in 30 s")
		require.Less(t, attempts, 60, "30 s apart in the end, less the jitter")
		require.Equal(t, 1, strings.Count(log.String(), "WARN"))
		s.set(func() { s.down = false })
		wait(time.Minute)
		require.Len(t, s.took(), 1)
		require.Contains(t, log.String(), "logged in to Vault")

		// The same while a token is there.
		s.set(func() { s.down = true })
		wait(time.Hour)
		require.Equal(t, 2, strings.Count(log.String(), "WARN"))
		s.set(func() { s.down = false })
		wait(time.Minute)
		require.Equal(t, 2, strings.Count(log.String(), "logged in to Vault"))
		s.took()
		wait(28 * time.Minute)
		require.Empty(t, s.took(), "the new token is at most 29 minutes old")
	})
}

func TestALogInByACallSetsTheClockOfRun(t *testing.T) {
	s := &script{life: time.Hour, renewable: true}
	bubble(t, AuthAppRole, s, func(t *testing.T, v *Vault, _ *journal) {
		wait(20 * time.Minute)
		s.set(func() { s.ends = time.Now() }) // revoked
		_, err := v.Get(t.Context(), "a", 1)
		require.Error(t, err) // the script keeps no secrets
		s.took()
		wait(29 * time.Minute)
		require.Empty(t, s.took(), "the token is 29 minutes old")
		wait(2 * time.Minute)
		require.Equal(t, []string{"renew-self 50m0s"}, s.took())
	})
}

func TestCallersThatWaitForOneLogInEndAtTheirTimeout(t *testing.T) {
	s := &script{silent: true}
	bubble(t, AuthAppRole, s, func(t *testing.T, v *Vault, _ *journal) {
		begin := time.Now()
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				_, err := v.Get(t.Context(), "a", 1)
				assert.ErrorIs(t, err, ErrUnavailable)
			})
		}
		callers.Wait()
		require.Equal(t, v.cfg.Timeout, time.Since(begin))
	})
}

func TestPausesGrowToALimit(t *testing.T) {
	for failures := 1; failures < 100; failures++ {
		p := pause(failures)
		require.LessOrEqual(t, p, maxRetry)
		require.GreaterOrEqual(t, p, min(minRetry<<min(failures-1, 10), maxRetry)/2)
	}
}
