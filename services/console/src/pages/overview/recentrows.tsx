import { callUnaryMethod, createConnectQueryKey, useTransport } from "@connectrpc/connect-query";
import { AuditService } from "@gen/access/v1/audit_service_pb";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { actionWords } from "../../parts/actionwords";
import { Answer } from "../../parts/answer";
import { changedName } from "../../parts/changedname";
import { countText } from "../../parts/figures";
import { Ago } from "../../parts/when";
import { Who } from "../../parts/who";
import { recentChanges } from "./changes";
import classes from "./overview.module.css";

/** Who changed what last. */
export default function RecentRows(): ReactNode {
  const transport = useTransport();
  const { listAuditRows } = AuditService.method;
  const query = useQuery({
    queryKey: [...createConnectQueryKey({ schema: listAuditRows, transport, cardinality: "finite" }), "changes"],
    queryFn: ({ signal }) => recentChanges((input) => callUnaryMethod(transport, listAuditRows, input, { signal })),
    refetchInterval: 30_000,
  });
  if (query.data === undefined) {
    return (
      <Answer query={query} height={180} needs="an admin">
        {() => null}
      </Answer>
    );
  }
  const { changes, looked, whole } = query.data;
  if (changes.length === 0) {
    return <p className={classes.dim}>{whole ? "Nothing was changed yet." : `No change among the last ${countText(looked)} entries of the audit log.`}</p>;
  }
  return (
    <ul className={classes.recent}>
      {changes.map((change) => (
        <li key={change.auditId}>
          <span className={classes.action} title={change.action}>
            {actionWords(change.action)}
          </span>
          <span className={classes.what}>{changedName(change) ?? ""}</span>
          <span className={classes.dim}>
            <Who name={change.actor} /> · <Ago time={change.occurTime} />
          </span>
        </li>
      ))}
    </ul>
  );
}
