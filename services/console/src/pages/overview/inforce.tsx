import { Anchor } from "@mantine/core";
import type { ReleaseEngine } from "@gen/releases/v1/release_pb";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Answer } from "../../parts/answer";
import { Section } from "../../parts/page";
import { Ago } from "../../parts/when";
import { EngineBadge } from "../../parts/enginebadge";
import { engineName, enginesInOrder } from "../../parts/engines";
import { type Standing, titleOf } from "../../parts/standing";
import classes from "./overview.module.css";

/** The release that counts, and whether engines serve it. */
export function InForce({ standing }: { readonly standing: UseQueryResult<Standing, Error> }): ReactNode {
  const { data } = standing;
  return (
    <Section title="Release in force">
      {data === undefined ? (
        <Answer query={standing} height={84}>
          {() => null}
        </Answer>
      ) : (
        <div className={classes.release}>
          <p className={classes.line}>{data.release === undefined ? "No release was ever published." : <Active standing={data} />}</p>
          <Engines engines={data.engines} />
        </div>
      )}
    </Section>
  );
}

function Active({ standing: { release } }: { readonly standing: Standing }): ReactNode {
  if (release === undefined) return null;
  return (
    <>
      <Anchor component={Link} href={`/releases/${release.releaseId}`} inherit fw={650}>
        {titleOf(release)}
      </Anchor>
      {release.description !== "" && <> · {release.description}</>}
      <span className={classes.dim}>
        {" "}
        <Ago time={release.lastActivation?.activateTime} />
      </span>
    </>
  );
}

/** Engines that are named; of more there is a count. */
const shown = 5;

function Engines({ engines }: { readonly engines: readonly ReleaseEngine[] }): ReactNode {
  if (engines.length === 0) return <p className={classes.dim}>No engine in release mode speaks: engines read the database.</p>;
  return (
    <ul className={classes.engines} aria-label="Engines">
      {enginesInOrder(engines)
        .slice(0, shown)
        .map((engine) => (
          <li key={engine.event?.engineId}>
            <EngineBadge engine={engine} /> <span>{engineName(engines, engine)}</span>
            {engine.event?.reason !== "" && <code className={classes.code}>{engine.event?.reason}</code>}
          </li>
        ))}
      {engines.length > shown && (
        <li>
          <Anchor component={Link} href="/releases" size="sm">
            {String(engines.length - shown)} more
          </Anchor>
        </li>
      )}
    </ul>
  );
}
