package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
)

const (
	// emptyPath comes before the procedure of the empty handler.
	emptyPath = "/empty"
	plainPath = "/plain"
	// compressFrom is the size from which the server under test compresses; the empty handler must not do more.
	compressFrom = 1024
)

// emptyHandlers are what the engine is compared with, on its own listener: the RPC library alone, which decodes
// the question and always gives the same answer, and net/http alone, which gives the same bytes. Neither meets an
// interceptor, a limit or a metric of the server.
type emptyHandlers struct {
	response atomic.Pointer[routingv1.SelectOperatorResponse]
	body     atomic.Pointer[[]byte]
	rpc      http.Handler
}

func newEmptyHandlers() *emptyHandlers {
	e := &emptyHandlers{}
	e.rpc = connect.NewUnaryHandlerSimple(emptyPath+routingv1connect.RoutingServiceSelectOperatorProcedure,
		func(context.Context, *routingv1.SelectOperatorRequest) (*routingv1.SelectOperatorResponse, error) {
			return e.response.Load(), nil
		},
		connect.WithCompressMinBytes(compressFrom))
	return e
}

// answer sets what is answered: an answer of the engine itself, so that both have the same size.
func (e *emptyHandlers) answer(res *routingv1.SelectOperatorResponse) error {
	body, err := protojson.Marshal(res)
	if err != nil {
		return err
	}
	e.response.Store(res)
	e.body.Store(&body)
	return nil
}

// before puts the handlers before the server's own.
func (e *emptyHandlers) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case emptyPath + routingv1connect.RoutingServiceSelectOperatorProcedure:
			e.rpc.ServeHTTP(w, r)
		case plainPath:
			e.plain(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (e *emptyHandlers) plain(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // what cannot be read shows as a failed call
	body := *e.body.Load()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the same
}

// callPlain posts a body and reads the answer.
func callPlain(ctx context.Context, client *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+plainPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return err
}
