package rpcserver

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// writePair writes a new self-signed certificate with the serial number.
func writePair(t *testing.T, cfg TLSConfig, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	raw, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cfg.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(cfg.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}), 0o600))
}

func newPair(t *testing.T, logs *bytes.Buffer) (*certificates, TLSConfig) {
	t.Helper()
	dir := t.TempDir()
	cfg := TLSConfig{CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key")}
	writePair(t, cfg, 1)
	c, err := newCertificates(cfg, slog.New(slog.NewJSONHandler(logs, nil)),
		prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "expiry"}, []string{"kind"}))
	require.NoError(t, err)
	return c, cfg
}

func serial(c *certificates) int64 {
	return c.current.Load().Certificates[0].Leaf.SerialNumber.Int64()
}

func TestAHandshakeLooksAtTheFilesAtMostOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logs bytes.Buffer
		c, cfg := newPair(t, &logs)
		handshake := func() int64 {
			got, err := c.serverConfig().GetConfigForClient(nil)
			require.NoError(t, err)
			return got.Certificates[0].Leaf.SerialNumber.Int64()
		}
		writePair(t, cfg, 2)
		require.EqualValues(t, 1, handshake())
		time.Sleep(time.Second)
		require.EqualValues(t, 2, handshake())
	})
}

func TestThePollFindsNewFilesWithoutHandshakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logs bytes.Buffer
		c, cfg := newPair(t, &logs)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); c.run(ctx) }()
		writePair(t, cfg, 2)
		time.Sleep(certificatePoll)
		synctest.Wait()
		require.EqualValues(t, 2, serial(c))

		require.NoError(t, os.WriteFile(cfg.KeyFile, []byte("half a rotation"), 0o600))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.EqualValues(t, 2, serial(c))
		require.Equal(t, 1, bytes.Count(logs.Bytes(), []byte("not usable")), "reported once")

		writePair(t, cfg, 3)
		time.Sleep(certificatePoll)
		synctest.Wait()
		require.EqualValues(t, 3, serial(c))
		stop()
		<-ended
	})
}
