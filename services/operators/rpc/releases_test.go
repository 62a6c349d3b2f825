package rpc_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "trunkline/gen/go/trunkline/events/v1"
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/release"
)

// teller tells nobody, and says that everything is visible.
type teller struct{}

func (*teller) Wake()                                   {}
func (*teller) Announce(context.Context) (int64, error) { return 1 << 40, nil }
func (p *published) ReleasePublished(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs = append(p.errs, err)
}
func (s *sampler) Heard() (all []operators.EngineWord) { return s.words }

// published remembers how publications ended.
type published struct {
	mu   sync.Mutex
	errs []error
}

// sampler takes the place of what compares releases, and of engines.
type sampler struct {
	words []operators.EngineWord
	// gate holds a call until it is closed.
	running, gate chan struct{}
	err           error

	// sending holds the first call that gave something until it is closed.
	sending, given chan struct{}
	gave           atomic.Bool

	base, draft uuid.UUID
	most        int
}

func (s *sampler) held(give func(*releasesv1.DiffReleaseResponse) error) func(*releasesv1.DiffReleaseResponse) error {
	return func(part *releasesv1.DiffReleaseResponse) error {
		err := give(part)
		if s.gave.CompareAndSwap(false, true) {
			close(s.given)
			<-s.sending
		}
		return err
	}
}

func (s *sampler) take(ctx context.Context, base, draft release.Source) error {
	s.base, s.draft = uuid.Nil, draft.ID()
	if base != nil {
		s.base = base.ID()
	}
	reader, closer, err := draft.Open(ctx)
	if err != nil {
		return err
	}
	err = errors.Join(reader.Close(), closer.Close())
	if s.gate != nil {
		s.running <- struct{}{}
		<-s.gate
	}
	return errors.Join(err, s.err)
}

func (s *sampler) Diff(ctx context.Context, base, draft release.Source, most int, give func(*releasesv1.DiffReleaseResponse) error) error {
	s.most = most
	if err := s.take(ctx, base, draft); err != nil {
		return err
	}
	if s.sending != nil {
		give = s.held(give)
	}
	return give(&releasesv1.DiffReleaseResponse{Part: &releasesv1.DiffReleaseResponse_Summary{Summary: &releasesv1.ReleaseDiffSummary{RulesAdded: 3}}})
}

func (s *sampler) Replay(
	ctx context.Context, req *releasesv1.ReplayReleaseRequest, base, draft release.Source, progress func(done, total int64),
) (*releasesv1.ReplayReport, error) {
	if err := s.take(ctx, base, draft); err != nil {
		return nil, err
	}
	progress(1, 2)
	return &releasesv1.ReplayReport{DecisionCount: int64(len(req.GetCsv()))}, nil
}

func (s *served) release(t *testing.T) *releasesv1.Release {
	t.Helper()
	stream, err := s.releases.CreateRelease(t.Context(), &releasesv1.CreateReleaseRequest{Description: "why"})
	message, before := last(t, stream, err)
	require.Positive(t, before, "progress")
	require.NotNil(t, message.GetResult())
	return message.GetResult().GetRelease()
}

