import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import type { ReactNode } from "react";
import { StatusBadge, type Tone } from "../../parts/status";
import { type RuleState, stateOf } from "./takeover";

const words: Readonly<Record<RuleState, readonly [tone: Tone, word: string]>> = {
  on: ["good", "Active"],
  off: ["idle", "Off"],
  early: ["info", "Not yet"],
  ended: ["idle", "Ended"],
};

/** Whether a rule counts at the moment. */
export function RuleStateBadge({ rule, quiet = false }: { readonly rule: RoutingRule; readonly quiet?: boolean }): ReactNode {
  const [tone, word] = words[stateOf(rule, new Date())];
  return (
    <StatusBadge tone={tone} quiet={quiet}>
      {word}
    </StatusBadge>
  );
}
