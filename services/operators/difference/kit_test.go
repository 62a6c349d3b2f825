package difference_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators/difference"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/money"
	"trunkline/services/platform/release"
)

const (
	isAdded   = releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_ADDED
	isRemoved = releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_REMOVED
	isChanged = releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_CHANGED
	sms       = routingv1.MessageType_MESSAGE_TYPE_SMS
	byCost    = routingv1.RoutingStrategy_ROUTING_STRATEGY_COST
)

var (
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	eur  = money.Currency{'E', 'U', 'R'}
	usd  = money.Currency{'U', 'S', 'D'}
)

func id(n byte) (u uuid.UUID) {
	u[15] = n
	return u
}

// source is a compiled release in memory.
type source struct {
	id     uuid.UUID
	sealed release.Sealed
	data   []byte
	closed int
}

func (s *source) ID() uuid.UUID { return s.id }

func (s *source) Open(context.Context) (*release.Reader, io.Closer, error) {
	r, err := release.NewReader(bytes.NewReader(s.data), s.sealed.Digest, s.sealed.Size)
	return r, closer{s}, err
}

type closer struct{ *source }

func (c closer) Close() error {
	c.closed++
	return nil
}

func compile(t testing.TB, c release.Content) *source {
	t.Helper()
	var out bytes.Buffer
	sealed, err := release.Compile(&out, &c)
	require.NoError(t, err)
	return &source{id: uuid.NewSHA1(uuid.Nil, []byte(sealed.Digest)), sealed: sealed, data: out.Bytes()}
}

func diff(t testing.TB, base, draft release.Source, most int) (*releasesv1.ReleaseDiffSummary, []*releasesv1.ReleaseChange) {
	t.Helper()
	var summary *releasesv1.ReleaseDiffSummary
	var all []*releasesv1.ReleaseChange
	require.NoError(t, difference.New(func() time.Time { return noon }).Diff(t.Context(), base, draft, most, func(r *releasesv1.DiffReleaseResponse) error {
		if s := r.GetSummary(); s != nil {
			require.Nil(t, summary)
			summary = s
		} else {
			require.NotNil(t, summary, "the sums come first")
			require.LessOrEqual(t, len(r.GetChanges().GetChanges()), 500)
			all = append(all, r.GetChanges().GetChanges()...)
		}
		return nil
	}))
	return summary, all
}

func operator(n byte, name string) release.Operator {
	return release.Operator{ID: id(n), Name: name, Host: "smsc.example.net", Port: 2775, SystemID: "us", MaxTPS: 100, Types: release.AllTypes, Status: release.Active}
}

func rule(n byte, prefix e164.Prefix, candidates ...release.Candidate) release.Rule {
	return release.Rule{ID: id(n), Prefix: prefix, Types: release.AllTypes, Strategy: byCost, Candidates: candidates}
}

func candidate(n byte) release.Candidate {
	return release.Candidate{Operator: id(n), Priority: 1, Weight: 100}
}

func rate(n byte, prefix e164.Prefix, nanos int64) release.Rate {
	return release.Rate{ID: id(n), Operator: id(1), Prefix: prefix, Type: sms, Price: money.Money{Nanos: nanos, Currency: eur}}
}

// world is what most cases begin with.
func world() release.Content {
	return release.Content{
		Operators: []release.Operator{operator(1, "Alpha"), operator(2, "Beta")},
		FX:        []release.FXRate{{Currency: usd, Nanos: 920_000_000}},
		Rules:     []release.Rule{rule(10, "44", candidate(1)), rule(11, "49", candidate(1), candidate(2))},
		Rates:     []release.Rate{rate(20, "44", 10_000_000), rate(21, "49", 20_000_000)},
	}
}

type failing struct{ err error }

func (failing) ID() uuid.UUID { return id(1) }

func (f failing) Open(context.Context) (*release.Reader, io.Closer, error) { return nil, nil, f.err }
