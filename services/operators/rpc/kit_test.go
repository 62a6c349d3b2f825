package rpc_test

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/gen/go/trunkline/releases/v1/releasesv1connect"
	"trunkline/migrations"
	"trunkline/services/operators"
	"trunkline/services/operators/bus"
	"trunkline/services/operators/credentials"
	"trunkline/services/operators/database"
	"trunkline/services/operators/releases"
	"trunkline/services/operators/rpc"
	"trunkline/services/operators/xlsx"
	"trunkline/services/platform/bunstore"
	"trunkline/services/platform/bunstore/bunstoretest"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/config"
	"trunkline/services/platform/money"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/rpcserver/rpcservertest"
	"trunkline/services/platform/secrets"
)

// counted remembers how often each result was counted.
type counted struct {
	mu      sync.Mutex
	created []error
}

func (c *counted) OperatorCreated(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.created = append(c.created, err)
}
func (*counted) OperatorUpdated(error) {}
func (*counted) OperatorDeleted(error) {}
func (*counted) RuleCreated(error)     {}
func (*counted) CredentialsRead(error) {}

type asleep struct{}

func (asleep) Wake() {}

// held opens no workbook before it is let go; it holds an import in the middle.
type held struct {
	running, gate chan struct{}
}

func (h held) Open(ctx context.Context, file []byte, sheet string) (operators.RowReader, error) {
	h.running <- struct{}{}
	<-h.gate
	return xlsx.Workbooks{}.Open(ctx, file, sheet)
}

// board holds what neighbours said.
type board struct {
	mu   sync.Mutex
	word operators.Word
	err  error
}

func (b *board) Standing(context.Context, uuid.UUID) (operators.Word, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.word, b.err
}

func (b *board) Heard(uuid.UUID) operators.Word {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.word
}

func (b *board) say(word operators.Word, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.word, b.err = word, err
}

// served is the whole control plane behind one server, on SQLite and a keyring.
type served struct {
	store     *database.Store
	health    *database.Health
	board     board
	counted   *counted
	held      held
	operators operatorsv1connect.OperatorServiceClient
	rules     operatorsv1connect.RoutingRuleServiceClient
	rates     operatorsv1connect.RateServiceClient
	outbox    operatorsv1connect.OutboxServiceClient
	releases  releasesv1connect.ReleaseServiceClient
	sampler   *sampler
	published *published
	now       *clock.Fake
	// internal is called as by a handler of a listener that let the caller in.
	internal *rpc.Internal
	url      string
	progress int // steps before the last result
}

