import type { DecisionRecord } from "@gen/routing/v1/decision_pb";
import type { ReactNode } from "react";
import { AccountName, OperatorName } from "../../parts/names";
import { Prefix } from "../../parts/number";
import { Price } from "../../parts/price";
import { StatusBadge } from "../../parts/status";
import { columnsOf, type Columns } from "../../parts/table";
import { dateOf, Duration, utcText } from "../../parts/when";
import { typeParam } from "../explore/question";
import { failureWord, keptNumber, outcomeTone, outcomeWord } from "./words";
import classes from "./decisions.module.css";

const column = columnsOf<DecisionRecord>();

export const decisionColumns: Columns<DecisionRecord> = [
  column.display({ id: "time", header: "Time", size: 148, meta: { grow: 0, narrow: true }, cell: ({ row }) => <Moment record={row.original} /> }),
  column.display({ id: "number", header: "Number", size: 138, meta: { grow: 1, narrow: true }, cell: ({ row }) => <KeptNumber record={row.original} /> }),
  column.accessor("accountId", { header: "Account", size: 124, cell: (cell) => <AccountName id={cell.getValue()} link={false} /> }),
  column.accessor("messageType", { header: "Type", size: 64, meta: { grow: 0 }, cell: (cell) => typeParam(cell.getValue()) }),
  column.display({ id: "operator", header: "Operator", size: 150, meta: { grow: 1 }, cell: ({ row }) => <Chosen record={row.original} /> }),
  column.accessor("matchedPrefix", { header: "Prefix", size: 92, meta: { grow: 0 }, cell: (cell) => <Prefix value={cell.getValue()} /> }),
  column.display({ id: "price", header: "Price", size: 128, meta: { grow: 0, align: "end" }, cell: ({ row }) => (row.original.operatorId === "" ? "–" : <Price money={row.original.unitPrice} />) }),
  column.display({ id: "latency", header: "Took", size: 78, meta: { grow: 0, align: "end" }, cell: ({ row }) => <Duration value={row.original.latency} /> }),
  column.display({ id: "outcome", header: "Outcome", size: 140, meta: { grow: 0 }, cell: ({ row }) => <LastOutcome record={row.original} /> }),
];

const clock = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Without the year: the log does not go back that far, and the drawer tells all. */
function Moment({ record: { decideTime } }: { readonly record: DecisionRecord }): ReactNode {
  if (decideTime === undefined) return <span aria-label="no time">–</span>;
  const date = dateOf(decideTime);
  return (
    <time dateTime={date.toISOString()} title={utcText(date)}>
      {clock.format(date)}
    </time>
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
  return <StatusBadge tone="bad">{failureWord(record.failure)}</StatusBadge>;
}

function LastOutcome({ record }: { readonly record: DecisionRecord }): ReactNode {
  const last = record.outcomes.at(-1);
  if (last === undefined) return <span className={classes.dim}>none yet</span>;
  return <StatusBadge tone={outcomeTone(last.outcome)}>{outcomeWord(last.outcome)}</StatusBadge>;
}
