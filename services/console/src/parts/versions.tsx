import type { DecisionMeta } from "@gen/routing/v1/routing_pb";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Role, useMay } from "../api/caller";
import { cacheWord } from "./cacheword";
import { countText } from "./figures";
import { Facts } from "./page";
import { shortId } from "./shortid";
import { StatusBadge } from "./status";
import classes from "./values.module.css";

interface VersionsProps {
  readonly meta: DecisionMeta;
  /** Whether an operator was chosen: without one there is no health to tell of. */
  readonly chosen: boolean;
}

/** By which state it was decided. */
export function Versions({ meta, chosen }: VersionsProps): ReactNode {
  const linked = useMay(Role.VIEWER, true);
  return (
    <Facts
      items={[
        {
          label: "Release",
          value:
            meta.releaseId === "" ? (
              "None: rules are read from the database"
            ) : linked ? (
              <Link href={`/releases/${meta.releaseId}`} className={classes.link} title={meta.releaseId}>
                {shortId(meta.releaseId)}
              </Link>
            ) : (
              <span title={meta.releaseId}>{shortId(meta.releaseId)}</span>
            ),
        },
        { label: "Configuration", value: countText(meta.configVersion) },
        { label: "Rules and rates", value: countText(meta.rulesVersion) },
        { label: "Ranking algorithm", value: String(meta.algoVersion) },
        { label: "Decision cache", value: cacheWord(meta.cache) },
        ...(chosen
          ? [{ label: "Health of the chosen operator", value: meta.healthUnknown ? <StatusBadge tone="warning">Not known for 60 s</StatusBadge> : "Known" }]
          : []),
      ]}
    />
  );
}
