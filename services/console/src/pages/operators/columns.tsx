import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import { type Operator, OperatorStatus } from "@gen/operators/v1/operator_pb";
import type { ReactNode } from "react";
import { columnsOf } from "../../parts/table";
import { Count } from "../../parts/figures";
import { BindStateBadge, OperatorStatusBadge, QualityBadge, StatusBadge } from "../../parts/status";
import { bindTypeWord, messageTypeWord } from "../../parts/words";
import classes from "./operators.module.css";
import { addressOf, addressParts, deleted, type OperatorRow } from "./rows";

const column = columnsOf<OperatorRow>();

// Sorted, what somebody has to look at comes first.
const bindOrder: readonly BindState[] = [BindState.UNBOUND, BindState.FAILBACK, BindState.UNSPECIFIED, BindState.BOUND];
const qualityOrder: readonly Quality[] = [Quality.UNHEALTHY, Quality.DEGRADED, Quality.UNSPECIFIED, Quality.HEALTHY];

function statusOrder(operator: Operator): number {
  return deleted(operator) ? 4 : [OperatorStatus.ACTIVE, OperatorStatus.SUSPENDED, OperatorStatus.INACTIVE].indexOf(operator.status);
}

function Address({ operator }: { readonly operator: Operator }): ReactNode {
  const [host, port] = addressParts(operator);
  return (
    <span className={classes.address} title={`${host}${port}`}>
      <span className={classes.host}>{host}</span>
      <span>{port}</span>
    </span>
  );
}

// What somebody looks for at night comes first; the rest may need a wide window.
export const columns = [
  column.accessor((row) => row.operator.name, { id: "name", header: "Name", size: 186, meta: { grow: 2, narrow: true } }),
  column.accessor((row) => statusOrder(row.operator), {
    id: "status",
    header: "Status",
    size: 134,
    meta: { grow: 0 },
    cell: ({ row: { original } }) =>
      deleted(original.operator) ? <StatusBadge tone="idle">Deleted</StatusBadge> : <OperatorStatusBadge status={original.operator.status} />,
  }),
  column.accessor(({ health }) => bindOrder.indexOf(health?.bindState ?? BindState.UNSPECIFIED), {
    id: "bind",
    header: "Bind",
    size: 122,
    meta: { grow: 0, narrow: true },
    cell: ({ row: { original } }) => <BindStateBadge state={original.health?.bindState ?? BindState.UNSPECIFIED} />,
  }),
  column.accessor(({ health }) => qualityOrder.indexOf(health?.quality ?? Quality.UNSPECIFIED), {
    id: "quality",
    header: "Quality",
    size: 132,
    meta: { grow: 0 },
    cell: ({ row: { original } }) => <QualityBadge quality={original.health?.quality ?? Quality.UNSPECIFIED} />,
  }),
  column.accessor((row) => row.operator.tpsLimit?.maxTps, {
    id: "tps",
    header: "TPS",
    size: 76,
    meta: { align: "end", grow: 0 },
    cell: ({ getValue }) => <Count value={getValue()} />,
  }),
  column.accessor((row) => addressOf(row.operator), {
    id: "address",
    header: "Host and port",
    size: 272,
    meta: { grow: 2, mono: true },
    cell: ({ row: { original } }) => <Address operator={original.operator} />,
  }),
  column.accessor((row) => (row.health?.throttled === true ? 0 : 1), {
    id: "throttled",
    header: "Throttled",
    size: 130,
    meta: { grow: 0 },
    cell: ({ getValue }) => (getValue() === 0 ? <StatusBadge tone="warning">Throttled</StatusBadge> : <span>No</span>),
  }),
  column.accessor((row) => row.operator.systemId, { id: "system_id", header: "system_id", size: 136, meta: { mono: true } }),
  column.accessor((row) => bindTypeWord(row.operator.bindType), { id: "bind_type", header: "Bind type", size: 112, meta: { grow: 0 } }),
  column.accessor((row) => row.operator.messageTypes.map(messageTypeWord).join(", "), { id: "types", header: "Types", size: 150 }),
];

export const statuses: Readonly<Record<string, OperatorStatus>> = {
  active: OperatorStatus.ACTIVE,
  inactive: OperatorStatus.INACTIVE,
  suspended: OperatorStatus.SUSPENDED,
};

export const qualities: Readonly<Record<string, Quality>> = {
  healthy: Quality.HEALTHY,
  degraded: Quality.DEGRADED,
  unhealthy: Quality.UNHEALTHY,
  unknown: Quality.UNSPECIFIED,
};

export const binds: Readonly<Record<string, BindState>> = {
  bound: BindState.BOUND,
  failback: BindState.FAILBACK,
  unbound: BindState.UNBOUND,
  unknown: BindState.UNSPECIFIED,
};

/** Enum values by the words of the query string; unknown words are dropped, as from an old link. */
export function valuesIn<E>(words: readonly string[], table: Readonly<Record<string, E>>): E[] {
  return words.map((word) => table[word]).filter((value) => value !== undefined);
}
