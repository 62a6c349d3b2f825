package rpc

import (
	"context"
	"encoding/hex"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	"trunkline/services/access"
	"trunkline/services/platform/pagetoken"
)

// exportBatch is how many rows one message of an export holds.
const exportBatch = 500

// AuditLog is the log that is shown.
type AuditLog interface {
	// List gives rows, newest first, Export oldest first; and whether there are more.
	List(ctx context.Context, f access.AuditFilter) ([]access.AuditRow, bool, error)
	Export(ctx context.Context, f access.AuditFilter) ([]access.AuditRow, bool, error)
}

// AuditProver verifies the chain.
type AuditProver interface {
	Prove(ctx context.Context, knownHead *access.AuditHash, progress func(verified int64) error) (access.AuditVerdict, error)
}

// Audit implements accessv1connect.AuditServiceHandler.
type Audit struct {
	log    AuditLog
	prover AuditProver
}

// NewAudit gives the service.
func NewAudit(log AuditLog, prover AuditProver) *Audit { return &Audit{log, prover} }

// ListAuditRows gives audit rows, newest first, in pages.
func (a *Audit) ListAuditRows(ctx context.Context, req *accessv1.ListAuditRowsRequest) (*accessv1.ListAuditRowsResponse, error) {
	filter := auditFilter(req.GetFilter())
	filter.Limit = pagetoken.Size(req.GetPageSize())
	list, err := pagetoken.ListOf(accessv1connect.AuditServiceListAuditRowsProcedure, req)
	if err != nil {
		return nil, err
	}
	after, err := list.Read(req.GetPageToken(), 2)
	if err != nil {
		return nil, err
	}
	if after != nil {
		var timeErr, idErr error
		filter.AfterTime, timeErr = time.Parse(time.RFC3339Nano, after[0])
		filter.AfterID, idErr = uuid.Parse(after[1])
		if timeErr != nil || idErr != nil {
			return nil, pagetoken.Invalid()
		}
	}
	rows, more, err := a.log.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	res := &accessv1.ListAuditRowsResponse{Rows: toAuditRows(rows)}
	if more {
		last := rows[len(rows)-1]
		res.NextPageToken = list.Write(last.At.Format(time.RFC3339Nano), last.ID.String())
	}
	return res, nil
}

// ExportAuditRows gives audit rows, oldest first.
func (a *Audit) ExportAuditRows(
	ctx context.Context, req *accessv1.ExportAuditRowsRequest, stream *connect.ServerStream[accessv1.ExportAuditRowsResponse],
) error {
	filter := auditFilter(req.GetFilter())
	filter.Limit = exportBatch
	for {
		rows, more, err := a.log.Export(ctx, filter)
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			if err := stream.Send(&accessv1.ExportAuditRowsResponse{Rows: toAuditRows(rows)}); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		last := rows[len(rows)-1]
		filter.AfterTime, filter.AfterID = last.At, last.ID
	}
}

// VerifyAuditChain recomputes the chain.
func (a *Audit) VerifyAuditChain(
	ctx context.Context, req *accessv1.VerifyAuditChainRequest, stream *connect.ServerStream[accessv1.VerifyAuditChainResponse],
) error {
	var known *access.AuditHash
	if text := req.GetKnownHead(); text != "" {
		known = new(access.AuditHash)
		if _, err := hex.Decode(known[:], []byte(text)); err != nil {
			return err // the schema has checked the form
		}
	}
	verdict, err := a.prover.Prove(ctx, known, func(verified int64) error {
		return stream.Send(&accessv1.VerifyAuditChainResponse{Step: &accessv1.VerifyAuditChainResponse_Verified{Verified: verified}})
	})
	if err != nil {
		return err
	}
	out := &accessv1.AuditVerdict{Verified: verdict.Verified, Unsealed: verdict.Unsealed, Head: verdict.Head.String()}
	if d := verdict.Defect; d != nil {
		out.Defect = &accessv1.AuditDefect{Sequence: d.Sequence, Reason: d.Reason, Message: d.Message}
		if d.ID != uuid.Nil {
			out.Defect.AuditId = d.ID.String()
		}
	}
	return stream.Send(&accessv1.VerifyAuditChainResponse{Step: &accessv1.VerifyAuditChainResponse_Verdict{Verdict: out}})
}

func auditFilter(f *accessv1.AuditFilter) access.AuditFilter {
	out := access.AuditFilter{Actor: f.GetActor(), Action: f.GetAction(), Entity: f.GetEntity(), EntityID: f.GetEntityId()}
	if f.GetFromTime() != nil {
		out.From = f.GetFromTime().AsTime()
	}
	if f.GetToTime() != nil {
		out.To = f.GetToTime().AsTime()
	}
	return out
}

func toAuditRows(rows []access.AuditRow) []*accessv1.AuditRow {
	out := make([]*accessv1.AuditRow, len(rows))
	for i, r := range rows {
		out[i] = &accessv1.AuditRow{
			AuditId: r.ID.String(), OccurTime: timestamppb.New(r.At), Actor: r.Actor, RequestId: r.RequestID,
			Action: r.Action, Entity: r.Entity, EntityId: r.EntityID, Sequence: r.Sequence,
		}
		if r.Before != nil {
			out[i].Before = *r.Before
		}
		if r.After != nil {
			out[i].After = *r.After
		}
		if r.Sequence > 0 {
			out[i].Hash = r.Hash.String()
		}
	}
	return out
}
