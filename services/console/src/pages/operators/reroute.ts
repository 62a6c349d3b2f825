import type { Operator } from "@gen/operators/v1/operator_pb";
import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import { type ExplainRouteResponse, RuleOutcome, type SelectOperatorRequest } from "@gen/routing/v1/routing_pb";
import { MessageType, RoutingStrategy } from "@gen/routing/v1/types_pb";
import { timestampMs } from "@bufbuild/protobuf/wkt";

/** What becomes of the messages of a rule when one of its operators is gone. */
export type Fate =
  /** Another operator carries them. shared: under WEIGHTED the operator's share goes to the others, of which this is one. */
  | { readonly kind: "moves"; readonly operatorId: string; readonly operatorName: string; readonly shared: boolean }
  /** Nobody carries them. */
  | { readonly kind: "none"; readonly reason: string }
  /** Others carry them already. */
  | { readonly kind: "others" }
  /** Nobody carries them as it is. */
  | { readonly kind: "already" }
  /** Rules with longer prefixes answer every number that was tried. */
  | { readonly kind: "hidden" }
  /** The rule is switched off or not in force. */
  | { readonly kind: "off" };

export interface RuleFate {
  readonly rule: RoutingRule;
  /** The number that was asked about; "" when none was. */
  readonly number: string;
  readonly fate: Fate;
}

export type Question = Pick<SelectOperatorRequest, "to" | "accountId" | "messageType" | "messageId" | "excludeOperatorIds">;

/**
 * Asks the engine how a decision comes about. Explaining leaves no trace in the decision log; BatchSelectOperators would put each of these
 * made-up numbers into it, and with it into traffic, cost and the replay of releases.
 */
export type Ask = (question: Question) => Promise<ExplainRouteResponse>;

/** Global rules are asked about as an account that has no rules of its own. */
const nobody = "ffffffff-ffff-4fff-bfff-ffffffffffff";

/** A draw that is the same every time. */
const messageId = "console-preview";

/** How many numbers of a rule are tried until one is not answered by a longer prefix. */
const tries = 4;

/** Made-up numbers of a prefix that go apart at the first digit after it. */
export function witnesses(prefix: string): readonly string[] {
  const missing = 13 - prefix.length;
  if (missing <= 0) return [prefix];
  return ["5", "0", "9", "2"].slice(0, tries).map((digit) => prefix + digit.repeat(missing));
}

/** Who carries the messages of one rule when the operator is gone. */
export async function fateOf(rule: RoutingRule, operator: Operator, ask: Ask, now: Date): Promise<RuleFate> {
  if (!inForce(rule, now)) return { rule, number: "", fate: { kind: "off" } };
  const messageType = typeOf(rule, operator);
  if (messageType === undefined) return { rule, number: "", fate: { kind: "others" } };
  const question = { accountId: rule.accountId === "" ? nobody : rule.accountId, messageType, messageId };
  for (const to of witnesses(rule.prefix)) {
    const asItIs = await ask({ ...question, to, excludeOperatorIds: [] });
    const trace = asItIs.rules.find(({ ruleId }) => ruleId === rule.ruleId);
    if (trace === undefined || !evaluated.includes(trace.outcome)) continue;
    if (asItIs.result.case !== "decision") return { rule, number: to, fate: { kind: "already" } };
    const { operatorId, alternates } = asItIs.result.value;
    const weighted = trace.strategy === RoutingStrategy.WEIGHTED;
    const own = trace.candidates.find((candidate) => candidate.operatorId === operator.operatorId);
    const carries = trace.outcome === RuleOutcome.SELECTED && own !== undefined && own.rank > 0 && (own.rank === 1 || (weighted && own.weight > 0));
    if (!carries) return { rule, number: to, fate: { kind: "others" } };
    const next = alternates[0];
    // Without a draw the next one in the order takes over. It is asked for again where the order may change, or ends.
    if (!weighted && operatorId === operator.operatorId && next !== undefined) {
      return { rule, number: to, fate: { kind: "moves", operatorId: next.operatorId, operatorName: next.operatorName, shared: false } };
    }
    const without = (await ask({ ...question, to, excludeOperatorIds: [operator.operatorId] })).result;
    if (without.case !== "decision") return { rule, number: to, fate: { kind: "none", reason: without.value?.reason ?? "" } };
    return { rule, number: to, fate: { kind: "moves", operatorId: without.value.operatorId, operatorName: without.value.operatorName, shared: weighted } };
  }
  return { rule, number: "", fate: { kind: "hidden" } };
}

