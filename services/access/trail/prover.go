package trail

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trunkline/services/access"
	"trunkline/services/platform/clock"
)

// ChainStore is the log that is verified.
type ChainStore interface {
	// Links gives the links behind a place, in order, and whether there are more.
	Links(ctx context.Context, after int64) ([]access.AuditLink, bool, error)
	// Unsealed counts the rows that wait for their seal.
	Unsealed(ctx context.Context) (int64, error)
	// Overdue gives the oldest row that happened before a moment and has no seal; the zero id when there is none.
	Overdue(ctx context.Context, before time.Time) (uuid.UUID, error)
	// HasHead tells whether a hash is in the chain.
	HasHead(ctx context.Context, head access.AuditHash) (bool, error)
}

// Prover verifies the chain.
type Prover struct {
	store ChainStore
	clock clock.Clock
}

// NewProver gives a prover.
func NewProver(store ChainStore, clk clock.Clock) *Prover { return &Prover{store, clk} }

// Prove recomputes the whole chain and tells its progress. knownHead is a head noted before, or nil.
func (p *Prover) Prove(ctx context.Context, knownHead *access.AuditHash, progress func(verified int64) error) (access.AuditVerdict, error) {
	var v access.AuditVerifier
	for more := true; more; {
		links, next, err := p.store.Links(ctx, v.Verified())
		if err != nil {
			return access.AuditVerdict{}, err
		}
		for _, link := range links {
			if defect := v.Check(link); defect != nil {
				return access.AuditVerdict{Verified: v.Verified(), Head: v.Head(), Defect: defect}, nil
			}
		}
		more = next
		if err := progress(v.Verified()); err != nil {
			return access.AuditVerdict{}, err
		}
	}
	verdict := access.AuditVerdict{Verified: v.Verified(), Head: v.Head()}
	var err error
	if verdict.Unsealed, err = p.store.Unsealed(ctx); err != nil {
		return access.AuditVerdict{}, err
	}
	verdict.Defect, err = p.around(ctx, knownHead)
	return verdict, err
}

// around finds what the chain alone does not show.
func (p *Prover) around(ctx context.Context, knownHead *access.AuditHash) (*access.AuditDefect, error) {
	switch overdue, err := p.store.Overdue(ctx, p.clock.Now().Add(-access.SealOverdue)); {
	case err != nil:
		return nil, err
	case overdue != uuid.Nil:
		return &access.AuditDefect{
			ID: overdue, Reason: access.DefectSealOverdue,
			Message: fmt.Sprintf("A row has waited more than %s for its seal: its link was taken out, or no operator-management runs.", access.SealOverdue),
		}, nil
	case knownHead == nil:
		return nil, nil
	}
	found, err := p.store.HasHead(ctx, *knownHead)
	if err != nil || found {
		return nil, err
	}
	return &access.AuditDefect{
		Reason: access.DefectHeadMissing, Message: "The head that was noted before is not in the chain: its end was cut off.",
	}, nil
}
