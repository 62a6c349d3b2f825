import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import { OperatorStatus } from "@gen/operators/v1/operator_pb";
import { columnsOf } from "../../parts/table";
import { Count } from "../../parts/figures";
import { BindStateBadge, OperatorStatusBadge, QualityBadge, StatusBadge } from "../../parts/status";
import { bindTypeWord, messageTypeWord } from "../../parts/words";
import { addressOf, deleted, type OperatorRow } from "./rows";

const column = columnsOf<OperatorRow>();

// What somebody looks for at night comes first; the rest may need a wide window.
export const columns = [
  column.accessor((row) => row.operator.name, { id: "name", header: "Name", size: 190, meta: { grow: 2, narrow: true } }),
  column.display({
    id: "status",
    header: "Status",
    size: 138,
    meta: { grow: 0 },
    cell: ({ row: { original } }) =>
      deleted(original.operator) ? <StatusBadge tone="idle">Deleted</StatusBadge> : <OperatorStatusBadge status={original.operator.status} />,
  }),
  column.accessor((row) => row.health?.bindState ?? BindState.UNSPECIFIED, {
    id: "bind",
    header: "Bind",
    size: 116,
    meta: { grow: 0, narrow: true },
    cell: ({ getValue }) => <BindStateBadge state={getValue()} />,
  }),
  column.accessor((row) => row.health?.quality ?? Quality.UNSPECIFIED, {
    id: "quality",
    header: "Quality",
    size: 130,
    meta: { grow: 0 },
    cell: ({ getValue }) => <QualityBadge quality={getValue()} />,
  }),
  column.accessor((row) => row.health?.throttled === true, {
    id: "throttled",
    header: "Throttled",
    size: 130,
    meta: { grow: 0 },
    cell: ({ getValue }) => (getValue() ? <StatusBadge tone="warning">Throttled</StatusBadge> : <span>No</span>),
  }),
  column.accessor((row) => row.operator.tpsLimit?.maxTps, {
    id: "tps",
    header: "TPS",
    size: 72,
    meta: { align: "end", grow: 0 },
    cell: ({ getValue }) => <Count value={getValue()} />,
  }),
  column.accessor((row) => addressOf(row.operator), { id: "address", header: "Host and port", size: 240, meta: { grow: 2, mono: true } }),
  column.accessor((row) => row.operator.systemId, { id: "system_id", header: "system_id", size: 136, meta: { mono: true } }),
  column.accessor((row) => bindTypeWord(row.operator.bindType), { id: "bind_type", header: "Bind type", size: 112, meta: { grow: 0 } }),
  column.accessor((row) => row.operator.messageTypes.map(messageTypeWord).join(", "), { id: "types", header: "Types", size: 150 }),
];

export const statuses: Readonly<Record<string, OperatorStatus>> = {
  active: OperatorStatus.ACTIVE,
  inactive: OperatorStatus.INACTIVE,
  suspended: OperatorStatus.SUSPENDED,
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
