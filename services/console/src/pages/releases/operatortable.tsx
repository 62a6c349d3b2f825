import type { ReleaseChange } from "@gen/releases/v1/release_pb";
import type { ReactNode } from "react";
import { counted } from "../../parts/figures";
import { OperatorName } from "../../parts/names";
import { StatusBadge } from "../../parts/status";
import { columnsOf, DataTable } from "../../parts/table";
import { useLocalRows } from "../../parts/tablequery";
import { changeName, kindOf } from "./changewords";
import type { ChangeRow } from "./diff";
import { operatorsApart, operatorsText, type OperatorCounts } from "./operatordiff";
import classes from "./releases.module.css";

const column = columnsOf<ChangeRow>();

const columns = [
  column.display({ id: "kind", header: "Kind", size: 116, meta: { grow: 0, narrow: true }, cell: ({ row }) => <Kind change={row.original.change} /> }),
  column.display({ id: "name", header: "Operator", size: 280, meta: { grow: 2, narrow: true }, cell: ({ row }) => <Name change={row.original.change} /> }),
  column.accessor(({ change }) => change.details.join(", "), {
    id: "details", header: "Details", size: 220, meta: { grow: 3 }, cell: ({ getValue }) => <span title={getValue()}>{getValue()}</span>,
  }),
];

function Kind({ change }: { readonly change: ReleaseChange }): ReactNode {
  const { label, tone } = kindOf(change.kind);
  return <StatusBadge tone={tone}>{label}</StatusBadge>;
}

function Name({ change }: { readonly change: ReleaseChange }): ReactNode {
  return change.operatorName === "" ? <OperatorName id={change.entityId} link={false} /> : changeName(change);
}

interface OperatorTableProps {
  readonly counts: OperatorCounts;
  /** Changes of operators. */
  readonly rows: readonly ChangeRow[];
  readonly onOpen: (key: string) => void;
  readonly current: string;
}

/** Operators that differ, apart from what publishing changes. */
export function OperatorTable({ counts, rows, onOpen, current }: OperatorTableProps): ReactNode {
  const data = useLocalRows(rows);
  const hidden = counts.all - BigInt(rows.length);
  return (
    <section className={classes.stack} aria-label="Operators that differ">
      <div>
        <h3 className={classes.subtitle}>Operators that differ: {operatorsText(counts)}</h3>
        <p className={classes.note}>
          {operatorsApart} A release keeps a copy of them, for replays.
          {hidden > 0n && ` ${counted(hidden, ["more is", "more are"])} not shown.`}
        </p>
      </div>
      <DataTable
        label="Operators that differ"
        noun={["operator", "operators"]}
        columns={columns}
        data={data}
        id={({ key }) => key}
        onOpen={({ key }) => {
          onOpen(key);
        }}
        current={current}
        height={rows.length > 12 ? 480 : "fit"}
      />
    </section>
  );
}