func TestAReleaseIsMadePublishedAndTakenBack(t *testing.T) {
	s := serve(t)
	s.named(t, "one")
	first := s.release(t)
	require.Equal(t, []any{releasesv1.ReleaseState_RELEASE_STATE_DRAFT, int64(1), "why", int64(1)},
		[]any{first.GetState(), first.GetNumber(), first.GetDescription(), first.GetOperatorCount()})
	require.Len(t, first.GetDigest(), 64)
	require.NotEmpty(t, first.GetEtag())
	require.Nil(t, first.GetApproveTime())
	_, err := s.releases.GetRelease(t.Context(), &releasesv1.GetReleaseRequest{})
	require.Equal(t, "not_found NO_ACTIVE_RELEASE", reason(t, err))
	_, err = s.releases.ApproveRelease(t.Context(), &releasesv1.ApproveReleaseRequest{ReleaseId: first.GetReleaseId()})
	require.Equal(t, "failed_precondition SAME_ADMIN", reason(t, err))

	done, err := s.releases.PublishRelease(t.Context(), &releasesv1.PublishReleaseRequest{ReleaseId: first.GetReleaseId(), Etag: first.GetEtag(), Reason: "now"})
	require.NoError(t, err)
	require.Equal(t, releasesv1.ReleaseState_RELEASE_STATE_ACTIVE, done.GetRelease().GetState())
	require.Equal(t, int64(1), done.GetActivation().GetActivation())
	require.Equal(t, "now", done.GetActivation().GetReason())
	require.True(t, done.GetActivation().GetAnnounced())
	require.Empty(t, done.GetActivation().GetFormerReleaseId())
	_, err = s.releases.PublishRelease(t.Context(), &releasesv1.PublishReleaseRequest{ReleaseId: first.GetReleaseId()})
	require.Equal(t, "failed_precondition ALREADY_ACTIVE", reason(t, err))
	_, err = s.releases.PublishRelease(t.Context(), &releasesv1.PublishReleaseRequest{ReleaseId: first.GetReleaseId(), ActivateTime: &timestamppb.Timestamp{Nanos: -1}})
	require.Equal(t, "invalid_argument VALIDATION_FAILED", reason(t, err))

	s.named(t, "two")
	second := s.release(t)
	_, err = s.releases.PublishRelease(t.Context(), &releasesv1.PublishReleaseRequest{ReleaseId: second.GetReleaseId(), ExpectedReleaseId: second.GetReleaseId()})
	require.Equal(t, "aborted RELEASE_MOVED", reason(t, err))
	_, err = s.releases.PublishRelease(t.Context(), &releasesv1.PublishReleaseRequest{ReleaseId: second.GetReleaseId(), ValidateOnly: true})
	require.NoError(t, err)
	scheduled, err := s.releases.PublishRelease(t.Context(), &releasesv1.PublishReleaseRequest{
		ReleaseId: second.GetReleaseId(), ExpectedReleaseId: first.GetReleaseId(), ActivateTime: timestamppb.New(s.now.Now().Add(time.Hour)),
	})
	require.NoError(t, err)
	require.Equal(t, releasesv1.ReleaseState_RELEASE_STATE_SCHEDULED, scheduled.GetRelease().GetState())
	s.now.Advance(time.Hour)

	engine := operators.EngineWord{
		EngineID: newID(t), Host: "host", State: operators.EngineServing, ServingID: mustID(t, second.GetReleaseId()), ServingActivation: 2, At: s.now.Now(),
	}
	behind := engine
	behind.ServingActivation = 1
	s.sampler.words = []operators.EngineWord{engine, behind}
	got, err := s.releases.GetRelease(t.Context(), &releasesv1.GetReleaseRequest{})
	require.NoError(t, err)
	require.Equal(t, second.GetReleaseId(), got.GetRelease().GetReleaseId())
	require.Len(t, got.GetActivations(), 1)
	require.Equal(t, first.GetReleaseId(), got.GetActivations()[0].GetFormerReleaseId())
	require.Equal(t, []bool{true, false}, []bool{got.GetEngines()[0].GetCurrent(), got.GetEngines()[1].GetCurrent()})
	require.Equal(t, eventsv1.ReleaseEngineState_RELEASE_ENGINE_STATE_SERVING, got.GetEngines()[0].GetEvent().GetState())

	back, err := s.releases.RollbackRelease(t.Context(), &releasesv1.RollbackReleaseRequest{Reason: "oops"})
	require.NoError(t, err)
	require.Equal(t, first.GetReleaseId(), back.GetRelease().GetReleaseId())
	require.Equal(t, releasesv1.ReleaseActivationKind_RELEASE_ACTIVATION_KIND_ROLLBACK, back.GetActivation().GetKind())
	require.Len(t, s.published.errs, 5, "all but the check of a request, and what the schema refuses")
}

