package operators

import (
	"strings"

	"trunkline/services/platform/fault"
)

// The fields of an operator that an update may name.
var operatorFields = [...]string{
	"name", "host", "port", "system_id", "system_type", "bind_type", "tps_limit", "tps_limit.max_tps",
	"tps_limit.burst_multiplier", "tps_limit.enforcement_mode", "message_types", "backup_operator_id", "notes",
}

// maxMask is how many fields a mask may name, with room for repeats.
const maxMask = 100

// checkMask refuses a mask that names nothing, or anything that cannot be changed.
func checkMask(mask []string, fields []string) error {
	wrong := func(format string, args ...any) error {
		f := fault.New(fault.InvalidArgument, ReasonUpdateMask, format, args...)
		f.Violations = []fault.Violation{{Field: "update_mask", Description: f.Message}}
		return f
	}
	if len(mask) == 0 || len(mask) > maxMask {
		return wrong("The update mask must name 1 to %d of %s.", maxMask, strings.Join(fields, ", "))
	}
	known := make(map[string]bool, len(fields))
	for _, field := range fields {
		known[field] = true
	}
	for _, path := range mask {
		if !known[path] {
			return wrong("The update mask names %q; it may name %s.", shown(path), strings.Join(fields, ", "))
		}
	}
	return nil
}

// masked returns o with the named fields of from.
func (o Operator) masked(from Operator, mask []string) Operator {
	for _, path := range mask {
		switch path {
		case "name":
			o.Name = from.Name
		case "host":
			o.Host = from.Host
		case "port":
			o.Port = from.Port
		case "system_id":
			o.SystemID = from.SystemID
		case "system_type":
			o.SystemType = from.SystemType
		case "bind_type":
			o.BindType = from.BindType
		case "tps_limit":
			o.MaxTPS, o.BurstMultiplier, o.EnforcementMode = from.MaxTPS, from.BurstMultiplier, from.EnforcementMode
		case "tps_limit.max_tps":
			o.MaxTPS = from.MaxTPS
		case "tps_limit.burst_multiplier":
			o.BurstMultiplier = from.BurstMultiplier
		case "tps_limit.enforcement_mode":
			o.EnforcementMode = from.EnforcementMode
		case "message_types":
			o.MessageTypes = from.MessageTypes
		case "backup_operator_id":
			o.BackupID = from.BackupID
		case "notes":
			o.Notes = from.Notes
		}
	}
	return o.withDefaults()
}
