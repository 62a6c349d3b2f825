package rpc

import (
	"context"
	"time"

	"github.com/google/uuid"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/gen/go/trunkline/routing/v1/routingv1connect"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pagetoken"
	"trunkline/services/platform/rpcserver"
	"trunkline/services/platform/telemetry"
	"trunkline/services/routing"
)

// ListDecisions gives the decisions that the request chooses, newest first, in pages.
func (d *Decisions) ListDecisions(ctx context.Context, req *routingv1.ListDecisionsRequest) (*routingv1.ListDecisionsResponse, error) {
	if err := maySearch(ctx, req.GetNumber()); err != nil {
		return nil, err
	}
	list, err := pagetoken.ListOf(routingv1connect.DecisionServiceListDecisionsProcedure, req)
	if err != nil {
		return nil, err
	}
	page := routing.RecordPage{
		Limit: pagetoken.Size(req.GetPageSize()), Actor: caller.From(ctx).Name, RequestID: telemetry.RequestID(ctx), At: d.clock.Now(),
	}
	if page.AfterTime, page.AfterID, err = position(list, req.GetPageToken()); err != nil {
		return nil, err
	}
	if page.RecordFilter, err = recordFilter(req.GetFilter()); err != nil {
		return nil, err
	}
	if page.ID, err = optionalID(req.GetDecisionId()); err != nil {
		return nil, err
	}
	page.Number = e164.Number(req.GetNumber())
	records, more, err := d.log.List(ctx, page)
	if err != nil {
		return nil, err
	}
	res := &routingv1.ListDecisionsResponse{Decisions: records}
	if more {
		last := records[len(records)-1]
		res.NextPageToken = list.Write(last.GetDecideTime().AsTime().Format(time.RFC3339Nano), last.GetDecisionId())
	}
	return res, nil
}

// maySearch lets admins look for a number. Others would learn who was written to.
func maySearch(ctx context.Context, number string) error {
	role := caller.From(ctx).Role
	if number == "" || role >= caller.Admin {
		return nil
	}
	return fault.New(fault.PermissionDenied, rpcserver.ReasonRoleTooLow,
		"To look for a number takes the role %s, and the credential has the role %s: use one with a higher role, or leave the number out.", caller.Admin, role).
		With("needed_role", caller.Admin.String()).With("role", role.String())
}

func position(list pagetoken.List, token string) (at time.Time, id uuid.UUID, err error) {
	after, err := list.Read(token, 2)
	if err != nil || after == nil {
		return at, id, err
	}
	at, timeErr := time.Parse(time.RFC3339Nano, after[0])
	id, idErr := uuid.Parse(after[1])
	if timeErr != nil || idErr != nil {
		return at, id, pagetoken.Invalid()
	}
	return at, id, nil
}

// recordFilter reads a filter, whose form the schema has checked.
func recordFilter(f *routingv1.DecisionFilter) (out routing.RecordFilter, err error) {
	out = routing.RecordFilter{From: moment(f.GetFromTime()), To: moment(f.GetToTime()), Failed: f.GetFailed()}
	if out.Account, err = optionalID(f.GetAccountId()); err != nil {
		return out, err
	}
	if out.Operator, err = optionalID(f.GetOperatorId()); err != nil {
		return out, err
	}
	if f.GetPrefix() != "" {
		out.Start, err = e164.ParsePrefix(f.GetPrefix())
	}
	return out, err
}
