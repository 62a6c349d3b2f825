import type { DecisionRecord } from "@gen/routing/v1/decision_pb";
import type { ReactNode } from "react";
import { AccountCell } from "../../parts/accountcell";
import { typeParam } from "../../parts/messagetype";
import { Moment, momentWidth } from "../../parts/moment";
import { OperatorName } from "../../parts/names";
import { Prefix } from "../../parts/number";
import { Price } from "../../parts/price";
import { StatusBadge } from "../../parts/status";
import { columnsOf, type Columns } from "../../parts/table";
import { Duration } from "../../parts/when";
import { messageTypeWord } from "../../parts/words";
import { failureWord, keptNumber, outcomeTone, outcomeWord } from "./words";
import classes from "./decisions.module.css";

const column = columnsOf<DecisionRecord>();

export const decisionColumns: Columns<DecisionRecord> = [
  column.display({ id: "time", header: "Time", size: momentWidth.seconds, meta: { grow: 0, narrow: true }, cell: ({ row }) => <Moment time={row.original.decideTime} seconds /> }),
  column.display({ id: "number", header: "Number", size: 142, meta: { grow: 1, narrow: true }, cell: ({ row }) => <NumberCell record={row.original} /> }),
  column.accessor("accountId", { header: "Account", size: 96, cell: (cell) => <AccountCell id={cell.getValue()} none="–" /> }),
  column.display({ id: "operator", header: "Operator", size: 166, meta: { grow: 2 }, cell: ({ row }) => <Chosen record={row.original} /> }),
  column.accessor("matchedPrefix", { header: "Prefix", size: 88, meta: { grow: 0 }, cell: (cell) => <Prefix value={cell.getValue()} /> }),
  column.display({ id: "price", header: "Price", size: 130, meta: { grow: 0, align: "end" }, cell: ({ row }) => (row.original.operatorId === "" ? "–" : <Price money={row.original.unitPrice} />) }),
  column.display({ id: "latency", header: "Took", size: 78, meta: { grow: 0, align: "end" }, cell: ({ row }) => <Duration value={row.original.latency} /> }),
  column.display({ id: "outcome", header: "Outcome", size: 124, meta: { grow: 0 }, cell: ({ row }) => <LastOutcome record={row.original} /> }),
];

/** Most messages are SMS: only of the others the type is told. */
function NumberCell({ record }: { readonly record: DecisionRecord }): ReactNode {
  const type = typeParam(record.messageType);
  return (
    <>
      {type !== "SMS" && <span className={classes.type} title={messageTypeWord(record.messageType)}>{type}</span>}
      <KeptNumber record={record} />
    </>
  );
}

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
  return (
    <StatusBadge tone="bad" quiet>
      {failureWord(record.failure)}
    </StatusBadge>
  );
}

function LastOutcome({ record }: { readonly record: DecisionRecord }): ReactNode {
  const last = record.outcomes.at(-1);
  // Nobody carried it, so nothing will be reported.
  if (last === undefined && record.operatorId === "") return <span aria-label="no outcome">–</span>;
  if (last === undefined) return <span className={classes.dim}>none yet</span>;
  return (
    <StatusBadge tone={outcomeTone(last.outcome)} quiet>
      {outcomeWord(last.outcome)}
    </StatusBadge>
  );
}
