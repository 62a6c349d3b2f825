import { Anchor } from "@mantine/core";
import { type Release, type ReleaseActivation, ReleaseActivationKind } from "@gen/releases/v1/release_pb";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Moment, momentWidth } from "../../parts/moment";
import { Empty } from "../../parts/states";
import { StatusBadge } from "../../parts/status";
import { columnsOf, DataTable } from "../../parts/table";
import { useLocalRows } from "../../parts/tablequery";
import { named, nameOf } from "../../parts/standing";
import { Who } from "../../parts/who";
import classes from "./releases.module.css";

interface HistoryRow {
  readonly activation: ReleaseActivation;
  readonly former: Release | undefined;
}

const column = columnsOf<HistoryRow>();

const columns = [
  column.accessor(({ activation }) => String(activation.activation), { id: "activation", header: "Activation", size: 104, meta: { grow: 0, narrow: true, mono: true } }),
  column.display({ id: "kind", header: "Kind", size: 150, meta: { narrow: true }, cell: ({ row }) => <Kind activation={row.original.activation} /> }),
  column.display({ id: "from", header: "In force from", size: momentWidth.seconds, meta: { grow: 0 }, cell: ({ row }) => <Moment time={row.original.activation.activateTime} seconds /> }),
  column.display({ id: "asked", header: "Asked for", size: momentWidth.seconds, meta: { grow: 0 }, cell: ({ row }) => <Moment time={row.original.activation.createTime} seconds /> }),
  column.accessor(({ activation }) => activation.createdBy, { id: "by", header: "By", size: 120, cell: ({ getValue }) => <Who name={getValue()} /> }),
  column.display({ id: "former", header: "In place of", size: 130, meta: { grow: 0 }, cell: ({ row }) => <Former row={row.original} /> }),
  column.accessor(({ activation }) => activation.reason, { id: "reason", header: "Reason", size: 200, meta: { grow: 3 } }),
];

function Kind({ activation }: { readonly activation: ReleaseActivation }): ReactNode {
  const word = activation.kind === ReleaseActivationKind.ROLLBACK ? "Rollback" : "Publish";
  if (activation.cancelled) return <StatusBadge tone="warning">{`${word}, called off`}</StatusBadge>;
  if (!activation.announced) return <StatusBadge tone="warning">{`${word}, not announced`}</StatusBadge>;
  return <StatusBadge tone={activation.kind === ReleaseActivationKind.ROLLBACK ? "info" : "idle"}>{word}</StatusBadge>;
}

function Former({ row: { activation, former } }: { readonly row: HistoryRow }): ReactNode {
  if (activation.formerReleaseId === "") return "nothing";
  if (former === undefined) return "another release";
  return (
    <Anchor component={Link} href={`/releases/${former.releaseId}`} size="sm">
      {nameOf(former)}
    </Anchor>
  );
}

interface HistoryProps {
  readonly activations: readonly ReleaseActivation[];
  readonly releases: readonly Release[];
}

/** When and by whom a release was put in force. */
export function History({ activations, releases }: HistoryProps): ReactNode {
  const data = useLocalRows(activations.map((activation) => ({ activation, former: named(releases, activation.formerReleaseId) })));
  return (
    <DataTable
      label="Activations"
      noun={["activation", "activations"]}
      columns={columns}
      data={data}
      id={({ activation }) => String(activation.activation)}
      second={({ activation }) => (
        <span className={classes.cut}>
          <Moment time={activation.activateTime} /> by <Who name={activation.createdBy} />
          {activation.reason !== "" && `: ${activation.reason}`}
        </span>
      )}
      empty={<Empty title="It was never published">Publish it to put it in force; the history begins then.</Empty>}
      height="fit"
    />
  );
}
