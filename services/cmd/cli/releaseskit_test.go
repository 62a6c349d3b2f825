package cli_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/gen/go/trunkline/releases/v1/releasesv1connect"
)

const (
	releaseOne   = "01a20000-0000-7000-8000-000000000001"
	releaseTwo   = "01a20000-0000-7000-8000-000000000002"
	releaseThree = "01a20000-0000-7000-8000-000000000003"
	engineOne    = "01a20000-0000-4000-8000-0000000000e1"
	engineTwo    = "01a20000-0000-4000-8000-0000000000e2"
)

var releaseMoment = timestamppb.New(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))

// press is a server of releases that remembers what it was asked. Release 2 is in force, 3 is a draft.
type press struct {
	releasesv1connect.UnimplementedReleaseServiceHandler

	t        *testing.T
	mu       sync.Mutex
	all      []*releasesv1.Release // newest first
	none     bool                  // no release is in force
	warnings []*operatorsv1.RuleFinding
	summary  *releasesv1.ReleaseDiffSummary
	changes  []*releasesv1.ReleaseChange
	report   *releasesv1.ReplayReport
	// engines are what engines say, one answer after the other; the last one stays.
	engines   [][]*releasesv1.ReleaseEngine
	announced bool
	cancelled bool
	state     releasesv1.ReleaseState // of what was published
	fail      error

	created   *releasesv1.CreateReleaseRequest
	compared  *releasesv1.DiffReleaseRequest
	replayed  *releasesv1.ReplayReleaseRequest
	approved  *releasesv1.ApproveReleaseRequest
	published []*releasesv1.PublishReleaseRequest
	rolled    []*releasesv1.RollbackReleaseRequest
}

