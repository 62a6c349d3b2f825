import { useQuery } from "@connectrpc/connect-query";
import { DecisionGroup, type SummarizeDecisionsResponse } from "@gen/routing/v1/decision_pb";
import { DecisionService } from "@gen/routing/v1/decision_service_pb";
import type { ReactNode } from "react";
import { counted, countText, percentText } from "../../parts/figures";
import classes from "./operators.module.css";

/** Decisions for one operator, and all of them. */
export function shareOf({ summaries }: SummarizeDecisionsResponse, operatorId: string): { readonly own: bigint; readonly all: bigint } {
  let own = 0n;
  let all = 0n;
  for (const { group, decisionCount } of summaries) {
    all += decisionCount;
    if (group === operatorId) own += decisionCount;
  }
  return { own, all };
}

/** How much of the last hour's traffic went over an operator. The decision log may be switched off, or out of reach. */
export function Share({ operatorId }: { operatorId: string }): ReactNode {
  const { data, error } = useQuery(
    DecisionService.method.summarizeDecisions,
    { step: { seconds: 3600n }, group: DecisionGroup.OPERATOR },
    { staleTime: 30_000, retry: false },
  );
  if (data === undefined) {
    return <span className={classes.dim}>{error === null ? "Counting the last hour's decisions…" : "How much it carried in the last hour is not known."}</span>;
  }
  const { own, all } = shareOf(data, operatorId);
  if (all === 0n) return <span>No decision was logged in the last hour.</span>;
  return (
    <span>
      In the last hour it was chosen for {counted(own, ["message", "messages"])} of {countText(all)}:{" "}
      <strong>{percentText(Number(own) / Number(all))}</strong>
    </span>
  );
}
