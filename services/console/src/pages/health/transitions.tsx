import type { HealthTransition } from "@gen/operators/v1/health_pb";
import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { Count } from "../../parts/figures";
import { OperatorName } from "../../parts/names";
import { Empty } from "../../parts/states";
import { columnsOf, DataTable } from "../../parts/table";
import { useLocalRows } from "../../parts/tablequery";
import { When } from "../../parts/when";
import { StateBadges } from "./badges";
import classes from "./health.module.css";
import { knownSince, type Past } from "./past";
import type { Present } from "../../live/present";
import { Cut } from "./timelines";

const column = columnsOf<HealthTransition>();

const time = column.accessor("occurTime", {
  header: "When",
  size: 190,
  meta: { narrow: true, grow: 1.5 },
  cell: (cell) => <When time={cell.getValue()} seconds />,
});
const who = column.accessor("operatorId", { header: "Operator", size: 170, meta: { narrow: true }, cell: (cell) => <OperatorName id={cell.getValue()} /> });
const rest = [
  column.display({ id: "to", header: "Became", size: 220, cell: ({ row }) => <Became transition={row.original} /> }),
  column.accessor("cause", { header: "Cause", size: 180, cell: (cell) => cell.getValue() || "–" }),
  column.accessor("submits", { header: "Submits", size: 90, meta: { align: "end", grow: 0 }, cell: (cell) => <Count value={cell.getValue()} /> }),
  column.accessor("errors", { header: "Errors", size: 90, meta: { align: "end", grow: 0 }, cell: (cell) => <Count value={cell.getValue()} /> }),
];
const ofAll = [time, who, ...rest];
const ofOne = [time, ...rest];

function Became({ transition }: { readonly transition: HealthTransition }): ReactNode {
  return <StateBadges state={{ bind: transition.toBindState, quality: transition.toQuality }} />;
}

interface TransitionsProps {
  readonly past: UseQueryResult<Past, Error>;
  /** Operators whose changes are shown; all when not filtered, so that deleted ones are among them. */
  readonly shown?: readonly Present[];
  readonly filtered?: boolean;
  /** Of one operator: without its name in every row. */
  readonly one?: boolean;
}

/** Changes of health with what caused them, newest first. */
export function Transitions({ past, shown, filtered = false, one = false }: TransitionsProps): ReactNode {
  const rows = useMemo(() => {
    if (!filtered || shown === undefined) return past.data?.transitions;
    const ids = new Set(shown.map(({ operator }) => operator.operatorId));
    return past.data?.transitions.filter(({ operatorId }) => ids.has(operatorId));
  }, [past.data, shown, filtered]);
  const table = useLocalRows(rows, past);
  const since = past.data === undefined ? undefined : knownSince(past.data);
  return (
    <>
      {past.data !== undefined && since !== undefined && <Cut past={past.data} since={since} />}
      <DataTable
        label="Changes of health"
        noun={["change", "changes"]}
        columns={one ? ofOne : ofAll}
        data={table}
        id={({ transitionId }) => transitionId}
        height="fit"
        second={(transition) => (
          <span className={classes.badges}>
            <Became transition={transition} /> {transition.cause}
          </span>
        )}
        empty={<Empty title="Nothing changed in this time" />}
      />
    </>
  );
}
