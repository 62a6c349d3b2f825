package control

import (
	"context"
	"errors"
	"time"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/platform/fault"
	"trunkline/services/routing"
)

// Bounds of a snapshot.
const (
	// snapshotTimeout bounds the whole; a million rows take seconds.
	snapshotTimeout = 90 * time.Second
	// stallTimeout bounds the wait for the next message.
	stallTimeout = 10 * time.Second
	// maxRows is how many operators, rules, rates and FX rates a snapshot may hold together.
	maxRows = 10_000_000
)

var errStalled = errors.New("the stream stalled")

// Snapshot implements routing.Substitute. What is not complete, of one version and readable to the last row is no
// snapshot at all: a table with half of the rules would send messages the wrong way.
func (c *Client) Snapshot(ctx context.Context, health *routing.HealthView, least int64) (*routing.Table, int64, error) {
	s := snapshot{builder: routing.NewTableBuilder(health), room: c.rows}
	older := false
	err := c.receive(ctx, &operatorsv1.ListOperatorConfigsRequest{}, func(part *operatorsv1.ListOperatorConfigsResponse) (bool, error) {
		if older = s.parts == 0 && part.GetConfigVersion() < least; older {
			s.versions.Config = part.GetConfigVersion()
			return false, nil
		}
		return true, s.add(part)
	})
	switch {
	case err != nil:
		return nil, 0, err
	case older:
		return nil, s.versions.Config, nil
	case !s.complete:
		return nil, 0, unusable("it ended before it was complete")
	}
	return s.builder.Build(s.versions), s.versions.Config, nil
}

// receive hands over each part of the configuration until take wants no more or fails.
func (c *Client) receive(
	ctx context.Context, req *operatorsv1.ListOperatorConfigsRequest, take func(part *operatorsv1.ListOperatorConfigsResponse) (more bool, err error),
) error {
	limited, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	limited, stalled := context.WithCancelCause(limited)
	stall := time.AfterFunc(c.stall, func() { stalled(errStalled) })
	defer stall.Stop()

	stream, err := c.service.ListOperatorConfigs(limited, req)
	if err != nil {
		return remote(ctx, err)
	}
	defer func() {
		cancel()           // or Close would read on what nobody wants
		_ = stream.Close() // what was needed is read
	}()
	for stream.Receive() {
		stall.Reset(c.stall)
		if more, err := take(stream.Msg()); err != nil || !more {
			return err
		}
	}
	if err := stream.Err(); err != nil {
		return remote(ctx, errors.Join(err, context.Cause(limited)))
	}
	return nil
}

// snapshot is what has come so far.
type snapshot struct {
	builder   *routing.TableBuilder
	operators []routing.Operator
	versions  routing.Versions
	parts     int
	room      int // rows that may still come
	complete  bool
}

func (s *snapshot) add(part *operatorsv1.ListOperatorConfigsResponse) error {
	v := routing.Versions{Config: part.GetConfigVersion(), Rules: part.GetRulesVersion()}
	if s.parts == 0 {
		s.versions = v
	}
	s.parts++
	s.room -= len(part.GetOperators()) + len(part.GetRules()) + len(part.GetRates()) + len(part.GetFxRates())
	switch {
	case v.Config < 1:
		return unusable("it names no version")
	case v != s.versions:
		return unusable("its parts are of different versions")
	case s.complete:
		return unusable("it goes on after its end")
	case s.room < 0:
		return unusable("it holds too many rows")
	}
	s.complete = part.GetComplete()
	for _, row := range part.GetOperators() {
		o, err := operator(row)
		if err != nil {
			return unreadable("operator", row.GetOperatorId(), err)
		}
		s.operators = append(s.operators, o)
		s.builder.AddOperator(o)
	}
	for _, row := range part.GetRules() {
		r, err := rule(row)
		if err != nil {
			return unreadable("rule", row.GetRuleId(), err)
		}
		s.builder.AddRule(r)
	}
	for _, row := range part.GetRates() {
		r, err := rate(row)
		if err != nil {
			return unreadable("rate", row.GetRateId(), err)
		}
		s.builder.AddRate(r)
	}
	for _, row := range part.GetFxRates() {
		currency, nanos, err := fxRate(row)
		if err != nil {
			return unreadable("FX rate", row.GetCurrencyCode(), err)
		}
		s.builder.AddFXRate(currency, nanos)
	}
	return nil
}

func unusable(why string) error {
	return fault.New(fault.Unavailable, ReasonSnapshot, "the configuration from operator-management cannot be used: %s", why).WithRetry(retryAfter)
}

func unreadable(kind, id string, err error) error {
	return fault.New(fault.Unavailable, ReasonSnapshot, "the configuration from operator-management cannot be used: %s %q cannot be read", kind, id).
		WithRetry(retryAfter).Wrap(err)
}
