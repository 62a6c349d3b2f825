package replay

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/routing"
)

// sample is the traffic that a request names.
type sample struct {
	req      *releasesv1.ReplayReleaseRequest
	log      Log
	progress func(done, total int64)
	file     file
	// total is about how many messages there are.
	done, total int64
}

func newSample(req *releasesv1.ReplayReleaseRequest, log Log, progress func(done, total int64)) *sample {
	s := &sample{req: req, log: log, progress: progress}
	if s.fromLog() {
		s.total = int64(s.limit())
	} else {
		s.total = lines(req.GetCsv())
	}
	return s
}

func (s *sample) fromLog() bool { return s.req.GetDecisions() != nil }

func (s *sample) limit() int {
	limit := int(s.req.GetDecisions().GetLimit())
	if limit <= 0 {
		return usualLimit
	}
	return min(limit, maxLimit)
}

// each gives every message. The error is that of the log, of decide, or of ctx.
func (s *sample) each(ctx context.Context, decide func(*message) error) error {
	give := func(m *message) error {
		if s.done++; s.done%stride == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			s.progress(s.done, s.total)
		}
		return decide(m)
	}
	var err error
	if s.fromLog() {
		err = s.logged(ctx, give)
	} else {
		s.file = *newFile(s.req.GetCsv())
		err = s.file.each(give)
	}
	if err == nil {
		s.progress(s.done, s.done)
	}
	return err
}

func (s *sample) logged(ctx context.Context, give func(*message) error) error {
	d := s.req.GetDecisions()
	f := routing.SampleFilter{From: moment(d.GetFromTime()), To: moment(d.GetToTime()), Limit: s.limit()}
	return s.log.Samples(ctx, f, func(some []routing.Sample) error {
		for i := range some {
			one := &some[i]
			m := message{id: one.Decision, to: complete(one), account: one.Account, kind: one.Type, count: 1}
			if m.to == "" || !m.kind.Valid() {
				continue
			}
			if err := give(&m); err != nil {
				return err
			}
		}
		return nil
	})
}

func moment(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
