import { callUnaryMethod } from "@connectrpc/connect-query";
import type { Transport } from "@connectrpc/connect";
import type { RoutingRule, RuleFinding } from "@gen/operators/v1/routing_rule_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import type { ExplainRouteResponse } from "@gen/routing/v1/routing_pb";
import { RoutingService } from "@gen/routing/v1/routing_service_pb";
import { MessageType } from "@gen/routing/v1/types_pb";
import { type Heir, heirs, prefixesOf, witnessOf } from "./takeover";

/** What deleting a rule would do. */
export interface Foresight {
  /** A made-up number of the prefix. */
  readonly witness: string;
  /** What answers it now; undefined when no engine could be asked. */
  readonly now: ExplainRouteResponse | undefined;
  readonly heirs: readonly Heir[];
  /** Rules that fell through to it and would have nothing to fall to. */
  readonly warnings: readonly RuleFinding[];
}

/** Rules of one prefix that are looked at: a prefix may have one for each account, of which two lists begin with those that count. */
const ofOnePrefix = 20;

/** An account that has no rules of its own sees the global ones. */
const anyone = "ffffffff-ffff-4fff-bfff-ffffffffffff";

export async function foresee(transport: Transport, engine: Transport, rule: RoutingRule, signal: AbortSignal): Promise<Foresight> {
  const list = async (prefix: string, accountId: string, pageSize: number): Promise<RoutingRule[]> => {
    const { rules } = await callUnaryMethod(transport, RoutingRuleService.method.listRoutingRules, { prefix, accountId, pageSize }, { signal });
    return rules;
  };
  const owners = rule.accountId === "" ? [""] : ["", rule.accountId];
  const [others, longer, { warnings }] = await Promise.all([
    Promise.all(prefixesOf(rule.prefix).flatMap((prefix) => owners.map(async (owner) => (await list(prefix, owner, ofOnePrefix)).filter((one) => one.prefix === prefix)))),
    list(rule.prefix, "", 1000),
    callUnaryMethod(transport, RoutingRuleService.method.deleteRoutingRule, { ruleId: rule.ruleId, etag: rule.etag, validateOnly: true }, { signal }),
  ]);
  const witness = witnessOf(rule.prefix, longer.map(({ prefix }) => prefix));
  return { witness, now: await explain(engine, rule, witness, signal), heirs: heirs(rule, others.flat(), new Date()), warnings };
}

/** The engine may be another process: without it the rest is still worth telling. */
async function explain(engine: Transport, rule: RoutingRule, to: string, signal: AbortSignal): Promise<ExplainRouteResponse | undefined> {
  const query = { to, accountId: rule.accountId === "" ? anyone : rule.accountId, messageType: rule.messageTypes[0] ?? MessageType.SMS };
  try {
    return await callUnaryMethod(engine, RoutingService.method.explainRoute, { query }, { signal });
  } catch {
    return undefined;
  }
}