func TestReleasesAreListedInPages(t *testing.T) {
	s := serve(t)
	for range 3 {
		s.release(t)
	}
	page, err := s.releases.ListReleases(t.Context(), &releasesv1.ListReleasesRequest{PageSize: 2})
	require.NoError(t, err)
	require.Len(t, page.GetReleases(), 2)
	page, err = s.releases.ListReleases(t.Context(), &releasesv1.ListReleasesRequest{PageSize: 2, PageToken: page.GetNextPageToken()})
	require.NoError(t, err)
	require.Equal(t, int64(1), page.GetReleases()[0].GetNumber())
	require.Empty(t, page.GetNextPageToken())
	_, err = s.releases.ListReleases(t.Context(), &releasesv1.ListReleasesRequest{PageToken: "other"})
	require.ErrorContains(t, err, "page_token")
}

func TestReleasesAreComparedWithTheOneInForceUnlessAnotherIsNamed(t *testing.T) {
	s := serve(t)
	first, second := s.release(t), s.release(t)
	stream, err := s.releases.DiffRelease(t.Context(), &releasesv1.DiffReleaseRequest{ReleaseId: first.GetReleaseId()})
	sums, _ := last(t, stream, err)
	require.Equal(t, int64(3), sums.GetSummary().GetRulesAdded())
	require.Equal(t, uuid.Nil, s.sampler.base, "nothing is in force")
	require.Equal(t, 1000, s.sampler.most)
	replay, err := s.releases.ReplayRelease(t.Context(), &releasesv1.ReplayReleaseRequest{ReleaseId: first.GetReleaseId(), Sample: &releasesv1.ReplayReleaseRequest_Csv{Csv: []byte("x")}})
	require.NoError(t, err)
	require.False(t, replay.Receive())
	require.Equal(t, "failed_precondition NO_ACTIVE_RELEASE", reason(t, replay.Err()))

	_, err = s.releases.PublishRelease(t.Context(), &releasesv1.PublishReleaseRequest{ReleaseId: first.GetReleaseId()})
	require.NoError(t, err)
	replay, err = s.releases.ReplayRelease(t.Context(), &releasesv1.ReplayReleaseRequest{
		ReleaseId: second.GetReleaseId(), Sample: &releasesv1.ReplayReleaseRequest_Csv{Csv: []byte("number")},
	})
	report, before := last(t, replay, err)
	require.Equal(t, int64(6), report.GetReport().GetDecisionCount())
	require.Equal(t, 1, before)
	require.Equal(t, []string{first.GetReleaseId(), second.GetReleaseId()}, []string{s.sampler.base.String(), s.sampler.draft.String()})

	stream, err = s.releases.DiffRelease(t.Context(), &releasesv1.DiffReleaseRequest{ReleaseId: first.GetReleaseId(), BaseReleaseId: second.GetReleaseId(), MaxChanges: 7})
	_, _ = last(t, stream, err)
	require.Equal(t, second.GetReleaseId(), s.sampler.base.String())
	require.Equal(t, 7, s.sampler.most)
	stream, err = s.releases.DiffRelease(t.Context(), &releasesv1.DiffReleaseRequest{ReleaseId: uuid.NewString()})
	require.NoError(t, err)
	require.False(t, stream.Receive())
	require.Equal(t, "not_found NO_SUCH_RELEASE", reason(t, stream.Err()))
}

func TestOneReplayRunsAtATime(t *testing.T) {
	s := serve(t)
	one := s.release(t)
	s.sampler.running, s.sampler.gate = make(chan struct{}), make(chan struct{})
	ask := &releasesv1.ReplayReleaseRequest{
		ReleaseId: one.GetReleaseId(), BaseReleaseId: one.GetReleaseId(), Sample: &releasesv1.ReplayReleaseRequest_Csv{Csv: []byte("x")},
	}
	ended := make(chan error, 1)
	go func() {
		stream, err := s.releases.ReplayRelease(t.Context(), ask)
		if err == nil {
			for stream.Receive() {
				continue
			}
			err = stream.Err()
		}
		ended <- err
	}()
	<-s.sampler.running
	stream, err := s.releases.ReplayRelease(t.Context(), ask)
	require.NoError(t, err)
	require.False(t, stream.Receive())
	require.Equal(t, "resource_exhausted REPLAY_RUNNING", reason(t, stream.Err()))
	close(s.sampler.gate)
	require.NoError(t, <-ended)
}

