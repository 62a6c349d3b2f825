package jwks

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"trunkline/services/access"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/fault"
)

// endpoint is an issuer behind TLS.
type endpoint struct {
	server  *httptest.Server
	answer  atomic.Pointer[http.HandlerFunc]
	fetched atomic.Int64
}

func newEndpoint(t *testing.T) *endpoint {
	e := &endpoint{}
	e.serve(http.StatusNotFound, nil)
	e.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.fetched.Add(1)
		(*e.answer.Load())(w, r)
	}))
	e.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(e.server.Close)
	return e
}

func (e *endpoint) serve(status int, body []byte) {
	e.serveBy(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}

func (e *endpoint) serveBy(answer http.HandlerFunc) { e.answer.Store(&answer) }

// config trusts the endpoint's certificate.
func (e *endpoint) config(t *testing.T) Config {
	cfg := ourConfig()
	cfg.JWKSURL = e.server.URL + "/keys"
	cfg.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.server.Certificate().Raw})
	require.NoError(t, os.WriteFile(cfg.CAFile, ca, 0o600))
	return cfg
}

// refreshNow is what Run does every five minutes.
func refreshNow(t *testing.T, v *Verifier) error {
	v.keys.mu.Lock()
	f := v.keys.join(t.Context())
	v.keys.mu.Unlock()
	<-f.done
	return f.err
}

// signingKey is one key of an issuer that rotates.
type signingKey struct {
	id      string
	private ed25519.PrivateKey
}

func newSigningKey(t *testing.T, n int) signingKey {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return signingKey{fmt.Sprint("key-", n), private}
}

func (k signingKey) listed() object { return listed(k.id, k.private.Public()) }

func (k signingKey) token(issuedAt time.Time, life time.Duration) string {
	return goodBy(k.id, k.private, object{"iat": issuedAt.Unix(), "exp": issuedAt.Add(life).Unix()})
}

// TestNoTokenIsRefusedWhileKeysRotate plays an issuer for two hours in steps of 30 s. It rotates every 20 minutes
// and takes the old key out at that very moment, although tokens live for 9 minutes. Half of the rotations publish
// the next key ahead, and the endpoint is down from before the rotation until 4 minutes after it. The others come without notice.
func TestNoTokenIsRefusedWhileKeysRotate(t *testing.T) {
	const (
		step, period, ahead, life = 30 * time.Second, 20 * time.Minute, 6 * time.Minute, 9 * time.Minute
		from, until               = -time.Minute, 4 * time.Minute // of an outage, by the rotation
	)
	e := newEndpoint(t)
	clk := clock.NewFake(noon)
	v, err := New(e.config(t), clk, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)

	type live struct {
		text string
		ends time.Time
	}
	var tokens []live
	current, next := newSigningKey(t, 0), newSigningKey(t, 1)
	e.serve(http.StatusOK, document(current.listed()))
	rotations, outages, verified := 0, 0, 0
	for now := noon; now.Before(noon.Add(2 * time.Hour)); now = clk.Advance(step) {
		sinceStart := now.Sub(noon)
		phase := sinceStart % period
		announced := (sinceStart+ahead)/period%2 == 1 // of the rotation that is near
		if phase == 0 && sinceStart > 0 {
			rotations++
			current, next = next, newSigningKey(t, rotations+1)
		}
		switch {
		case announced && sinceStart > ahead && (phase-period >= from || phase < until):
			outages++
			e.serve(http.StatusServiceUnavailable, nil)
		case announced && phase >= period-ahead:
			e.serve(http.StatusOK, document(current.listed(), next.listed()))
		default:
			e.serve(http.StatusOK, document(current.listed()))
		}
		if (sinceStart+refreshEvery/2)%refreshEvery == 0 { // never at a rotation
			_ = refreshNow(t, v)
		}
		tokens = append(tokens, live{current.token(now, life), now.Add(life)})
		for i := 0; i < len(tokens); i++ {
			if !now.Before(tokens[i].ends) {
				tokens = append(tokens[:i], tokens[i+1:]...)
				i--
				continue
			}
			_, err := v.Verify(t.Context(), tokens[i].text)
			require.NoError(t, err, "at %s", sinceStart)
			verified++
		}
	}
	require.Equal(t, 5, rotations)
	require.Greater(t, outages, 20)
	require.Greater(t, verified, 4000)
	t.Logf("%d verifications, %d rotations, %d fetches", verified, rotations, e.fetched.Load())
}

