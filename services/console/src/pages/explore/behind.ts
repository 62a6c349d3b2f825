import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import { type CandidateTrace, Rejection, type RuleTrace } from "@gen/routing/v1/routing_pb";
import { RoutingStrategy } from "@gen/routing/v1/types_pb";

/** What puts candidates of the same health in order. */
const orders: Readonly<Record<RoutingStrategy, string>> = {
  [RoutingStrategy.UNSPECIFIED]: "",
  [RoutingStrategy.COST]: "Behind by price, then priority.",
  [RoutingStrategy.PRIORITY]: "Behind by priority, then weight and price.",
  [RoutingStrategy.FAILOVER]: "Behind by priority.",
  [RoutingStrategy.WEIGHTED]: "Behind by the draw.",
};

/** Why a usable candidate is not the first one of its rule, as docs/explanation/deciding.md ranks them; "" for the first. */
export function behind(rule: Pick<RuleTrace, "strategy" | "candidates">, one: CandidateTrace): string {
  const first = rule.candidates.find(({ rank }) => rank === 1);
  if (first === undefined || one.rank <= 1 || one.rejection !== Rejection.UNSPECIFIED) return "";
  const cares = rule.strategy === RoutingStrategy.COST || rule.strategy === RoutingStrategy.PRIORITY;
  if (unknown(one) && !unknown(first)) return "Behind, because its health is not known.";
  if (cares && weak(one) && !unknown(first) && !weak(first)) {
    return one.quality === Quality.DEGRADED ? "Behind, because it is degraded." : "Behind, because only a backup session is up.";
  }
  return orders[rule.strategy];
}

function unknown(one: CandidateTrace): boolean {
  return one.bindState === BindState.UNSPECIFIED && one.quality === Quality.UNSPECIFIED;
}

function weak(one: CandidateTrace): boolean {
  return one.quality === Quality.DEGRADED || one.bindState === BindState.FAILBACK;
}