func TestAComparisonWaitsForTheOneBefore(t *testing.T) {
	s := serve(t)
	one := s.release(t)
	s.sampler.running, s.sampler.gate = make(chan struct{}), make(chan struct{})
	ask := func(ctx context.Context) error {
		stream, err := s.releases.DiffRelease(ctx, &releasesv1.DiffReleaseRequest{ReleaseId: one.GetReleaseId()})
		if err == nil {
			for stream.Receive() {
				continue
			}
			err = stream.Err()
		}
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- ask(t.Context()) }()
	<-s.sampler.running
	given, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.Error(t, ask(given), "it gives up when its caller does")
	close(s.sampler.gate)
	require.NoError(t, <-ended)
}

func TestACallerWhoReadsSlowlyHoldsUpNoComparison(t *testing.T) {
	s := serve(t)
	one := s.release(t)
	s.sampler.sending, s.sampler.given = make(chan struct{}), make(chan struct{})
	ask := func() error {
		stream, err := s.releases.DiffRelease(t.Context(), &releasesv1.DiffReleaseRequest{ReleaseId: one.GetReleaseId()})
		if err == nil {
			for stream.Receive() {
				continue
			}
			err = stream.Err()
		}
		return err
	}
	slow := make(chan error, 1)
	go func() { slow <- ask() }()
	<-s.sampler.given
	require.NoError(t, ask())
	close(s.sampler.sending)
	require.NoError(t, <-slow)
}

func TestARefusedReleaseTellsItsConflicts(t *testing.T) {
	s := serve(t)
	o := s.named(t, "one")
	rule, err := s.rules.CreateRoutingRule(t.Context(), &operatorsv1.CreateRoutingRuleRequest{Rule: &operatorsv1.RoutingRule{
		Prefix: "+44", Strategy: 1, Candidates: []*operatorsv1.RuleCandidate{{OperatorId: o.GetOperatorId()}},
	}})
	require.NoError(t, err, "a rule that is not active may have no rate")
	require.NoError(t, s.store.InTx(t.Context(), func(ctx context.Context, tx operators.Tx) error {
		stored, err := tx.Rule(ctx, mustID(t, rule.GetRule().GetRuleId()))
		if err != nil {
			return err
		}
		stored.Active = true
		return tx.PutRules(ctx, []operators.Rule{stored}, nil)
	}))
	stream, err := s.releases.CreateRelease(t.Context(), &releasesv1.CreateReleaseRequest{})
	require.NoError(t, err)
	for stream.Receive() {
		require.NotNil(t, stream.Msg().GetProgress())
	}
	var conflict operatorsv1.RuleConflict
	require.Equal(t, "failed_precondition RULE_CONFLICT", details(t, stream.Err(), &conflict))
	require.Equal(t, operators.FindingNoRate, conflict.GetFindings()[0].GetReason())
}

func TestTheEnumsOfReleasesHaveTheNumbersOfTheSchema(t *testing.T) {
	for state, name := range map[operators.ReleaseState]releasesv1.ReleaseState{
		operators.ReleaseDraft: releasesv1.ReleaseState_RELEASE_STATE_DRAFT, operators.ReleaseApproved: releasesv1.ReleaseState_RELEASE_STATE_APPROVED,
		operators.ReleaseScheduled: releasesv1.ReleaseState_RELEASE_STATE_SCHEDULED, operators.ReleaseActive: releasesv1.ReleaseState_RELEASE_STATE_ACTIVE,
		operators.ReleaseRetired: releasesv1.ReleaseState_RELEASE_STATE_RETIRED, operators.ReleaseExpired: releasesv1.ReleaseState_RELEASE_STATE_EXPIRED,
	} {
		require.EqualValues(t, name, state)
	}
	require.Len(t, releasesv1.ReleaseState_name, 7)
	require.EqualValues(t, releasesv1.ReleaseActivationKind_RELEASE_ACTIVATION_KIND_PUBLISH, operators.Published)
	require.EqualValues(t, releasesv1.ReleaseActivationKind_RELEASE_ACTIVATION_KIND_ROLLBACK, operators.RolledBack)
}
