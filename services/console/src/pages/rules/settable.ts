import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RoutingRule, RoutingRuleSchema } from "@gen/operators/v1/routing_rule_pb";

/** What can be set of a stored rule, exactly as it is: without id, etag, version, times and authors, which are the server's. */
export function settable(rule: RoutingRule): MessageInitShape<typeof RoutingRuleSchema> {
  const { accountId, prefix, country, messageTypes, strategy, onExhausted, active, validFrom, validTo, description, candidates } = rule;
  return {
    accountId,
    prefix,
    country,
    messageTypes,
    strategy,
    onExhausted,
    active,
    ...(validFrom === undefined ? {} : { validFrom }),
    ...(validTo === undefined ? {} : { validTo }),
    description,
    candidates: candidates.map(({ operatorId, priority, weight, price }) => ({
      operatorId,
      priority,
      ...(weight === undefined ? {} : { weight }),
      ...(price === undefined ? {} : { price }),
    })),
  };
}
