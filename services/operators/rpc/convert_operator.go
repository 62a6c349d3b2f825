package rpc

import (
	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/services/operators"
)

func toOperator(o operators.Operator) *operatorsv1.Operator {
	return &operatorsv1.Operator{
		OperatorId: o.ID.String(), Name: o.Name, Host: o.Host, Port: int32(o.Port), SystemId: o.SystemID, SystemType: o.SystemType,
		BindType: operatorsv1.BindType(o.BindType), MessageTypes: toMessageTypes(o.MessageTypes),
		TpsLimit: &operatorsv1.TpsLimit{
			MaxTps: int32(o.MaxTPS), BurstMultiplier: o.BurstMultiplier, EnforcementMode: operatorsv1.EnforcementMode(o.EnforcementMode),
		},
		Status: operatorsv1.OperatorStatus(o.Status), BackupOperatorId: idText(o.BackupID), Notes: o.Notes,
		HasCredentials: o.CredentialsVersion > 0, Version: o.Version, Etag: o.ETag(),
		CreateTime: toTime(o.CreatedAt), UpdateTime: toTime(o.UpdatedAt), DeleteTime: toTime(o.DeletedAt),
		CreatedBy: o.CreatedBy, UpdatedBy: o.UpdatedBy,
	}
}

// fromOperator reads what a caller may set; defaults stand for what is not given.
func fromOperator(o *operatorsv1.Operator) operators.Operator {
	out := operators.Operator{
		ID: idOf(o.GetOperatorId()), Name: o.GetName(), Host: o.GetHost(), Port: int(o.GetPort()), SystemID: o.GetSystemId(),
		SystemType: o.GetSystemType(), BindType: operators.BindType(o.GetBindType()), MessageTypes: fromMessageTypes(o.GetMessageTypes()),
		MaxTPS: int(o.GetTpsLimit().GetMaxTps()), BurstMultiplier: o.GetTpsLimit().GetBurstMultiplier(),
		EnforcementMode: operators.EnforcementMode(o.GetTpsLimit().GetEnforcementMode()),
		BackupID:        idOf(o.GetBackupOperatorId()), Notes: o.GetNotes(),
	}
	if out.BindType == 0 {
		out.BindType = operators.Transceiver
	}
	if out.MessageTypes == 0 {
		out.MessageTypes = operators.SMS
	}
	if out.BurstMultiplier == 0 {
		out.BurstMultiplier = operators.DefaultBurst
	}
	if out.EnforcementMode == 0 {
		out.EnforcementMode = operators.HardReject
	}
	return out
}

func toOperatorWarnings(all []operators.Warning) []*operatorsv1.OperatorWarning {
	out := make([]*operatorsv1.OperatorWarning, len(all))
	for i, w := range all {
		out[i] = &operatorsv1.OperatorWarning{Reason: w.Reason, Message: w.Message, RuleId: idText(w.RuleID), Witness: w.Witness}
	}
	return out
}
