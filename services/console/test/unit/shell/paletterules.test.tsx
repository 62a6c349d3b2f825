import { createRouterTransport } from "@connectrpc/connect";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { RoutingStrategy } from "@gen/routing/v1/types_pb";
import { renderHook, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { useRulesUnder } from "../../../src/shell/paletterules";
import { stage } from "../parts/stage";

function ruleServer(prefixes: readonly string[], nextPageToken = "") {
  const asked: string[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(RoutingRuleService, {
      listRoutingRules: ({ prefix }) => {
        asked.push(prefix);
        const rules = prefixes.filter((one) => one.startsWith(prefix)).map((one) => ({ ruleId: `id of ${one}`, prefix: one, strategy: RoutingStrategy.COST, candidates: [{ operatorName: "North" }] }));
        return { rules, nextPageToken };
      },
    });
  });
  return { asked, wrapper: stage({ transport }) };
}

describe("rules in the palette", () => {
  it.each([
    ["+44 79", "+4479"],
    ["0044", "+44"],
    ["+447911123456", "+447911123456"],
  ])("%s asks for rules under %s", async (query, prefix) => {
    const { asked, wrapper } = ruleServer(["+4479", prefix]);
    const { result } = renderHook(() => useRulesUnder(query), { wrapper });
    await waitFor(() => expect(result.current.map(({ label }) => label)).toContain(`Rule for ${prefix}`));
    expect(asked).toEqual([prefix]);
  });

  it.each(["", "+", "+0", "44", "nord", "+1234567890123456"])("%j asks for none", (query) => {
    const { asked, wrapper } = ruleServer(["+44"]);
    const { result } = renderHook(() => useRulesUnder(query), { wrapper });
    expect(result.current).toEqual([]);
    expect(asked).toEqual([]);
  });

  it("lead to the rule, and to all of them when there are more", async () => {
    const { wrapper } = ruleServer(["+4479"], "more");
    const { result } = renderHook(() => useRulesUnder("+44"), { wrapper });
    await waitFor(() => expect(result.current).toHaveLength(2));
    expect(result.current[0]).toEqual({ to: "/rules?rule=id+of+%2B4479", label: "Rule for +4479", description: "Global · Cost · North" });
    expect(result.current[1]).toMatchObject({ to: "/rules?prefix=%2B44", label: "All rules under +44" });
  });

  it("of what was typed before are not shown for what is typed now", async () => {
    const { wrapper } = ruleServer(["+4479"]);
    const { result, rerender } = renderHook(({ query }) => useRulesUnder(query), { wrapper, initialProps: { query: "+44" } });
    await waitFor(() => expect(result.current).toHaveLength(1));
    rerender({ query: "+49" });
    expect(result.current).toEqual([]);
  });
});
