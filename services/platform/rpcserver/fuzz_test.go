package rpcserver_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// FuzzBytesNeverCauseInternalErrors sends any bytes as any content type. Only
// the server can cause INTERNAL, UNKNOWN, DATA_LOSS or a panic; bytes cannot.
func FuzzBytesNeverCauseInternalErrors(f *testing.F) {
	types := []string{
		"application/json", "application/proto", "application/grpc", "application/grpc+json", "application/grpc-web+proto",
		"application/connect+proto", "application/connect+json",
	}
	seeds := [][]byte{
		nil, []byte("{}"), []byte(`{"to":1}`), []byte(`{"requests":[{"messageKind":[]}],"labels":{"a":null}}`),
		{0xff}, {0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f}, framed(0, nil), framed(1, zipped([]byte("{}"))), framed(2, []byte("{}")),
		framed(0x80, []byte("x")), {0, 0, 0, 0}, framed(0, []byte{0x0a, 1, 0xff}), framed(1, []byte{0x1f, 0x8b, 8, 0}),
		bytes.Repeat([]byte("["), 20_000), zipped([]byte(`{"to":"1"}`)), framed(0, []byte{0x1b, 0x1b, 0x1b}),
	}
	for i, s := range seeds {
		for k := range types {
			f.Add(uint8(k), i%2 == 0, s)
		}
	}
	r, reg := startCounting(f, &echo{}, nil)
	r.HTTP2.Timeout = 5 * time.Second // a hanging call is a failure
	f.Fuzz(func(t *testing.T, kind uint8, compressed bool, body []byte) {
		contentType := types[int(kind)%len(types)]
		path := check
		if int(kind)%len(types) >= 5 {
			path = collect
		}
		header := http.Header{}
		if compressed {
			header = http.Header{"Content-Encoding": {"gzip"}, "Grpc-Encoding": {"gzip"}, "Connect-Content-Encoding": {"gzip"}}
		}
		a := send(t, r.HTTP2, http.MethodPost, r.URL+path, contentType, header, bytes.NewReader(body))
		require.NotContains(t, []string{"internal", "unknown", "data_loss"}, a.code, a.text)
		if a.code != "" {
			require.NotEmpty(t, a.reason)
		}
		require.Zero(t, panics(t, reg))
	})
}

func panics(t *testing.T, g prometheus.Gatherer) float64 {
	return sample(t, g, "trunkline_rpc_panics_total", nil)
}