func serve(t *testing.T) *served {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	cfg := bunstore.DefaultConfig()
	cfg.URL = config.NewSecret(bunstoretest.SQLite(t, migrations.SQLite))
	db, err := bunstore.Open(t.Context(), cfg, log)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	keyring, err := secrets.OpenKeyring(secrets.KeyringConfig{File: filepath.Join(t.TempDir(), "secrets")}, nil, clock.System())
	require.NoError(t, err)
	t.Cleanup(func() { _ = keyring.Close() })

	reader := bunstore.NewReader(db)
	s := &served{
		store: database.New(db, reader, bus.Encode), health: database.NewHealth(db, reader), counted: &counted{},
		held: held{running: make(chan struct{}), gate: make(chan struct{})},
	}
	now := clock.System().Now
	admin := operators.NewAdmin(s.store, credentials.New(keyring, noop.NewTracerProvider().Tracer("")), asleep{}, now, log)
	importer := operators.NewImporter(s.store, asleep{}, now, log, money.Money{})
	one := new(rpc.OneImport)
	relay := operators.NewRelay(database.NewOutbox(db), nil, now, log)
	ops := rpc.NewOperators(admin, s.health, &s.board, importer, one, clock.System(), s.counted)
	ruleAdmin := operators.NewRuleAdmin(s.store, asleep{}, now, money.Money{})
	rules := rpc.NewRules(ruleAdmin, importer, one, s.counted)
	rates := rpc.NewRates(s.store, ruleAdmin, operators.NewRateImporter(s.store, s.held, asleep{}, now, log), one)
	outbox := rpc.NewOutbox(relay)
	s.sampler, s.published, s.now = &sampler{}, &published{}, clock.NewFake(time.Now())
	teller := &teller{}
	releaseAdmin := operators.NewReleaseAdmin(s.store, releases.NewDraft, teller, operators.ReleasePolicy{Signs: true}, s.now.Now, log)
	publications := rpc.NewReleases(releaseAdmin, releases.NewLibrary(s.store), s.sampler, s.sampler, s.sampler, s.published)
	s.internal = rpc.NewInternal(admin, s.health, s.store, clock.System(), s.counted)
	running := rpcservertest.Start(t, func(_ *rpcserver.Config, o *rpcserver.Options) {
		o.Limits = map[string]rpcserver.Limits{}
		for _, procedure := range rpc.ImportProcedures() {
			o.Limits[procedure] = rpcserver.Limits{MaxBytes: rpc.ImportBytes}
		}
	},
		rpcserver.Mount{Name: releasesv1connect.ReleaseServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return releasesv1connect.NewReleaseServiceHandler(publications, opts...)
		}},
		rpcserver.Mount{Name: operatorsv1connect.OperatorServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewOperatorServiceHandler(ops, opts...)
		}},
		rpcserver.Mount{Name: operatorsv1connect.RoutingRuleServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewRoutingRuleServiceHandler(rules, opts...)
		}},
		rpcserver.Mount{Name: operatorsv1connect.RateServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewRateServiceHandler(rates, opts...)
		}},
		rpcserver.Mount{Name: operatorsv1connect.OutboxServiceName, Handler: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return operatorsv1connect.NewOutboxServiceHandler(outbox, opts...)
		}})
	s.url = running.URL
	s.operators = operatorsv1connect.NewOperatorServiceClient(running.HTTP2, running.URL, connect.WithGRPC())
	s.rules = operatorsv1connect.NewRoutingRuleServiceClient(running.HTTP1, running.URL)
	s.rates = operatorsv1connect.NewRateServiceClient(running.HTTP2, running.URL, connect.WithGRPCWeb())
	s.releases = releasesv1connect.NewReleaseServiceClient(running.HTTP2, running.URL, connect.WithGRPC())
	s.outbox = operatorsv1connect.NewOutboxServiceClient(running.HTTP1, running.URL, connect.WithProtoJSON())
	return s
}

// details gives code and reason of an error, and whatever of the wanted detail it carries.
func details(t *testing.T, err error, into proto.Message) string {
	t.Helper()
	var failure *connect.Error
	require.ErrorAs(t, err, &failure)
	text := failure.Code().String()
	for _, detail := range failure.Details() {
		value, err := detail.Value()
		require.NoError(t, err)
		if info, ok := value.(*errdetails.ErrorInfo); ok {
			text += " " + info.GetReason()
		}
		if into != nil && value.ProtoReflect().Descriptor() == into.ProtoReflect().Descriptor() {
			proto.Merge(into, value)
		}
	}
	return text
}

func reason(t *testing.T, err error) string {
	t.Helper()
	return details(t, err, nil)
}

func alpha() *operatorsv1.Operator {
	return &operatorsv1.Operator{Name: "Alpha", Host: "a.example", Port: 2775, SystemId: "sys", TpsLimit: &operatorsv1.TpsLimit{MaxTps: 100}}
}

func (s *served) create(t *testing.T, o *operatorsv1.Operator) *operatorsv1.Operator {
	t.Helper()
	res, err := s.operators.CreateOperator(t.Context(), &operatorsv1.CreateOperatorRequest{Operator: o, Password: "secret"})
	require.NoError(t, err)
	return res.GetOperator()
}

func (s *served) named(t *testing.T, name string) *operatorsv1.Operator {
	t.Helper()
	o := alpha()
	o.Name, o.SystemId = name, name
	return s.create(t, o)
}

// last reads a stream to its end and gives its last message; before gives how many came before it.
func last[T any](t *testing.T, stream *connect.ServerStreamForClient[T], err error) (message *T, before int) {
	t.Helper()
	require.NoError(t, err)
	for stream.Receive() {
		message = stream.Msg()
		before++
	}
	require.NoError(t, stream.Err())
	require.NoError(t, stream.Close())
	require.NotNil(t, message)
	return message, before - 1
}

func mustID(t *testing.T, text string) uuid.UUID {
	t.Helper()
	id, err := uuid.Parse(text)
	require.NoError(t, err)
	return id
}

func newID(t *testing.T) uuid.UUID {
	t.Helper()
	id, err := uuid.NewV7()
	require.NoError(t, err)
	return id
}
