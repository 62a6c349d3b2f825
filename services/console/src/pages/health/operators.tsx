import type { ReactNode } from "react";
import { columnsOf, DataTable } from "../../parts/table";
import { useLocalRows } from "../../parts/tablequery";
import { Empty } from "../../parts/states";
import { Ago } from "../../parts/when";
import { Badges, TroubleBadge } from "./badges";
import classes from "./health.module.css";
import type { Present } from "../../live/present";

const column = columnsOf<Present>();

const columns = [
  column.accessor((row) => row.operator.name, { id: "name", header: "Operator", size: 150, meta: { narrow: true } }),
  column.accessor("trouble", { header: "State", size: 150, meta: { narrow: true, grow: 0.8 }, cell: (cell) => <TroubleBadge trouble={cell.getValue()} /> }),
  column.display({ id: "badges", header: "Bind and quality", size: 340, meta: { grow: 2 }, cell: ({ row }) => <Badges present={row.original} line /> }),
  column.accessor("observed", { header: "Last report", size: 140, meta: { grow: 0 }, cell: (cell) => <Report time={cell.getValue()} /> }),
  column.accessor("changed", { header: "Changed", size: 140, meta: { grow: 0 }, cell: (cell) => <Ago time={cell.getValue()} /> }),
];

function Report({ time }: { readonly time: Date | undefined }): ReactNode {
  return time === undefined ? <span className={classes.dim}>never</span> : <Ago time={time} />;
}

interface OperatorsProps {
  readonly shown: readonly Present[];
  readonly current: string;
  readonly onOpen: (id: string) => void;
  readonly href: (id: string) => string;
}

/** How each operator is, those in trouble first. */
export function Operators({ shown, current, onOpen, href }: OperatorsProps): ReactNode {
  const data = useLocalRows(shown);
  return (
    <DataTable
      label="Operators by trouble"
      noun={["operator", "operators"]}
      columns={columns}
      data={data}
      id={({ operator }) => operator.operatorId}
      onOpen={({ operator }) => onOpen(operator.operatorId)}
      href={({ operator }) => href(operator.operatorId)}
      current={current}
      second={(present) => <Badges present={present} />}
      height="fit"
      empty={<Empty title="No operator is like this">Choose another state, or another name.</Empty>}
    />
  );
}
