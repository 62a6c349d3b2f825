import { useQuery } from "@connectrpc/connect-query";
import type { Operator } from "@gen/operators/v1/operator_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import type { ReactNode } from "react";
import { BindStateBadge, OperatorStatusBadge, QualityBadge, StatusBadge } from "../../parts/status";
import classes from "./operators.module.css";
import { deleted } from "./rows";

/** The present health of one operator, which good words keep alive: it is asked for before they are too old. */
export function useHealth(operatorId: string) {
  return useQuery(OperatorService.method.getOperatorHealth, { operatorId }, { refetchInterval: 20_000 });
}

/** Status, bind and quality in one line. */
export function Standing({ operator }: { operator: Operator }): ReactNode {
  const { data } = useHealth(operator.operatorId);
  const health = data?.health;
  if (deleted(operator)) {
    return (
      <span className={classes.badges}>
        <StatusBadge tone="idle">Deleted</StatusBadge>
      </span>
    );
  }
  return (
    <span className={classes.badges}>
      <OperatorStatusBadge status={operator.status} />
      {health !== undefined && (
        <>
          <BindStateBadge state={health.bindState} />
          <QualityBadge quality={health.quality} />
          {health.throttled && <StatusBadge tone="warning">Throttled</StatusBadge>}
          {health.byHand && <StatusBadge tone="info">By hand</StatusBadge>}
        </>
      )}
    </span>
  );
}
