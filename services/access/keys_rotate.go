package access

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

// Rotate makes a new key like another one, which lives on for the overlap at most. The text is as in Create.
func (a *KeyAdmin) Rotate(ctx context.Context, r Request, id uuid.UUID, overlap time.Duration) (APIKey, Key, error) {
	if err := a.makesKeys(); err != nil {
		return APIKey{}, Key{}, err
	}
	if overlap < 0 || overlap > MaxOverlap {
		return APIKey{}, Key{}, fault.Invalid(ReasonInvalidValue, fault.Violation{Field: "overlap", Description: "must be 0 to 30 days"})
	}
	text, newID := NewKey()
	var answer APIKey
	err := change{Request: r,
		do: func(ctx context.Context, tx Tx, at time.Time) (any, *Entry, error) {
			before, err := visibleKey(ctx, tx, r.Caller, id)
			if err != nil {
				return nil, nil, err
			}
			former, like, err := before.replaced(at, overlap)
			if err != nil {
				return nil, nil, err
			}
			// Otherwise whoever may rotate a key would get its role.
			if like.Role > r.Caller.Role {
				return nil, nil, roleTooLow()
			}
			if err := tx.PutKey(ctx, former); err != nil {
				return nil, nil, err
			}
			if err := roomForKey(ctx, tx, like.Account, at); err != nil {
				return nil, nil, err
			}
			answer = a.made(text, newID, like, r.Caller.Name, at)
			entry := keyEntry("api_key.rotate", &before, former)
			entry.After = mustJSON(struct {
				Former auditedKey `json:"former"`
				New    auditedKey `json:"new"`
			}{former.audited(), answer.audited()})
			return keyReply{newID}, entry, tx.PutKey(ctx, answer)
		},
		again: func(ctx context.Context, tx Tx, read func(any) error) (err error) {
			text = Key{}
			answer, err = repliedKey(ctx, tx, r.Caller, read)
			return err
		},
	}.run(ctx, a.store, a.now)
	if err != nil {
		return APIKey{}, Key{}, err
	}
	return answer, text, nil
}

// replaced gives the key as it lives on, and what is to take its place.
func (k APIKey) replaced(at time.Time, overlap time.Duration) (former APIKey, like NewAPIKey, err error) {
	if k.Ended(at) {
		return k, like, fault.New(fault.FailedPrecondition, ReasonKeyEnded, "The key is revoked or expired. Make a new one.")
	}
	like = NewAPIKey{Name: k.Name, Role: k.Role, Account: k.Account}
	if !k.ExpiresAt.IsZero() {
		like.Lifetime = k.ExpiresAt.Sub(k.CreatedAt)
	}
	end := at.Add(overlap)
	switch {
	case overlap == 0:
		k.RevokedAt = at
	case k.ExpiresAt.IsZero() || end.Before(k.ExpiresAt):
		k.ExpiresAt = end
	}
	return k, like, nil
}
