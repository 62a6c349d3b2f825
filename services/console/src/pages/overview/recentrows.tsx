import { useQuery } from "@connectrpc/connect-query";
import { AuditService } from "@gen/access/v1/audit_service_pb";
import type { ReactNode } from "react";
import { Answer } from "../../parts/answer";
import { Ago } from "../../parts/when";
import { Who } from "../releases/who";
import classes from "./overview.module.css";

/** Who changed what last. */
export default function RecentRows(): ReactNode {
  const query = useQuery(AuditService.method.listAuditRows, { pageSize: 5 }, { refetchInterval: 30_000 });
  if (query.data === undefined) {
    return (
      <Answer query={query} height={180} needs="an admin">
        {() => null}
      </Answer>
    );
  }
  if (query.data.rows.length === 0) return <p className={classes.dim}>Nothing was changed yet.</p>;
  return (
    <ul className={classes.recent}>
      {query.data.rows.map(({ auditId, action, actor, occurTime, after, before }) => (
        <li key={auditId}>
          <code className={classes.code}>{action}</code>
          <span className={classes.what}>{nameIn(after) ?? nameIn(before) ?? ""}</span>
          <span className={classes.dim}>
            <Who name={actor} /> · <Ago time={occurTime} />
          </span>
        </li>
      ))}
    </ul>
  );
}

/** What a row is about, as far as it has a name; undefined otherwise. */
function nameIn(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== "object" || value === null) return undefined;
    const found = "name" in value ? value.name : "prefix" in value ? value.prefix : undefined;
    return typeof found === "string" ? found : undefined;
  } catch {
    return undefined;
  }
}
