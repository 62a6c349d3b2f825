import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type RoutingRule, RoutingRuleSchema } from "@gen/operators/v1/routing_rule_pb";
import { OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb";

export const account = "0190a8f0-0000-7000-8000-00000000000a";
export const north = "0190a8f0-0000-7000-8000-000000000001";
export const south = "0190a8f0-0000-7000-8000-000000000002";

/** A rule that is as usual as it can be but for what is given. */
export function rule(part: MessageInitShape<typeof RoutingRuleSchema> = {}): RoutingRule {
  return create(RoutingRuleSchema, {
    ruleId: `rule ${part.accountId ?? ""} ${part.prefix ?? ""} ${(part.messageTypes ?? []).join()}`,
    prefix: "+44",
    country: "GB",
    strategy: RoutingStrategy.PRIORITY,
    onExhausted: OnExhausted.FAIL,
    active: true,
    candidates: [{ operatorId: north, operatorName: "North", priority: 1, weight: 100 }],
    ...part,
  });
}
