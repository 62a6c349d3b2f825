import { Anchor } from "@mantine/core";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useQuery } from "@connectrpc/connect-query";
import type { AuditRow } from "@gen/access/v1/audit_pb";
import { AuditService } from "@gen/access/v1/audit_service_pb";
import { type ReactNode, useMemo } from "react";
import { Link } from "wouter";
import { actionWords } from "../../parts/actionwords";
import { Answer } from "../../parts/answer";
import { Copy } from "../../parts/copy";
import { Drawer } from "../../parts/drawer";
import { Facts } from "../../parts/page";
import { withParams } from "../../parts/params";
import { Empty } from "../../parts/states";
import { When } from "../../parts/when";
import classes from "./audit.module.css";
import { Changes } from "./changes";
import { Action, place } from "./columns";
import { entityPath, entityWord } from "./kinds";
import { timeOf } from "./uuidtime";

interface RowDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly rows: readonly AuditRow[];
}

/** A row may be written this many milliseconds after what it tells of. */
const slack = 120_000;

/** One row. A link may name one that is not among those that were loaded: then it is looked for around the time in its id. */
export function RowDrawer({ id, onClose, rows }: RowDrawerProps): ReactNode {
  const loaded = rows.find(({ auditId }) => auditId === id);
  const time = id === "" ? undefined : timeOf(id);
  const filter = useMemo(
    () =>
      time === undefined
        ? {}
        : { fromTime: timestampFromDate(new Date(time.getTime() - slack)), toTime: timestampFromDate(new Date(time.getTime() + slack)) },
    [time?.getTime()],
  );
  const query = useQuery(
    AuditService.method.listAuditRows,
    { filter, pageSize: 1000 },
    { enabled: loaded === undefined && time !== undefined, staleTime: Infinity },
  );
  const none = <Empty title="This row was not found">The link may be cut short.</Empty>;
  return (
    <Drawer id={id} onClose={onClose} size={820} title={titleOf(loaded ?? query.data?.rows.find(({ auditId }) => auditId === id))}>
      {(shown) => {
        const row = rows.find(({ auditId }) => auditId === shown);
        if (row !== undefined) return <View row={row} />;
        if (time === undefined && id !== "") return none;
        return (
          <Answer query={query} height={360} needs="an admin">
            {(page) => {
              const found = page.rows.find(({ auditId }) => auditId === shown);
              return found === undefined ? none : <View row={found} />;
            }}
          </Answer>
        );
      }}
    </Drawer>
  );
}

function titleOf(row: AuditRow | undefined): string {
  return row === undefined ? "Audit row" : actionWords(row.action);
}

function View({ row }: { readonly row: AuditRow }): ReactNode {
  const { occurTime, actor, requestId, action, entity, entityId, before, after, hash, auditId } = row;
  const path = entityPath(entity, entityId);
  return (
    <div className={classes.stack}>
      <Facts
        items={[
          { label: "Time", value: <When time={occurTime} seconds /> },
          { label: "Action", value: <><Action action={action} /> <span className={`${classes.mono ?? ""} ${classes.dim ?? ""}`}>{action}</span></> },
          { label: "Actor", value: <Whole value={actor} label="actor" /> },
          { label: "About", value: entityWord(entity) },
          { label: "Its id", value: <Whole value={entityId} label="entity id" /> },
          { label: "Request id", value: <Whole value={requestId} label="request id" /> },
          { label: "Place in the chain", value: row.sequence === 0n ? "It waits for its seal, about a second" : place(row) },
          { label: "Row id", value: <Whole value={auditId} label="row id" /> },
        ]}
      />
      {hash !== "" && (
        <p className={classes.prose}>
          Hash <Whole value={hash} label="hash" />
        </p>
      )}
      <nav className={classes.links} aria-label="Of this row">
        {path !== undefined && <Anchor component={Link} href={path} inherit>Open {entityWord(entity).toLowerCase()}</Anchor>}
        {entityId !== "" && <Anchor component={Link} href={withParams("/audit", { entity, entity_id: entityId })} inherit>All about it</Anchor>}
        <Anchor component={Link} href={withParams("/audit", { actor })} inherit>All by this actor</Anchor>
      </nav>
      <Changes before={before} after={after} />
    </div>
  );
}

function Whole({ value, label }: { readonly value: string; readonly label: string }): ReactNode {
  if (value === "") return <span aria-label={`no ${label}`}>–</span>;
  return (
    <span className={classes.copied}>
      <span className={classes.mono}>{value}</span>
      <Copy value={value} label={`Copy ${label}`} />
    </span>
  );
}
