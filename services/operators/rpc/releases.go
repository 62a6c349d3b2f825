package rpc

import (
	"context"
	"strconv"
	"sync"
	"time"

	"connectrpc.com/connect"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/gen/go/trunkline/releases/v1/releasesv1connect"
	"trunkline/services/operators"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pagetoken"
	"trunkline/services/platform/release"
	"trunkline/services/platform/telemetry"
)

// ReplayBytes is the limit of one message of ReplayRelease: a file of the largest size and room for the other fields.
const ReplayBytes = ImportBytes

// Differ tells what differs between two releases.
type Differ interface {
	// Diff gives the sums first, then up to max changes in parts. base is nil for nothing. What it reads is read and
	// closed before it gives anything.
	Diff(ctx context.Context, base, draft release.Source, maxChanges int, give func(*releasesv1.DiffReleaseResponse) error) error
}

// Replayer decides a sample by two releases.
type Replayer interface {
	Replay(ctx context.Context, req *releasesv1.ReplayReleaseRequest, base, draft release.Source, progress func(done, total int64)) (*releasesv1.ReplayReport, error)
}

// Library gives releases to read.
type Library interface {
	Source(r operators.Release) release.Source
}

// Engines tells what engines said last about releases.
type Engines interface {
	Heard() []operators.EngineWord
}

// ReleaseObserver counts what callers asked for, by how it ended.
type ReleaseObserver interface {
	ReleasePublished(err error)
}

// Releases serves ReleaseService.
type Releases struct {
	admin    *operators.ReleaseAdmin
	library  Library
	engines  Engines
	differ   Differ
	replayer Replayer
	observe  ReleaseObserver
	// reading lets one comparison run at a time: each reads two whole releases. replaying refuses a second replay, which
	// has two tables in memory and perhaps a file.
	reading   chan struct{}
	replaying sync.Mutex
}

var _ releasesv1connect.ReleaseServiceHandler = (*Releases)(nil)

// NewReleases gives the handler of ReleaseService.
func NewReleases(
	admin *operators.ReleaseAdmin, library Library, engines Engines, differ Differ, replayer Replayer, observe ReleaseObserver,
) *Releases {
	return &Releases{
		admin: admin, library: library, engines: engines, differ: differ, replayer: replayer, observe: observe, reading: make(chan struct{}, 1),
	}
}

// CreateRelease compiles the live tables and streams progress and the draft.
func (h *Releases) CreateRelease(
	ctx context.Context, req *releasesv1.CreateReleaseRequest, stream *connect.ServerStream[releasesv1.CreateReleaseResponse],
) error {
	ctx, span := telemetry.Span(ctx, "ops.release.create")
	defer span.End()
	r, err := requestOf(ctx, req, req.GetValidateOnly())
	if err != nil {
		return err
	}
	ctx, progress, end := reporting(ctx, func(p *operatorsv1.ImportProgress) error {
		return stream.Send(&releasesv1.CreateReleaseResponse{Step: &releasesv1.CreateReleaseResponse_Progress{Progress: p}})
	})
	defer end()
	created, report, err := h.admin.CreateRelease(ctx, r, req.GetDescription(), progress)
	if err != nil {
		return withConflict(err)
	}
	return stream.Send(&releasesv1.CreateReleaseResponse{Step: &releasesv1.CreateReleaseResponse_Result{
		Result: &releasesv1.CreateReleaseResult{Release: toRelease(created), Warnings: toFindings(report.Findings)},
	}})
}

// GetRelease gives one release with its history and what engines serve.
func (h *Releases) GetRelease(ctx context.Context, req *releasesv1.GetReleaseRequest) (*releasesv1.GetReleaseResponse, error) {
	one, history, force, fresh, err := h.admin.GetRelease(ctx, idOf(req.GetReleaseId()))
	if err != nil {
		return nil, err
	}
	response := &releasesv1.GetReleaseResponse{Release: toRelease(one), Freshness: toFreshness(fresh)}
	for i := range history {
		response.Activations = append(response.Activations, toActivation(&history[i]))
	}
	heard := h.engines.Heard()
	for _, word := range heard[:min(len(heard), maxEngines)] {
		response.Engines = append(response.Engines, &releasesv1.ReleaseEngine{Event: toReleaseEvent(word), Current: word.Serves(force)})
	}
	return response, nil
}

// maxEngines bounds the engines of one answer.
const maxEngines = 1000

// ListReleases gives releases, newest first, in pages.
func (h *Releases) ListReleases(ctx context.Context, req *releasesv1.ListReleasesRequest) (*releasesv1.ListReleasesResponse, error) {
	list, err := pagetoken.ListOf(releasesv1connect.ReleaseServiceListReleasesProcedure, req)
	if err != nil {
		return nil, err
	}
	position, err := list.Read(req.GetPageToken(), 1)
	if err != nil {
		return nil, err
	}
	var before int64
	if position != nil {
		if before, err = strconv.ParseInt(position[0], 10, 64); err != nil || before < 1 {
			return nil, pagetoken.Invalid()
		}
	}
	page, more, fresh, err := h.admin.ListReleases(ctx, before, pagetoken.Size(req.GetPageSize()))
	if err != nil {
		return nil, err
	}
	response := &releasesv1.ListReleasesResponse{Freshness: toFreshness(fresh)}
	for _, one := range page {
		response.Releases = append(response.Releases, toRelease(one))
	}
	if more {
		response.NextPageToken = list.Write(strconv.FormatInt(page[len(page)-1].Number, 10))
	}
	return response, nil
}

