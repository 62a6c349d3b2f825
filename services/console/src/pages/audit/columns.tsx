import type { AuditRow } from "@gen/access/v1/audit_pb";
import type { ReactNode } from "react";
import { actionWords } from "../../parts/actionwords";
import { changedName } from "../../parts/changedname";
import { Moment, momentWidth } from "../../parts/moment";
import { Id } from "../../parts/number";
import { StatusBadge } from "../../parts/status";
import { columnsOf } from "../../parts/table";
import { countText } from "../../parts/figures";
import { Who } from "../../parts/who";
import classes from "./audit.module.css";
import { entityWord } from "./kinds";

const column = columnsOf<AuditRow>();

export const columns = [
  column.display({ id: "action", header: "Action", size: 190, meta: { narrow: true }, cell: ({ row }) => <Action action={row.original.action} /> }),
  column.display({ id: "time", header: "Time", size: momentWidth.seconds, meta: { grow: 0 }, cell: ({ row }) => <Moment time={row.original.occurTime} seconds /> }),
  column.accessor("actor", { header: "Actor", size: 130, meta: { grow: 1 }, cell: ({ getValue }) => <Who name={getValue()} /> }),
  column.display({ id: "entity", header: "About", size: 190, meta: { grow: 3, narrow: true }, cell: ({ row }) => <About row={row.original} /> }),
  column.display({ id: "entity_id", header: "Its id", size: 130, meta: { grow: 0 }, cell: ({ row }) => <Subject row={row.original} /> }),
  column.display({ id: "request", header: "Request", size: 130, meta: { grow: 0 }, cell: ({ row }) => <Id value={row.original.requestId} label="request id" /> }),
  column.accessor((row) => place(row), { id: "place", header: "Place", size: 84, meta: { grow: 0, align: "end" } }),
];

/** In words; its name as a tooltip. */
export function Action({ action }: { readonly action: string }): ReactNode {
  return (
    <span title={action}>{action === "access.denied" ? <StatusBadge tone="warning">{actionWords(action)}</StatusBadge> : actionWords(action)}</span>
  );
}

function About({ row }: { readonly row: AuditRow }): ReactNode {
  const name = changedName(row);
  return (
    <span className={classes.cut} title={name}>
      {entityWord(row.entity)}
      {name !== undefined && (
        <>
          {" "}
          <strong>{name}</strong>
        </>
      )}
    </span>
  );
}

/** Procedures are readable, ids are not. */
function Subject({ row: { entity, entityId } }: { readonly row: AuditRow }): ReactNode {
  if (entity === "procedure") return <span title={entityId}>{entityId.split("/").slice(-1)}</span>;
  return <Id value={entityId} label="entity id" />;
}

/** In the chain. A row waits about a second for its seal. */
export function place({ sequence }: AuditRow): string {
  return sequence === 0n ? "waits" : countText(sequence);
}

/** What narrow windows show under the action. */
export function second(row: AuditRow): ReactNode {
  return (
    <>
      <Moment time={row.occurTime} seconds />
      <span className={classes.cut}>
        <Who name={row.actor} />
      </span>
    </>
  );
}
