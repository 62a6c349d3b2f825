import type { DecisionMeta } from "@gen/routing/v1/routing_pb";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Role, useMay } from "../api/caller";
import { cacheWord } from "./cacheword";
import { countText } from "./figures";
import { Facts } from "./page";
import { StatusBadge } from "./status";
import classes from "./values.module.css";

/** By which state it was decided. */
export function Versions({ meta }: { readonly meta: DecisionMeta }): ReactNode {
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
                {meta.releaseId.slice(0, 8)}…
              </Link>
            ) : (
              <span title={meta.releaseId}>{meta.releaseId.slice(0, 8)}…</span>
            ),
        },
        { label: "Configuration", value: countText(meta.configVersion) },
        { label: "Rules and rates", value: countText(meta.rulesVersion) },
        { label: "Ranking algorithm", value: String(meta.algoVersion) },
        { label: "Decision cache", value: cacheWord(meta.cache) },
        {
          label: "Health of the chosen operator",
          value: meta.healthUnknown ? <StatusBadge tone="warning">Not known for 60 s</StatusBadge> : "Known",
        },
      ]}
    />
  );
}
