package rpc

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	optionsv1 "trunkline/gen/go/trunkline/options/v1"
	"trunkline/services/access"
	"trunkline/services/platform/caller"
)

// roles are the roles of both sides; caller.None has none in the schema.
var roles = map[optionsv1.Role]caller.Role{
	optionsv1.Role_ROLE_VIEWER: caller.Viewer, optionsv1.Role_ROLE_OPERATOR: caller.Operator, optionsv1.Role_ROLE_ADMIN: caller.Admin,
}

func fromRole(r optionsv1.Role) caller.Role { return roles[r] }

func toRole(r caller.Role) optionsv1.Role {
	for wire, role := range roles {
		if role == r {
			return wire
		}
	}
	return optionsv1.Role_ROLE_UNSPECIFIED
}

func toAccount(a access.Account) *accessv1.Account {
	return &accessv1.Account{
		AccountId: a.ID.String(), Name: a.Name, Notes: a.Notes, Etag: a.ETag(),
		CreateTime: toTime(a.CreatedAt), UpdateTime: toTime(a.UpdatedAt), DeleteTime: toTime(a.DeletedAt),
	}
}

func fromAccount(a *accessv1.Account) access.Account {
	return access.Account{ID: idOf(a.GetAccountId()), Name: a.GetName(), Notes: a.GetNotes()}
}

func toKey(k access.APIKey) *accessv1.ApiKey {
	out := &accessv1.ApiKey{
		KeyId: k.KeyID.String(), Name: k.Name, Role: toRole(k.Role), Hint: access.KeyPrefix + k.Hint, CreatedBy: k.CreatedBy,
		CreateTime: toTime(k.CreatedAt), ExpireTime: toTime(k.ExpiresAt), RevokeTime: toTime(k.RevokedAt), LastUsedTime: toTime(k.LastUsedAt),
	}
	if k.Account != uuid.Nil {
		out.AccountId = k.Account.String()
	}
	return out
}

func toTime(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// idOf reads an id that the schema has checked; "" gives the nil UUID.
func idOf(text string) uuid.UUID {
	id, _ := uuid.Parse(text)
	return id
}