// ApproveRelease is the word of a second admin.
func (h *Releases) ApproveRelease(ctx context.Context, req *releasesv1.ApproveReleaseRequest) (*releasesv1.ApproveReleaseResponse, error) {
	r, err := requestOf(ctx, req, false)
	if err != nil {
		return nil, err
	}
	approved, err := h.admin.ApproveRelease(ctx, r, operators.Target{ID: idOf(req.GetReleaseId()), ETag: req.GetEtag()})
	if err != nil {
		return nil, err
	}
	return &releasesv1.ApproveReleaseResponse{Release: toRelease(approved)}, nil
}

// PublishRelease puts a release in force.
func (h *Releases) PublishRelease(ctx context.Context, req *releasesv1.PublishReleaseRequest) (*releasesv1.PublishReleaseResponse, error) {
	ctx, span := telemetry.Span(ctx, "ops.release.publish")
	defer span.End()
	r, err := requestOf(ctx, req, req.GetValidateOnly())
	if err != nil {
		return nil, err
	}
	at, err := fromTime("activate_time", req.GetActivateTime())
	if err != nil {
		return nil, err
	}
	one, activation, err := h.admin.PublishRelease(ctx, r, operators.Publication{
		Target: operators.Target{ID: idOf(req.GetReleaseId()), ETag: req.GetEtag()}, Expected: idOf(req.GetExpectedReleaseId()),
		ActivateAt: at, Reason: req.GetReason(),
	})
	h.observed(r, err)
	if err != nil {
		return nil, err
	}
	return &releasesv1.PublishReleaseResponse{Release: toRelease(one), Activation: toActivation(&activation)}, nil
}

// RollbackRelease puts a release in force again.
func (h *Releases) RollbackRelease(ctx context.Context, req *releasesv1.RollbackReleaseRequest) (*releasesv1.RollbackReleaseResponse, error) {
	ctx, span := telemetry.Span(ctx, "ops.release.rollback")
	defer span.End()
	r, err := requestOf(ctx, req, req.GetValidateOnly())
	if err != nil {
		return nil, err
	}
	one, activation, err := h.admin.RollbackRelease(ctx, r, operators.Rollback{
		Release: idOf(req.GetReleaseId()), Expected: idOf(req.GetExpectedReleaseId()), Reason: req.GetReason(),
	})
	h.observed(r, err)
	if err != nil {
		return nil, err
	}
	return &releasesv1.RollbackReleaseResponse{Release: toRelease(one), Activation: toActivation(&activation)}, nil
}

func (h *Releases) observed(r operators.Request, err error) {
	if !r.ValidateOnly {
		h.observe.ReleasePublished(err)
	}
}

// DiffRelease tells what differs from the release in force, or from another.
func (h *Releases) DiffRelease(
	ctx context.Context, req *releasesv1.DiffReleaseRequest, stream *connect.ServerStream[releasesv1.DiffReleaseResponse],
) error {
	base, draft, err := h.compared(ctx, req.GetReleaseId(), req.GetBaseReleaseId())
	if err != nil {
		return err
	}
	select {
	case h.reading <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	read := sync.OnceFunc(func() { <-h.reading })
	defer read()
	most := int(req.GetMaxChanges())
	if most == 0 {
		most = defaultChanges
	}
	return h.differ.Diff(ctx, base, draft, most, func(part *releasesv1.DiffReleaseResponse) error {
		read() // a caller who takes its time holds up nobody
		return stream.Send(part)
	})
}

// defaultChanges is how many changes are told when the request does not say.
const defaultChanges = 1000

var errReplayRunning = fault.New(fault.ResourceExhausted, "REPLAY_RUNNING",
	"Another replay is running in this process. Wait for it to end.").WithRetry(5 * time.Second)

// ReplayRelease decides a sample by two releases and streams progress and the report.
func (h *Releases) ReplayRelease(
	ctx context.Context, req *releasesv1.ReplayReleaseRequest, stream *connect.ServerStream[releasesv1.ReplayReleaseResponse],
) error {
	base, draft, err := h.compared(ctx, req.GetReleaseId(), req.GetBaseReleaseId())
	if err != nil {
		return err
	}
	if base == nil {
		return fault.New(fault.FailedPrecondition, operators.ReasonNoActiveRelease, "No release is in force: name the one to compare with.")
	}
	if !h.replaying.TryLock() {
		return errReplayRunning
	}
	defer h.replaying.Unlock()
	ctx, progress, end := reporting(ctx, func(p *operatorsv1.ImportProgress) error {
		return stream.Send(&releasesv1.ReplayReleaseResponse{Step: &releasesv1.ReplayReleaseResponse_Progress{Progress: p}})
	})
	defer end()
	report, err := h.replayer.Replay(ctx, req, base, draft, progress)
	if err != nil {
		return err
	}
	return stream.Send(&releasesv1.ReplayReleaseResponse{Step: &releasesv1.ReplayReleaseResponse_Report{Report: report}})
}

// compared gives the sources of two releases; base is nil when none is named and none is in force.
func (h *Releases) compared(ctx context.Context, id, baseID string) (base, draft release.Source, err error) {
	one, against, err := h.admin.Compared(ctx, idOf(id), idOf(baseID))
	if err != nil {
		return nil, nil, err
	}
	if against != nil {
		base = h.library.Source(*against)
	}
	return base, h.library.Source(one), nil
}
