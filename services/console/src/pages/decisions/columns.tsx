import type { DecisionRecord } from "@gen/routing/v1/decision_pb";
import type { ReactNode } from "react";
import { AccountName, OperatorName } from "../../parts/names";
import { Prefix } from "../../parts/number";
import { Price } from "../../parts/price";
import { StatusBadge } from "../../parts/status";
import { columnsOf, type Columns } from "../../parts/table";
import { Duration, When } from "../../parts/when";
import { messageTypeWord } from "../../parts/words";
import { failureWord, keptNumber, outcomeTone, outcomeWord } from "./words";
import classes from "./decisions.module.css";

const column = columnsOf<DecisionRecord>();

export const decisionColumns: Columns<DecisionRecord> = [
  column.display({ id: "time", header: "Time", size: 172, meta: { grow: 0, narrow: true }, cell: ({ row }) => <When time={row.original.decideTime} seconds /> }),
  column.display({ id: "number", header: "Number", size: 150, meta: { grow: 1, narrow: true }, cell: ({ row }) => <KeptNumber record={row.original} /> }),
  column.accessor("accountId", { header: "Account", size: 110, cell: (cell) => <AccountName id={cell.getValue()} link={false} /> }),
  column.accessor("messageType", { header: "Type", size: 84, meta: { grow: 0 }, cell: (cell) => messageTypeWord(cell.getValue()) }),
  column.display({ id: "operator", header: "Operator", size: 150, meta: { grow: 2 }, cell: ({ row }) => <Chosen record={row.original} /> }),
  column.accessor("matchedPrefix", { header: "Prefix", size: 92, meta: { grow: 0 }, cell: (cell) => <Prefix value={cell.getValue()} /> }),
  column.display({ id: "price", header: "Price", size: 122, meta: { grow: 0, align: "end" }, cell: ({ row }) => (row.original.operatorId === "" ? "–" : <Price money={row.original.unitPrice} />) }),
  column.display({ id: "latency", header: "Took", size: 80, meta: { grow: 0, align: "end" }, cell: ({ row }) => <Duration value={row.original.latency} /> }),
  column.display({ id: "outcome", header: "Outcome", size: 126, meta: { grow: 0 }, cell: ({ row }) => <LastOutcome record={row.original} /> }),
];

/** The second line of a row on a narrow screen. */
export function DecisionSecond({ record }: { readonly record: DecisionRecord }): ReactNode {
  return (
    <>
      <Chosen record={record} /> <LastOutcome record={record} />
    </>
  );
}

export function KeptNumber({ record }: { readonly record: DecisionRecord }): ReactNode {
  const digits = record.numberDigits > 0 ? `${String(record.numberDigits)} digits; the log keeps no more than these` : "not kept";
  return (
    <span className={classes.mono} title={digits}>
      {record.numberPrefix === "" ? "–" : keptNumber(record)}
    </span>
  );
}

/** The operator, or why there is none. */
function Chosen({ record }: { readonly record: DecisionRecord }): ReactNode {
  if (record.operatorId !== "") return <OperatorName id={record.operatorId} link={false} />;
  return <StatusBadge tone="bad">{failureWord(record.failure)}</StatusBadge>;
}

function LastOutcome({ record }: { readonly record: DecisionRecord }): ReactNode {
  const last = record.outcomes.at(-1);
  if (last === undefined) return <span className={classes.dim}>none yet</span>;
  return <StatusBadge tone={outcomeTone(last.outcome)}>{outcomeWord(last.outcome)}</StatusBadge>;
}
