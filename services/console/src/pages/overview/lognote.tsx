import { useQuery } from "@connectrpc/connect-query";
import { DecisionService } from "@gen/routing/v1/decision_service_pb";
import type { ReactNode } from "react";
import { When } from "../../parts/when";
import classes from "./overview.module.css";

/** Says why there are no figures: nothing was decided lately, or nothing was ever logged. */
export function LogNote(): ReactNode {
  const { data } = useQuery(DecisionService.method.listDecisions, { pageSize: 1 }, { staleTime: 60_000 });
  if (data === undefined) return <p className={classes.note}>&nbsp;</p>;
  const [last] = data.decisions;
  if (last !== undefined) {
    return (
      <p className={classes.note}>
        No decision in the last 5 minutes. The last one was <When time={last.decideTime} seconds />.
      </p>
    );
  }
  return (
    <p className={classes.note}>
      No decision is in the log. If engines do decide, they keep no log: give them a key in <code>engine.decision_log.key</code> and the same to{" "}
      <code>decisions.key</code> of operator-management. More in docs/how-to/decision-log.md.
    </p>
  );
}