func TestAKeyIsAcceptedForTenMinutesAfterItWasTakenOut(t *testing.T) {
	e := newEndpoint(t)
	clk := clock.NewFake(noon)
	v, err := New(e.config(t), clk, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	a, b := newSigningKey(t, 1), newSigningKey(t, 2)
	e.serve(http.StatusOK, document(a.listed()))
	require.NoError(t, refreshNow(t, v))
	e.serve(http.StatusOK, document(b.listed()))
	require.NoError(t, refreshNow(t, v))
	e.serve(http.StatusServiceUnavailable, nil)
	require.ErrorContains(t, refreshNow(t, v), "status 503")

	clk.Advance(overlap - time.Nanosecond)
	old := a.token(noon, time.Hour)
	_, err = v.Verify(t.Context(), old)
	require.NoError(t, err)
	clk.Advance(time.Nanosecond)
	_, err = v.Verify(t.Context(), old)
	require.True(t, fault.Is(err, access.ReasonUncheckable), "%v: remembered or not, its key is gone, and whether it came back cannot be asked", err)
	e.serve(http.StatusOK, document(b.listed()))
	require.NoError(t, refreshNow(t, v))
	_, err = v.Verify(t.Context(), old)
	require.True(t, fault.Is(err, access.ReasonInvalid), "%v", err)
	_, err = v.Verify(t.Context(), b.token(noon, time.Hour))
	require.NoError(t, err)

	e.serve(http.StatusOK, document(a.listed(), b.listed()))
	require.NoError(t, refreshNow(t, v))
	_, err = v.Verify(t.Context(), old)
	require.NoError(t, err, "the issuer took it back in")
}

func TestTheLastGoodKeysStayWhileFetchingFails(t *testing.T) {
	e := newEndpoint(t)
	clk := clock.NewFake(noon)
	v, err := New(e.config(t), clk, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	a := newSigningKey(t, 1)
	e.serve(http.StatusOK, document(a.listed()))
	require.NoError(t, refreshNow(t, v))
	for _, body := range []string{"", "<html>", "{}", `{"keys":null}`, `{"keys":[]}`, `{"keys":{}}`, `{"keys":[{"kty":"FUTURE","kid":"x"}]}`, `{"keys":[1]}`} {
		e.serve(http.StatusOK, []byte(body))
		require.Error(t, refreshNow(t, v), body)
		clk.Advance(time.Hour)
		_, err = v.Verify(t.Context(), a.token(clk.Now(), time.Minute))
		require.NoError(t, err, body)
	}
	_, err = v.Verify(t.Context(), newSigningKey(t, 2).token(clk.Now(), time.Minute))
	f := fault.From(err)
	require.Equal(t, access.ReasonUncheckable, f.Reason, "nobody knows whether the key is good")
	require.Equal(t, fault.Unavailable, f.Kind)
	require.Positive(t, f.RetryAfter)
}

func TestAReplacedKeyEndsWhatItSignedAtOnce(t *testing.T) {
	clk := clock.NewFake(noon)
	s := &source{document: document(listed("ed", allKeys().ed.Public()))}
	v := newTestVerifier(t, ourConfig(), s, clk)
	_, err := v.Verify(t.Context(), good())
	require.NoError(t, err)
	s.set(document(listed("ed", allKeys().edOther.Public())), nil)
	require.NoError(t, refreshNow(t, v))
	_, err = v.Verify(t.Context(), good())
	require.True(t, fault.Is(err, access.ReasonInvalid), "%v", err)
}

func TestOneFetchServesEverybodyWhoComesWithANewKey(t *testing.T) {
	e := newEndpoint(t)
	clk := clock.NewFake(noon)
	v, err := New(e.config(t), clk, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	a, b := newSigningKey(t, 1), newSigningKey(t, 2)
	e.serve(http.StatusOK, document(a.listed()))
	require.NoError(t, refreshNow(t, v))

	e.serve(http.StatusOK, document(b.listed()))
	var group sync.WaitGroup
	failures := make(chan error, 100)
	for range cap(failures) {
		group.Go(func() {
			if _, err := v.Verify(t.Context(), b.token(noon, time.Hour)); err != nil {
				failures <- err
			}
		})
	}
	group.Wait()
	close(failures)
	require.NoError(t, <-failures)
	require.EqualValues(t, 2, e.fetched.Load())
}
