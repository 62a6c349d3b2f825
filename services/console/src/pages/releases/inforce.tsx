import { Anchor, Button } from "@mantine/core";
import type { Release } from "@gen/releases/v1/release_pb";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Allowed, Role } from "../../api/caller";
import { Answer } from "../../parts/answer";
import { Facts, Section } from "../../parts/page";
import { Ago, When } from "../../parts/when";
import { holds } from "./cautions";
import { Engines } from "../../parts/enginetable";
import classes from "./releases.module.css";
import { nameOf, scheduledOf, type Standing, titleOf } from "../../parts/standing";
import { Who } from "../../parts/who";

interface InForceProps {
  readonly standing: UseQueryResult<Standing, Error>;
  readonly releases: readonly Release[];
  /** Takes the release that stays in force. */
  readonly onCallOff: (activeId: string) => void;
}

/** What counts now, what is scheduled, and which engine serves what. */
export function InForce({ standing, releases, onCallOff }: InForceProps): ReactNode {
  const scheduled = scheduledOf(releases);
  return (
    <Answer query={standing} height={220}>
      {({ release, engines }) =>
        release === undefined ? (
          <>
            <Section title="In force">No release was ever published. Engines in release mode have nothing to serve until one is.</Section>
            {scheduled !== undefined && <Scheduled release={scheduled} />}
          </>
        ) : (
          <div className={classes.standing}>
            <div className={classes.stack}>
              <Section title="In force">
                <Active release={release} />
              </Section>
              {scheduled !== undefined && (
                <Scheduled
                  release={scheduled}
                  action={
                    <Allowed role={Role.ADMIN} unbound>
                      <Button variant="default" size="compact-sm" onClick={() => { onCallOff(release.releaseId); }}>
                        Call off
                      </Button>
                    </Allowed>
                  }
                />
              )}
            </div>
            <Section title="Engines" description="In release mode, heard of in the last minute and a half">
              <Engines engines={engines} releases={releases} />
            </Section>
          </div>
        )
      }
    </Answer>
  );
}

function Active({ release }: { readonly release: Release }): ReactNode {
  const { lastActivation } = release;
  return (
    <>
      <p className={classes.lead}>
        <Anchor component={Link} href={`/releases/${release.releaseId}`} inherit fw={650}>
          {titleOf(release)}
        </Anchor>
        {release.description !== "" && <> · {release.description}</>}
      </p>
      <Facts
        items={[
          { label: "Holds", value: holds(release) },
          { label: "Since", value: <><When time={lastActivation?.activateTime} /> (<Ago time={lastActivation?.activateTime} />)</> },
          { label: "Published by", value: <Who name={lastActivation?.createdBy ?? ""} /> },
          { label: "Activation", value: lastActivation === undefined ? "–" : <>{String(lastActivation.activation)}{!lastActivation.announced && ", NATS does not have it yet"}</> },
          ...(lastActivation !== undefined && lastActivation.reason !== "" ? [{ label: "Reason", value: lastActivation.reason }] : []),
        ]}
      />
    </>
  );
}

function Scheduled({ release, action }: { readonly release: Release; readonly action?: ReactNode }): ReactNode {
  const { lastActivation } = release;
  return (
    <Section title="Scheduled" actions={action}>
      <p className={classes.lead}>
        <Anchor component={Link} href={`/releases/${release.releaseId}`} inherit fw={650}>
          {titleOf(release)}
        </Anchor>{" "}
        takes effect <When time={lastActivation?.activateTime} seconds /> (<Ago time={lastActivation?.activateTime} />), by <Who name={lastActivation?.createdBy ?? ""} />.
      </p>
      <p className={classes.note}>Any publish or rollback before that moment calls {nameOf(release)} off.</p>
    </Section>
  );
}
