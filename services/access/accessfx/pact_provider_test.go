//go:build pact

package accessfx

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/platform/pacttest"
)

const pacts = "../../../pacts"

func TestProviderKeepsItsPacts(t *testing.T) {
	s := pacttest.NewWorlds(t, newWorld)
	pacttest.Verify(t, pacttest.Provider{
		Name: "access", URL: s.URL, Reset: s.End,
		States: map[string]pacttest.State{
			"accounts exist":                     pacttest.Tell(s, accountsExist),
			"an API key exists":                  pacttest.Tell(s, keyExists),
			"an account was created and changed": pacttest.Arrange(s, accountChanged),
			"the caller has a key":               pacttest.Arrange(s, callerHasKey),
			"the caller shows no credential":     pacttest.Arrange(s, callerShowsNothing),
		},
	}, pacts)
}

// accountsExist tells the etag of each account. Accounts may be given ids, so they are made as callers make them.
func accountsExist(ctx context.Context, w *world, p struct {
	Accounts []json.RawMessage `json:"accounts"`
}) (map[string]any, error) {
	etags := map[string]any{}
	for _, data := range p.Accounts {
		var account accessv1.Account
		if err := protojson.Unmarshal(data, &account); err != nil {
			return nil, err
		}
		made, err := w.accounts.CreateAccount(ctx, &accessv1.CreateAccountRequest{Account: &account})
		if err != nil {
			return nil, err
		}
		etags["etag of "+made.GetAccount().GetAccountId()] = made.GetAccount().GetEtag()
	}
	return etags, nil
}

// keyExists tells the id of the key, which the server chooses.
func keyExists(ctx context.Context, w *world, p struct {
	Request json.RawMessage `json:"request"` // as for CreateApiKey
	Ended   bool            `json:"ended"`
}) (map[string]any, error) {
	var request accessv1.CreateApiKeyRequest
	if err := protojson.Unmarshal(p.Request, &request); err != nil {
		return nil, err
	}
	made, err := w.keys.CreateApiKey(ctx, &request)
	if err != nil {
		return nil, err
	}
	id := made.GetApiKey().GetKeyId()
	if p.Ended {
		_, err = w.keys.RevokeApiKey(ctx, &accessv1.RevokeApiKeyRequest{KeyId: id})
	}
	return map[string]any{"key of " + request.GetName(): id}, err
}

// accountChanged makes an account and then its notes others, by two calls that have audit rows.
func accountChanged(ctx context.Context, w *world, p struct {
	Account json.RawMessage `json:"account"`
	Notes   string          `json:"notes"`
}) error {
	var account accessv1.Account
	if err := protojson.Unmarshal(p.Account, &account); err != nil {
		return err
	}
	if _, err := w.accounts.CreateAccount(ctx, &accessv1.CreateAccountRequest{Account: &account}); err != nil {
		return err
	}
	account.Notes = p.Notes
	_, err := w.accounts.UpdateAccount(ctx, &accessv1.UpdateAccountRequest{
		Account: &account, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"notes"}},
	})
	return err
}

// callerHasKey makes the calls of the interaction those of a new key.
func callerHasKey(ctx context.Context, w *world, p struct {
	Role      string `json:"role"`
	AccountID string `json:"accountId"`
}) error {
	made, err := w.keys.CreateApiKey(ctx, &accessv1.CreateApiKeyRequest{
		Name: "caller", Role: optionsv1.Role(optionsv1.Role_value[p.Role]), AccountId: p.AccountID,
	})
	w.shown.Store(http.Header{"Authorization": {"Bearer " + made.GetText()}})
	return err
}

func callerShowsNothing(_ context.Context, w *world, _ struct{}) error {
	w.shown.Store(http.Header{})
	return nil
}
