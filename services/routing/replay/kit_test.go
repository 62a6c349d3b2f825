package replay_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/clock"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
	"trunkline/services/routing/releases"
	"trunkline/services/routing/replay"
)

var (
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	eur  = money.Currency{'E', 'U', 'R'}
	usd  = money.Currency{'U', 'S', 'D'}
)

const (
	byPriority = routingv1.RoutingStrategy_ROUTING_STRATEGY_PRIORITY
	byWeight   = routingv1.RoutingStrategy_ROUTING_STRATEGY_WEIGHTED
)

func id(n int) (u uuid.UUID) {
	u[14], u[15] = byte(n>>8), byte(n)
	return u
}

// source is a compiled release in memory.
type source struct {
	id     uuid.UUID
	sealed release.Sealed
	data   []byte
	open   int
}

func (s *source) ID() uuid.UUID { return s.id }

func (s *source) Open(context.Context) (*release.Reader, io.Closer, error) {
	s.open++
	r, err := release.NewReader(bytes.NewReader(s.data), s.sealed.Digest, s.sealed.Size)
	return r, closer{s}, err
}

type closer struct{ *source }

func (c closer) Close() error {
	c.open--
	return nil
}

func compile(t testing.TB, n int, c release.Content) *source {
	t.Helper()
	var out bytes.Buffer
	sealed, err := release.Compile(&out, &c)
	require.NoError(t, err)
	return &source{id: id(n), sealed: sealed, data: out.Bytes()}
}

// log is a log of decisions in memory; pages are small.
type log struct {
	all  []routing.Sample
	err  error
	last routing.SampleFilter
}

func (l *log) Samples(_ context.Context, f routing.SampleFilter, give func([]routing.Sample) error) error {
	l.last = f
	page := make([]routing.Sample, 7)
	for left := l.all[:min(len(l.all), f.Limit)]; len(left) > 0; {
		n := copy(page, left)
		if err := give(page[:n]); err != nil {
			return err
		}
		left = left[n:]
	}
	return l.err
}

func quiet(int64, int64) {}

func run(t testing.TB, l *log, req *releasesv1.ReplayReleaseRequest, base, draft release.Source) *releasesv1.ReplayReport {
	t.Helper()
	report, err := replay.New(l, releases.Load, clock.NewFake(noon)).Replay(t.Context(), req, base, draft, quiet)
	require.NoError(t, err)
	return report
}

func file(text string, down ...int) *releasesv1.ReplayReleaseRequest {
	req := &releasesv1.ReplayReleaseRequest{Sample: &releasesv1.ReplayReleaseRequest_Csv{Csv: []byte(text)}}
	for _, n := range down {
		req.DownOperatorIds = append(req.DownOperatorIds, id(n).String())
	}
	return req
}

func logged(limit int32) *releasesv1.ReplayReleaseRequest {
	return &releasesv1.ReplayReleaseRequest{Sample: &releasesv1.ReplayReleaseRequest_Decisions{Decisions: &releasesv1.DecisionSample{Limit: limit}}}
}

func operator(n int, name string) release.Operator {
	return release.Operator{ID: id(n), Name: name, Host: "smsc.example.net", Port: 2775, MaxTPS: 100, Types: release.AllTypes, Status: release.Active}
}

func rule(n int, prefix e164.Prefix, candidates ...release.Candidate) release.Rule {
	return release.Rule{ID: id(n), Prefix: prefix, Types: release.AllTypes, Strategy: byPriority, Candidates: candidates}
}

func candidate(n int, nanos int64) release.Candidate {
	return release.Candidate{Operator: id(n), Priority: 1, Weight: 100, Price: money.Money{Nanos: nanos, Currency: eur}}
}

func at(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }
