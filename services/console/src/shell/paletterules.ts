import { useQuery } from "@connectrpc/connect-query";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, skipToken } from "@tanstack/react-query";
import { useMemo } from "react";
import { withParams } from "../parts/params";
import { prefixComplaint, tidied } from "../parts/prefixinput";
import { strategyWord } from "../parts/words";

/** Somewhere that the palette leads to. */
export interface Goal {
  readonly to: string;
  readonly label: string;
  readonly description: string;
}

const most = 5;
/** Milliseconds without typing before the server is asked. */
const rest = 150;
const none: readonly Goal[] = [];

/** The first rules whose prefix begins with what was typed, and the way to all of them; nothing while it is no prefix. */
export function useRulesUnder(query: string): readonly Goal[] {
  const prefix = prefixOf(query);
  const [settled] = useDebouncedValue(prefix, rest);
  const { data } = useQuery(RoutingRuleService.method.listRoutingRules, settled === "" ? skipToken : { prefix: settled, pageSize: most }, {
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  return useMemo(() => {
    if (prefix === "" || data === undefined) return none;
    // Rules of what was typed before may still be those that are here.
    const found = data.rules
      .filter((rule) => rule.prefix.startsWith(prefix))
      .map((rule) => ({
        to: withParams("/rules", { rule: rule.ruleId }),
        label: `Rule for ${rule.prefix}`,
        description: [rule.accountId === "" ? "Global" : "Of an account", strategyWord(rule.strategy), rule.candidates.map((one) => one.operatorName || one.operatorId).join(", ")].join(" · "),
      }));
    if (data.nextPageToken === "" || found.length === 0) return found;
    return [...found, { to: withParams("/rules", { prefix }), label: `All rules under ${prefix}`, description: "The table, with this prefix" }];
  }, [prefix, data]);
}

/** A prefix has its plus, or 00 in its place: digits alone may be anything. */
function prefixOf(query: string): string {
  const tidy = tidied(query);
  return /^(\+|00)/.test(query.trim()) && prefixComplaint(tidy, true) === null ? tidy : "";
}