const evaluated: readonly RuleOutcome[] = [RuleOutcome.SELECTED, RuleOutcome.EXHAUSTED, RuleOutcome.FELL_THROUGH];

function inForce(rule: RoutingRule, now: Date): boolean {
  const at = now.getTime();
  if (!rule.active || (rule.validFrom !== undefined && timestampMs(rule.validFrom) > at)) return false;
  return rule.validTo === undefined || timestampMs(rule.validTo) > at;
}

/** A type that both the rule and the operator carry, SMS first; undefined when the rule never uses the operator. */
function typeOf(rule: RoutingRule, operator: Operator): MessageType | undefined {
  const carried = operator.messageTypes.length === 0 ? [MessageType.SMS] : operator.messageTypes;
  return [...carried].sort((a, b) => a - b).find((type) => rule.messageTypes.length === 0 || rule.messageTypes.includes(type));
}

/** The fates of all rules, a few at a time, in the order of the rules. tell hears how many are done. */
export async function fatesOf(
  rules: readonly RoutingRule[],
  operator: Operator,
  ask: Ask,
  { now, signal, tell, width = 6 }: { now: Date; signal: AbortSignal; tell?: (done: number) => void; width?: number },
): Promise<readonly RuleFate[]> {
  const fates = new Array<RuleFate | undefined>(rules.length);
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (;;) {
      const index = next++;
      const rule = rules[index];
      if (rule === undefined) return;
      signal.throwIfAborted();
      fates[index] = await fateOf(rule, operator, ask, now);
      tell?.(++done);
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return fates.filter((fate) => fate !== undefined);
}

/** The rules that go one way. */
export interface Group {
  readonly count: number;
  /** Up to three numbers that show it, and the account to ask as; "" for a global rule. */
  readonly examples: readonly { readonly number: string; readonly account: string }[];
}

export interface RerouteSummary {
  /** By who takes over, the most rules first. */
  readonly moves: readonly (Group & { readonly operatorId: string; readonly operatorName: string })[];
  /** Under WEIGHTED: the operator's share is spread over the others. */
  readonly shared: Group;
  readonly none: Group;
  readonly others: Group;
  readonly already: Group;
  readonly hidden: Group;
  readonly off: Group;
}

export function summarize(fates: readonly RuleFate[]): RerouteSummary {
  const moving = new Map<string, RuleFate[]>();
  for (const one of fates) {
    if (one.fate.kind !== "moves" || one.fate.shared) continue;
    moving.set(one.fate.operatorId, [...(moving.get(one.fate.operatorId) ?? []), one]);
  }
  const moves = [...moving].map(([operatorId, some]) => {
    const fate = some[0]?.fate;
    return { ...group(some), operatorId, operatorName: fate?.kind === "moves" ? fate.operatorName : "" };
  });
  const of = (kind: Fate["kind"]): Group => group(fates.filter(({ fate }) => fate.kind === kind));
  return {
    moves: moves.sort((a, b) => b.count - a.count || a.operatorName.localeCompare(b.operatorName)),
    shared: group(fates.filter(({ fate }) => fate.kind === "moves" && fate.shared)),
    none: of("none"),
    others: of("others"),
    already: of("already"),
    hidden: of("hidden"),
    off: of("off"),
  };
}

function group(fates: readonly RuleFate[]): Group {
  const shown = fates.filter(({ number }) => number !== "").slice(0, 3);
  return { count: fates.length, examples: shown.map(({ number, rule }) => ({ number, account: rule.accountId })) };
}
