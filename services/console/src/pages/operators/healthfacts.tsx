import type { OperatorHealth } from "@gen/operators/v1/health_pb";
import type { ReactNode } from "react";
import { Answer } from "../../parts/answer";
import { Facts } from "../../parts/page";
import { BindStateBadge, QualityBadge, StatusBadge } from "../../parts/status";
import { Ago } from "../../parts/when";
import { useHealth } from "./standing";

/** How one operator is at the moment. */
export function HealthFacts({ operatorId }: { operatorId: string }): ReactNode {
  const query = useHealth(operatorId);
  return (
    <Answer query={query} height={48}>
      {({ health }) => <Facts items={facts(health)} />}
    </Answer>
  );
}

function facts(health: OperatorHealth | undefined) {
  if (health === undefined) return [{ label: "Health", value: "never reported" }];
  return [
    { label: "Bind", value: <BindStateBadge state={health.bindState} /> },
    { label: "Quality", value: <QualityBadge quality={health.quality} /> },
    { label: "Throttled", value: health.throttled ? <StatusBadge tone="warning">Throttled</StatusBadge> : "No" },
    { label: "Changed", value: health.changeTime === undefined ? "never reported" : <Ago time={health.changeTime} /> },
    { label: "Last reported", value: health.observeTime === undefined ? "never" : <Ago time={health.observeTime} /> },
    ...(health.byHand ? [{ label: "Said by", value: "somebody by hand, or a neighbour" }] : []),
  ];
}