func newPress(t *testing.T) *press {
	t.Helper()
	named := func(id string, number int64, state releasesv1.ReleaseState, digest string) *releasesv1.Release {
		return &releasesv1.Release{
			ReleaseId: id, Number: number, State: state, Digest: strings.Repeat(digest, 64), SizeBytes: 3 << 20, StoredBytes: 700 << 10, OperatorCount: 8,
			RuleCount: 245, RateCount: 1, ConfigVersion: 12, CreateTime: releaseMoment, CreatedBy: "ann", Etag: "etag-" + id[len(id)-1:],
		}
	}
	p := &press{
		t: t, announced: true, state: releasesv1.ReleaseState_RELEASE_STATE_ACTIVE,
		all: []*releasesv1.Release{
			named(releaseThree, 3, releasesv1.ReleaseState_RELEASE_STATE_DRAFT, "c"),
			named(releaseTwo, 2, releasesv1.ReleaseState_RELEASE_STATE_ACTIVE, "b"),
			named(releaseOne, 1, releasesv1.ReleaseState_RELEASE_STATE_RETIRED, "a"),
		},
	}
	p.all[0].Description = "cheaper Britain"
	p.all[1].LastActivation = &releasesv1.ReleaseActivation{Activation: 6, ActivateTime: releaseMoment}
	mux := http.NewServeMux()
	mux.Handle(releasesv1connect.NewReleaseServiceHandler(p))
	mux.Handle(operatorsv1connect.NewOperatorServiceHandler(newLedgerHandler(t)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Setenv("TRUNKLINE_SERVER", server.URL)
	return p
}

// newLedgerHandler gives the operators that commands look up by name.
func newLedgerHandler(t *testing.T) *ledger {
	t.Helper()
	return &ledger{t: t, one: &operatorsv1.Operator{OperatorId: nordlink, Name: "Nordlink Transit"}}
}

func (p *press) find(id string) *releasesv1.Release {
	for _, r := range p.all {
		if r.GetReleaseId() == id || id == "" && r.GetState() == releasesv1.ReleaseState_RELEASE_STATE_ACTIVE && !p.none {
			return r
		}
	}
	return nil
}

func (p *press) CreateRelease(_ context.Context, req *releasesv1.CreateReleaseRequest, s *connect.ServerStream[releasesv1.CreateReleaseResponse]) error {
	p.created = req
	if err := s.Send(&releasesv1.CreateReleaseResponse{Step: &releasesv1.CreateReleaseResponse_Progress{Progress: &operatorsv1.ImportProgress{Done: 1, Total: 2}}}); err != nil || p.fail != nil {
		return p.fail
	}
	made := proto.CloneOf(p.all[0])
	made.WarningCount = int64(len(p.warnings))
	return s.Send(&releasesv1.CreateReleaseResponse{Step: &releasesv1.CreateReleaseResponse_Result{Result: &releasesv1.CreateReleaseResult{Release: made, Warnings: p.warnings}}})
}

func (p *press) GetRelease(_ context.Context, req *releasesv1.GetReleaseRequest) (*releasesv1.GetReleaseResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.find(req.GetReleaseId())
	if r == nil {
		return nil, serverError(p.t, connect.CodeNotFound, "NO_SUCH_RELEASE", "There is no such release.")
	}
	res := &releasesv1.GetReleaseResponse{Release: r, Activations: []*releasesv1.ReleaseActivation{
		{Activation: 7, ReleaseId: r.GetReleaseId(), Kind: releasesv1.ReleaseActivationKind_RELEASE_ACTIVATION_KIND_ROLLBACK, ActivateTime: releaseMoment, CreatedBy: "bob", Reason: "complaints", Announced: p.announced, Cancelled: p.cancelled},
		{Activation: 4, ReleaseId: r.GetReleaseId(), Kind: releasesv1.ReleaseActivationKind_RELEASE_ACTIVATION_KIND_PUBLISH, ActivateTime: releaseMoment, CreatedBy: "ann", Announced: true},
	}}
	if len(p.engines) > 0 {
		res.Engines = p.engines[0]
		if len(p.engines) > 1 {
			p.engines = p.engines[1:]
		}
	}
	return res, nil
}

func (p *press) ListReleases(_ context.Context, req *releasesv1.ListReleasesRequest) (*releasesv1.ListReleasesResponse, error) {
	// Two on a page at most, so that looking for a number turns pages.
	from := 0
	if req.GetPageToken() != "" {
		from = 2
	}
	to := min(from+2, len(p.all))
	res := &releasesv1.ListReleasesResponse{Releases: p.all[from:to]}
	if to < len(p.all) {
		res.NextPageToken = "more"
	}
	return res, nil
}

func (p *press) DiffRelease(_ context.Context, req *releasesv1.DiffReleaseRequest, s *connect.ServerStream[releasesv1.DiffReleaseResponse]) error {
	p.compared = req
	if p.fail != nil {
		return p.fail
	}
	if err := s.Send(&releasesv1.DiffReleaseResponse{Part: &releasesv1.DiffReleaseResponse_Summary{Summary: p.summary}}); err != nil {
		return err
	}
	for _, change := range p.changes[:min(int(req.GetMaxChanges()), len(p.changes))] {
		part := &releasesv1.ReleaseChanges{Changes: []*releasesv1.ReleaseChange{change}}
		if err := s.Send(&releasesv1.DiffReleaseResponse{Part: &releasesv1.DiffReleaseResponse_Changes{Changes: part}}); err != nil {
			return err
		}
	}
	return nil
}

func (p *press) ReplayRelease(_ context.Context, req *releasesv1.ReplayReleaseRequest, s *connect.ServerStream[releasesv1.ReplayReleaseResponse]) error {
	p.replayed = req
	if err := s.Send(&releasesv1.ReplayReleaseResponse{Step: &releasesv1.ReplayReleaseResponse_Progress{Progress: &operatorsv1.ImportProgress{Done: 1, Total: 2}}}); err != nil || p.fail != nil {
		return p.fail
	}
	return s.Send(&releasesv1.ReplayReleaseResponse{Step: &releasesv1.ReplayReleaseResponse_Report{Report: p.report}})
}

func (p *press) ApproveRelease(_ context.Context, req *releasesv1.ApproveReleaseRequest) (*releasesv1.ApproveReleaseResponse, error) {
	p.approved = req
	r := proto.CloneOf(p.find(req.GetReleaseId()))
	r.ApprovedBy = "bob"
	return &releasesv1.ApproveReleaseResponse{Release: r}, p.fail
}

func (p *press) activation(id string) (*releasesv1.Release, *releasesv1.ReleaseActivation) {
	r := proto.CloneOf(p.find(id))
	r.State = p.state
	return r, &releasesv1.ReleaseActivation{Activation: 7, ReleaseId: id, ActivateTime: releaseMoment, Announced: p.announced}
}

func (p *press) PublishRelease(_ context.Context, req *releasesv1.PublishReleaseRequest) (*releasesv1.PublishReleaseResponse, error) {
	p.published = append(p.published, req)
	r, a := p.activation(req.GetReleaseId())
	return &releasesv1.PublishReleaseResponse{Release: r, Activation: a}, p.fail
}

func (p *press) RollbackRelease(_ context.Context, req *releasesv1.RollbackReleaseRequest) (*releasesv1.RollbackReleaseResponse, error) {
	p.rolled = append(p.rolled, req)
	id := req.GetReleaseId()
	if id == "" {
		id = releaseOne
	}
	r, a := p.activation(id)
	return &releasesv1.RollbackReleaseResponse{Release: r, Activation: a}, p.fail
}

// engine is what one says: what it serves, and what it does with activation 7.
func engine(id string, serving int64, state eventsv1.ReleaseEngineState, reason string) *releasesv1.ReleaseEngine {
	release := map[int64]string{6: releaseTwo, 7: releaseThree}[serving]
	return &releasesv1.ReleaseEngine{Current: serving == 7, Event: &eventsv1.ReleaseEvent{
		EngineId: id, Host: "engine-" + id[len(id)-1:], State: state, ReleaseId: releaseThree, Activation: 7, Reason: reason,
		ServingReleaseId: release, ServingActivation: serving, ServingSince: releaseMoment, OccurredAt: releaseMoment,
	}}
}

const (
	serving  = eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_SERVING
	refused  = eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_REFUSED
	prepared = eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_PREPARED
)

// other is an engine that serves what is not in question; refusing says why it does not take a manifest.
func other(activation int64, id string) *releasesv1.ReleaseEngine {
	return &releasesv1.ReleaseEngine{Event: &eventsv1.ReleaseEvent{
		EngineId: engineOne, Host: "engine-1", State: serving, ReleaseId: id, Activation: activation, ServingReleaseId: id, ServingActivation: activation, OccurredAt: releaseMoment,
	}}
}

func refusing(e *releasesv1.ReleaseEngine, reason string) *releasesv1.ReleaseEngine {
	e.Event.State, e.Event.Reason, e.Event.ReleaseId, e.Event.Activation = refused, reason, "", 0
	return e
}
