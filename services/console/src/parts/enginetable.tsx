import type { Release, ReleaseEngine } from "@gen/releases/v1/release_pb";
import { type ReactNode, useMemo } from "react";
import { Ago, When } from "./when";
import { Id } from "./number";
import { columnsOf, DataTable } from "./table";
import { useLocalRows } from "./tablequery";
import { EngineBadge } from "./enginebadge";
import { engineName, enginesInOrder, engineWord } from "./engines";
import { refusalOf } from "./refusals";
import classes from "./enginetable.module.css";
import { named, nameOf } from "./standing";

interface EngineRow {
  readonly engine: ReleaseEngine;
  readonly name: string;
  readonly serves: string;
}

const column = columnsOf<EngineRow>();

const columns = [
  column.display({
    id: "state", header: "State", size: 130, meta: { grow: 0, narrow: true },
    cell: ({ row }) => <EngineBadge engine={row.original.engine} />,
  }),
  column.accessor("name", { header: "Engine on", size: 160, meta: { narrow: true } }),
  column.accessor("serves", { header: "Serves", size: 200 }),
  column.display({ id: "since", header: "Since", size: 190, meta: { grow: 0 }, cell: ({ row }) => <When time={row.original.engine.event?.servingSince} /> }),
  column.display({ id: "heard", header: "Last heard", size: 140, meta: { grow: 0 }, cell: ({ row }) => <Ago time={row.original.engine.event?.occurredAt} /> }),
  column.display({
    id: "id", header: "Engine id", size: 150, meta: { grow: 0 }, cell: ({ row }) => <Id value={row.original.engine.event?.engineId ?? ""} label="engine id" />,
  }),
];

interface EnginesProps {
  readonly engines: readonly ReleaseEngine[];
  readonly releases: readonly Release[];
}

/** Which engine serves what; refused first, with why in words. */
export function Engines({ engines, releases }: EnginesProps): ReactNode {
  const rows = useMemo<readonly EngineRow[]>(
    () => enginesInOrder(engines).map((engine) => ({ engine, name: engineName(engines, engine), serves: servedText(engine, releases) })),
    [engines, releases],
  );
  const data = useLocalRows(rows);
  const refused = rows.filter(({ engine }) => engineWord(engine) === "refused");
  if (rows.length === 0) return <NoEngines />;
  return (
    <div className={classes.stack}>
      {refused.length > 0 && (
        <ul className={classes.refusals} role="alert">
          {refused.map(({ engine, name, serves }) => (
            <li key={engine.event?.engineId}>
              <Refused engine={engine} name={name} serves={serves} />
            </li>
          ))}
        </ul>
      )}
      <DataTable
        label="Engines"
        noun={["engine", "engines"]}
        columns={columns}
        data={data}
        id={({ engine }) => engine.event?.engineId ?? ""}
        second={({ engine, serves }) => <>{serves}, heard <Ago time={engine.event?.occurredAt} /></>}
        height="fit"
      />
    </div>
  );
}

interface RefusedProps {
  readonly engine: ReleaseEngine;
  readonly name: string;
  readonly serves: string;
}

/** Why an engine refused, and what to do about it. */
export function Refused({ engine, name, serves }: RefusedProps): ReactNode {
  const reason = engine.event?.reason ?? "";
  const refusal = refusalOf(reason);
  return (
    <>
      <strong>{name}</strong> refused it: {refusal?.meaning ?? "for a reason that this console does not know"} (<code className={classes.code}>{reason}</code>). It
      goes on serving {serves}.{refusal !== undefined && ` What to do: ${refusal.remedy}.`}
    </>
  );
}

/** "release 2, activation 3", "nothing". */
export function servedText({ event }: ReleaseEngine, releases: readonly Release[]): string {
  if (event === undefined || event.servingReleaseId === "") return "nothing";
  return `${nameOf(named(releases, event.servingReleaseId))}, activation ${String(event.servingActivation)}`;
}

/** What publishing means where no engine runs in release mode. */
export function NoEngines(): ReactNode {
  return (
    <p className={classes.note} role="note">
      No engine in release mode was heard of in the last minute and a half. Engines in database or memory mode take rules and prices from
      the live tables: publishing changes nothing for them. How to run engines in release mode: docs/how-to/releases.md, In production.
    </p>
  );
}
