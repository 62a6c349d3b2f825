import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import { BindType, EnforcementMode, OperatorStatus } from "@gen/operators/v1/operator_pb";
import { FindingSeverity } from "@gen/operators/v1/routing_rule_pb";
import { Role } from "@gen/options/v1/access_pb";
import { ReleaseState } from "@gen/releases/v1/release_pb";
import { MessageType, OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb";

/** The field's words for the enums of the API. A value that this console does not know yet is "unknown". */
function words<E extends number>(table: Readonly<Record<E, string>>): (value: E) => string {
  return (value) => table[value] ?? "unknown";
}

export const statusWord = words<OperatorStatus>({
  [OperatorStatus.UNSPECIFIED]: "Unknown",
  [OperatorStatus.INACTIVE]: "Inactive",
  [OperatorStatus.ACTIVE]: "Active",
  [OperatorStatus.SUSPENDED]: "Suspended",
});

export const bindWord = words<BindState>({
  [BindState.UNSPECIFIED]: "Unknown",
  [BindState.BOUND]: "Bound",
  [BindState.UNBOUND]: "Unbound",
  [BindState.FAILBACK]: "Failback",
});

export const qualityWord = words<Quality>({
  [Quality.UNSPECIFIED]: "Unknown",
  [Quality.HEALTHY]: "Healthy",
  [Quality.DEGRADED]: "Degraded",
  [Quality.UNHEALTHY]: "Unhealthy",
});

export const severityWord = words<FindingSeverity>({
  [FindingSeverity.UNSPECIFIED]: "Note",
  [FindingSeverity.ERROR]: "Conflict",
  [FindingSeverity.WARNING]: "Warning",
});

export const releaseWord = words<ReleaseState>({
  [ReleaseState.UNSPECIFIED]: "Unknown",
  [ReleaseState.DRAFT]: "Draft",
  [ReleaseState.APPROVED]: "Approved",
  [ReleaseState.SCHEDULED]: "Scheduled",
  [ReleaseState.ACTIVE]: "Active",
  [ReleaseState.RETIRED]: "Retired",
  [ReleaseState.EXPIRED]: "Expired",
});

export const messageTypeWord = words<MessageType>({
  [MessageType.UNSPECIFIED]: "any",
  [MessageType.SMS]: "SMS",
  [MessageType.FLASH]: "Flash",
  [MessageType.WAP]: "WAP push",
});

export const strategyWord = words<RoutingStrategy>({
  [RoutingStrategy.UNSPECIFIED]: "not given",
  [RoutingStrategy.COST]: "Cost",
  [RoutingStrategy.PRIORITY]: "Priority",
  [RoutingStrategy.FAILOVER]: "Failover",
  [RoutingStrategy.WEIGHTED]: "Weighted",
});

export const exhaustedWord = words<OnExhausted>({
  [OnExhausted.UNSPECIFIED]: "Fail",
  [OnExhausted.FAIL]: "Fail",
  [OnExhausted.FALL_THROUGH]: "Fall through",
});

export const bindTypeWord = words<BindType>({
  [BindType.UNSPECIFIED]: "Transceiver",
  [BindType.TRANSCEIVER]: "Transceiver",
  [BindType.TRANSMITTER]: "Transmitter",
  [BindType.RECEIVER]: "Receiver",
});

export const enforcementWord = words<EnforcementMode>({
  [EnforcementMode.UNSPECIFIED]: "Hard reject",
  [EnforcementMode.HARD_REJECT]: "Hard reject",
  [EnforcementMode.SOFT_THROTTLE]: "Soft throttle",
});

export const roleWord = words<Role>({
  [Role.UNSPECIFIED]: "no role",
  [Role.VIEWER]: "viewer",
  [Role.OPERATOR]: "operator",
  [Role.ADMIN]: "admin",
});
