package tlsfiles

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/certtest"
)

func build(m Material) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{m.Certificate}, RootCAs: m.Authorities}
}

// log is a target for several goroutines.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

func open(t *testing.T, logs *log) (*Source, certtest.Files, *certtest.Authority) {
	t.Helper()
	ca, files := certtest.NewAuthority(t), certtest.NewFiles(t)
	files.Write(t, ca.Issue(t, "1.test"), ca)
	s, err := Open(Files(files), build, slog.New(slog.NewJSONHandler(logs, nil)), nil)
	require.NoError(t, err)
	return s, files, ca
}

func name(cfg *tls.Config) string { return cfg.Certificates[0].Leaf.DNSNames[0] }

func TestWhoAsksForTheConfigurationLooksAtTheFilesAtMostOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logs log
		s, files, ca := open(t, &logs)
		first := s.Config()
		files.Write(t, ca.Issue(t, "2.test"), ca)
		require.Same(t, first, s.Config())
		time.Sleep(time.Second)
		require.Same(t, first, s.current.Load(), "nobody looked yet")
		require.Equal(t, "2.test", name(s.Config()))
		require.Equal(t, "2.test", name(s.current.Load()))
		require.Same(t, s.current.Load(), s.Config(), "the same files are the same configuration")
	})
}

func TestThePollFindsNewFilesWhileNobodyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logs log
		s, files, ca := open(t, &logs)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		files.Write(t, ca.Issue(t, "2.test"), ca)
		time.Sleep(pollInterval)
		synctest.Wait()
		require.Equal(t, "2.test", name(s.current.Load()))

		require.NoError(t, os.WriteFile(files.Key, []byte("half a rotation"), 0o600))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, "2.test", name(s.current.Load()))
		require.Equal(t, 1, logs.count("not usable"), "reported once")

		require.NoError(t, os.Remove(files.CA))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, "2.test", name(s.current.Load()))
		require.Equal(t, 2, logs.count("not usable"), "another failure is reported too")

		files.Write(t, ca.Issue(t, "3.test"), ca)
		time.Sleep(pollInterval)
		synctest.Wait()
		require.Equal(t, "3.test", name(s.current.Load()))
		stop()
		<-ended
	})
}

func TestBadFilesAreAnErrorAtFirst(t *testing.T) {
	ca := certtest.NewAuthority(t)
	good, other := ca.Issue(t, "a.test"), ca.Issue(t, "b.test")
	for _, c := range []struct {
		name   string
		pair   certtest.Pair
		change func(certtest.Files) error
		text   string
	}{
		{name: "a key of another certificate", pair: certtest.Pair{Cert: good.Cert, Key: other.Key}, text: "do not fit"},
		{name: "no certificate at all", pair: certtest.Pair{Cert: []byte("x"), Key: good.Key}, text: "do not fit"},
		{name: "an authority file without certificates", pair: good, text: "holds no PEM certificate",
			change: func(f certtest.Files) error { return os.WriteFile(f.CA, good.Key, 0o600) }},
		{name: "an authority file with a broken certificate", pair: good, text: "parse a certificate",
			change: func(f certtest.Files) error {
				return os.WriteFile(f.CA, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 0o600)
			}},
		{name: "a missing file", pair: good, text: "read a TLS file", change: func(f certtest.Files) error { return os.Remove(f.CA) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := certtest.NewFiles(t)
			files.Write(t, c.pair, ca)
			if c.change != nil {
				require.NoError(t, c.change(files))
			}
			_, err := Open(Files(files), build, slog.New(slog.DiscardHandler), nil)
			require.ErrorContains(t, err, c.text)
		})
	}
}

func TestExpiryShowsBothEndsAndIsSharedByTheSourcesOfAProcess(t *testing.T) {
	ca := certtest.NewAuthority(t)
	files := certtest.NewFiles(t)
	pair := ca.Issue(t, "a.test")
	files.Write(t, pair, ca)
	reg := prometheus.NewRegistry()
	for _, listener := range []string{"public", "internal"} {
		expiry, err := NewExpiry(reg, listener, "server", "client_ca")
		require.NoError(t, err)
		own := Files(files)
		if listener == "public" {
			own.CA = ""
		}
		_, err = Open(own, build, slog.New(slog.DiscardHandler), expiry)
		require.NoError(t, err)
		require.InDelta(t, pair.NotAfter(t).Unix(), testutil.ToFloat64(expiry.ends.WithLabelValues("server")), 0)
	}
	require.Equal(t, 3, testutil.CollectAndCount(reg, "trunkline_certificate_expiry_seconds"), "no series for authorities that are not there")
}
