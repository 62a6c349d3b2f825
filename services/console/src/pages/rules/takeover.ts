import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import type { MessageType } from "@gen/routing/v1/types_pb";
import { messageTypes } from "./strategies";

/** Who answers messages of some types once a rule is gone; no rule is no route. */
export interface Heir {
  readonly types: readonly MessageType[];
  readonly rule: RoutingRule | undefined;
}

/** The prefix and every shorter one, longest first: +447 gives +447, +44, +4. */
export function prefixesOf(prefix: string): string[] {
  const all: string[] = [];
  for (let length = prefix.length; length >= 2; length--) all.push(prefix.slice(0, length));
  return all;
}

/**
 * Who answers what a rule answers, once it is gone, as the engine decides: of the rules that are active and in force the longest prefix, and at
 * one prefix the account's own before the global one. others may hold any rules; only those of the rule's own view count.
 */
export function heirs(gone: RoutingRule, others: readonly RoutingRule[], now: Date): Heir[] {
  const ranked = others
    .filter((rule) => rule.ruleId !== gone.ruleId && gone.prefix.startsWith(rule.prefix))
    .filter((rule) => rule.accountId === "" || rule.accountId === gone.accountId)
    .filter((rule) => stateOf(rule, now) === "on")
    .sort((a, b) => b.prefix.length - a.prefix.length || Number(a.accountId === "") - Number(b.accountId === ""));
  const found: { types: MessageType[]; rule: RoutingRule | undefined }[] = [];
  for (const type of gone.messageTypes.length === 0 ? messageTypes : gone.messageTypes) {
    const rule = ranked.find((one) => one.messageTypes.length === 0 || one.messageTypes.includes(type));
    const known = found.find((heir) => heir.rule?.ruleId === rule?.ruleId);
    if (known === undefined) found.push({ types: [type], rule });
    else known.types.push(type);
  }
  return found;
}

/** Whether a rule counts: on, off, not yet in force (early) or no longer (ended). */
export type RuleState = "on" | "off" | "early" | "ended";

export function stateOf(rule: RoutingRule, now: Date): RuleState {
  if (!rule.active) return "off";
  if (rule.validTo !== undefined && timestampMs(rule.validTo) <= now.getTime()) return "ended";
  return rule.validFrom !== undefined && timestampMs(rule.validFrom) > now.getTime() ? "early" : "on";
}

/** A made-up number of the prefix that no longer prefix takes, where there is one. */
export function witnessOf(prefix: string, longer: readonly string[]): string {
  const numbers = digits.map((digit) => (prefix.length >= shortest ? prefix : prefix + digit.repeat(shortest - prefix.length)));
  return numbers.find((number) => !longer.some((one) => one !== prefix && number.startsWith(one))) ?? numbers[0] ?? prefix;
}

const digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
/** Of "+" and digits. */
const shortest = 12;
