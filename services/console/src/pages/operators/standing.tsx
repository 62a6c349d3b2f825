import { useQuery } from "@connectrpc/connect-query";
import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import type { Operator } from "@gen/operators/v1/operator_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import type { ReactNode } from "react";
import { bindTone, bindWord, OperatorStatusBadge, qualityTone, qualityWord, StatusBadge } from "../../parts/status";
import classes from "./operators.module.css";
import { deleted } from "./rows";

/** The present health of one operator, which good words keep alive: it is asked for before they are too old. */
export function useHealth(operatorId: string) {
  return useQuery(OperatorService.method.getOperatorHealth, { operatorId }, { refetchInterval: 20_000 });
}

/** The other words tell by themselves what they are about. */
export const bindText = (state: BindState): string => (state === BindState.UNSPECIFIED ? "Bind unknown" : bindWord(state));
export const qualityText = (quality: Quality): string => (quality === Quality.UNSPECIFIED ? "Quality unknown" : qualityWord(quality));

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
          <StatusBadge tone={bindTone(health.bindState)}>{bindText(health.bindState)}</StatusBadge>
          <StatusBadge tone={qualityTone(health.quality)}>{qualityText(health.quality)}</StatusBadge>
          {health.throttled && <StatusBadge tone="warning">Throttled</StatusBadge>}
          {health.byHand && <StatusBadge tone="info">By hand</StatusBadge>}
        </>
      )}
    </span>
  );
}
