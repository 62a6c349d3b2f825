package rpc

import (
	"context"
	"time"

	"github.com/google/uuid"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	"trunkline/services/access"
	"trunkline/services/platform/caller"
	"trunkline/services/platform/pagetoken"
)

// Keys serves ApiKeyService.
type Keys struct{ admin *access.KeyAdmin }

var _ accessv1connect.ApiKeyServiceHandler = (*Keys)(nil)

// NewKeys gives the handler of ApiKeyService.
func NewKeys(admin *access.KeyAdmin) *Keys { return &Keys{admin} }

// CreateApiKey makes a key and shows it once.
func (h *Keys) CreateApiKey(ctx context.Context, req *accessv1.CreateApiKeyRequest) (*accessv1.CreateApiKeyResponse, error) { //nolint:revive // named by the schema
	r, err := requestOf(ctx, req)
	if err != nil {
		return nil, err
	}
	k, text, err := h.admin.Create(ctx, r, access.NewAPIKey{
		Name: req.GetName(), Role: fromRole(req.GetRole()), Account: idOf(req.GetAccountId()), Lifetime: req.GetLifetime().AsDuration(),
	})
	if err != nil {
		return nil, err
	}
	return &accessv1.CreateApiKeyResponse{ApiKey: toKey(k), Text: text.Reveal()}, nil
}

// ListApiKeys gives keys without their texts, newest first, in pages.
func (h *Keys) ListApiKeys(ctx context.Context, req *accessv1.ListApiKeysRequest) (*accessv1.ListApiKeysResponse, error) { //nolint:revive // named by the schema
	filter := access.KeyFilter{Limit: pagetoken.Size(req.GetPageSize())}
	list, err := pagetoken.ListOf(accessv1connect.ApiKeyServiceListApiKeysProcedure, req)
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
	page, more, err := h.admin.List(ctx, caller.From(ctx), idOf(req.GetAccountId()), req.GetShowEnded(), filter)
	if err != nil {
		return nil, err
	}
	res := &accessv1.ListApiKeysResponse{}
	for _, k := range page {
		res.ApiKeys = append(res.ApiKeys, toKey(k))
	}
	if more {
		last := page[len(page)-1]
		res.NextPageToken = list.Write(last.CreatedAt.Format(time.RFC3339Nano), last.KeyID.String())
	}
	return res, nil
}

// RevokeApiKey ends a key.
func (h *Keys) RevokeApiKey(ctx context.Context, req *accessv1.RevokeApiKeyRequest) (*accessv1.RevokeApiKeyResponse, error) { //nolint:revive // named by the schema
	r, err := requestOf(ctx, req)
	if err != nil {
		return nil, err
	}
	k, err := h.admin.Revoke(ctx, r, idOf(req.GetKeyId()))
	if err != nil {
		return nil, err
	}
	return &accessv1.RevokeApiKeyResponse{ApiKey: toKey(k)}, nil
}

// RotateApiKey makes a new key in place of another and shows it once.
func (h *Keys) RotateApiKey(ctx context.Context, req *accessv1.RotateApiKeyRequest) (*accessv1.RotateApiKeyResponse, error) { //nolint:revive // named by the schema
	r, err := requestOf(ctx, req)
	if err != nil {
		return nil, err
	}
	k, text, err := h.admin.Rotate(ctx, r, idOf(req.GetKeyId()), req.GetOverlap().AsDuration())
	if err != nil {
		return nil, err
	}
	return &accessv1.RotateApiKeyResponse{ApiKey: toKey(k), Text: text.Reveal()}, nil
}
