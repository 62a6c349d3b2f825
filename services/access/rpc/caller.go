package rpc

import (
	"context"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	"trunkline/services/platform/caller"
)

// Callers serves CallerService.
type Callers struct{}

var _ accessv1connect.CallerServiceHandler = (*Callers)(nil)

// NewCallers gives the handler of CallerService.
func NewCallers() *Callers { return &Callers{} }

// GetCaller tells the caller who it is.
func (*Callers) GetCaller(ctx context.Context, _ *accessv1.GetCallerRequest) (*accessv1.GetCallerResponse, error) {
	who := caller.From(ctx)
	res := &accessv1.GetCallerResponse{Name: who.Name, Role: toRole(who.Role), ExpireTime: toTime(who.Expires)}
	if who.Bound() {
		res.AccountId = who.Account.String()
	}
	return res, nil
}
