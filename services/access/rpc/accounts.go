package rpc

import (
	"context"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	"trunkline/services/access"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/pagetoken"
)

// Accounts serves AccountService.
type Accounts struct{ admin *access.AccountAdmin }

var _ accessv1connect.AccountServiceHandler = (*Accounts)(nil)

// NewAccounts gives the handler of AccountService.
func NewAccounts(admin *access.AccountAdmin) *Accounts { return &Accounts{admin} }

// CreateAccount stores a new account.
func (h *Accounts) CreateAccount(ctx context.Context, req *accessv1.CreateAccountRequest) (*accessv1.CreateAccountResponse, error) {
	r, err := requestOf(ctx, req)
	if err != nil {
		return nil, err
	}
	a, err := h.admin.Create(ctx, r, fromAccount(req.GetAccount()))
	if err != nil {
		return nil, err
	}
	return &accessv1.CreateAccountResponse{Account: toAccount(a)}, nil
}

// GetAccount gives one live account.
func (h *Accounts) GetAccount(ctx context.Context, req *accessv1.GetAccountRequest) (*accessv1.GetAccountResponse, error) {
	a, err := h.admin.Get(ctx, caller.From(ctx), idOf(req.GetAccountId()))
	if err != nil {
		return nil, err
	}
	return &accessv1.GetAccountResponse{Account: toAccount(a)}, nil
}

// ListAccounts gives live accounts by name, in pages.
func (h *Accounts) ListAccounts(ctx context.Context, req *accessv1.ListAccountsRequest) (*accessv1.ListAccountsResponse, error) {
	filter := access.AccountFilter{Search: req.GetSearch(), Limit: pagetoken.Size(req.GetPageSize())}
	list, err := pagetoken.ListOf(accessv1connect.AccountServiceListAccountsProcedure, req)
	if err != nil {
		return nil, err
	}
	after, err := list.Read(req.GetPageToken(), 2)
	if err != nil {
		return nil, err
	}
	if after != nil {
		filter.AfterName, filter.AfterID = after[0], idOf(after[1])
	}
	page, more, err := h.admin.List(ctx, caller.From(ctx), filter)
	if err != nil {
		return nil, err
	}
	res := &accessv1.ListAccountsResponse{}
	for _, a := range page {
		res.Accounts = append(res.Accounts, toAccount(a))
	}
	if more {
		last := page[len(page)-1]
		res.NextPageToken = list.Write(last.Name, last.ID.String())
	}
	return res, nil
}

// UpdateAccount changes the fields named by update_mask.
func (h *Accounts) UpdateAccount(ctx context.Context, req *accessv1.UpdateAccountRequest) (*accessv1.UpdateAccountResponse, error) {
	r, err := requestOf(ctx, req)
	if err != nil {
		return nil, err
	}
	to := fromAccount(req.GetAccount())
	a, err := h.admin.Update(ctx, r, access.Target{ID: to.ID, ETag: req.GetAccount().GetEtag()}, to, req.GetUpdateMask().GetPaths())
	if err != nil {
		return nil, err
	}
	return &accessv1.UpdateAccountResponse{Account: toAccount(a)}, nil
}

// DeleteAccount takes an account away and revokes its keys.
func (h *Accounts) DeleteAccount(ctx context.Context, req *accessv1.DeleteAccountRequest) (*accessv1.DeleteAccountResponse, error) {
	r, err := requestOf(ctx, req)
	if err != nil {
		return nil, err
	}
	revoked, err := h.admin.Delete(ctx, r, access.Target{ID: idOf(req.GetAccountId()), ETag: req.GetEtag()})
	if err != nil {
		return nil, err
	}
	return &accessv1.DeleteAccountResponse{RevokedKeys: int32(revoked)}, nil
}
