import type { RuleFinding } from "@gen/operators/v1/routing_rule_pb";
import type { ReactNode } from "react";
import { Msisdn } from "../../parts/number";
import { SeverityBadge } from "../../parts/status";
import { columnsOf, type Columns } from "../../parts/table";
import { RuleLinks, TryLink } from "./findings";
import classes from "./rules.module.css";

/** A finding with its place in the answer, by which rows are told apart. */
export type NumberedFinding = RuleFinding & { readonly index: number };

const column = columnsOf<NumberedFinding>();

export const findingColumns: Columns<NumberedFinding> = [
  column.accessor("severity", { header: "Severity", size: 116, meta: { narrow: true }, cell: (cell) => <SeverityBadge severity={cell.getValue()} /> }),
  column.accessor("message", {
    header: "Finding",
    size: 300,
    meta: { grow: 5 },
    cell: (cell) => (
      <span className={classes.message} title={cell.getValue()}>
        {cell.getValue()}
      </span>
    ),
  }),
  column.accessor("reason", { header: "Reason", size: 182, meta: { grow: 0 }, cell: (cell) => <code className={classes.reason}>{cell.getValue()}</code> }),
  column.display({
    id: "rules",
    header: "Rules",
    size: 150,
    meta: { grow: 0 },
    cell: ({ row }) => (
      <span className={classes.ruleLinks}>
        <RuleLinks ids={row.original.ruleIds} />
      </span>
    ),
  }),
  column.accessor("witness", {
    header: "Witness",
    size: 190,
    meta: { narrow: true },
    cell: (cell) =>
      cell.getValue() === "" ? (
        "–"
      ) : (
        <span className={classes.witness}>
          <Msisdn number={cell.getValue()} reveal /> <TryLink number={cell.getValue()} />
        </span>
      ),
  }),
];

export function FindingSecond({ finding }: { readonly finding: RuleFinding }): ReactNode {
  return (
    <span className={classes.message} title={finding.message}>
      {finding.message}
    </span>
  );
}
