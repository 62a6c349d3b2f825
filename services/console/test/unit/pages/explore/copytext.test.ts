import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import { CacheResult, type ExplainRouteResponse, ExplainRouteResponseSchema, Rejection, RuleOutcome } from "@gen/routing/v1/routing_pb";
import { MessageType, RoutingStrategy } from "@gen/routing/v1/types_pb";
import { describe, expect, it } from "vitest";
import { curlText, ticketText } from "../../../../src/pages/explore/copytext";
import type { Question } from "../../../../src/pages/explore/question";
import { levelsOf } from "../../../../src/pages/explore/trace";

const question: Question = { to: "+447911123456", accountId: "00000000-0000-4000-8000-000000000000", type: MessageType.SMS, exclude: [] };
const at = new Date("2026-11-22T03:00:00Z");
const answer = (init: MessageInitShape<typeof ExplainRouteResponseSchema>): ExplainRouteResponse => create(ExplainRouteResponseSchema, init);

const decided = answer({
  result: {
    case: "decision",
    value: {
      operatorName: "Nordlink", host: "smpp.nordlink.example", port: 2775, systemId: "nord", matchedPrefix: "+447", strategy: RoutingStrategy.COST,
      unitPrice: { currencyCode: "EUR", nanos: 12_500_000n },
      alternates: [{ operatorName: "Andes", host: "smpp.andes.example", port: 2776, systemId: "andes" }],
    },
  },
  rules: [
    {
      ruleId: "r1", prefix: "+447", strategy: RoutingStrategy.COST, outcome: RuleOutcome.SELECTED,
      candidates: [
        { operatorName: "Nordlink", rank: 1, unitPrice: { currencyCode: "EUR", nanos: 12_500_000n }, ratePrefix: "+4479", bindState: BindState.BOUND, quality: Quality.HEALTHY },
        { operatorName: "Borealis", rejection: Rejection.UNBOUND, bindState: BindState.UNBOUND },
      ],
    },
  ],
  meta: { configVersion: 7n, rulesVersion: 9n, algoVersion: 2, cache: CacheResult.MISS },
});

describe("the text for a ticket", () => {
  const text = ticketText(question, decided, at);

  it("masks the number and tells how long it is", () => {
    expect(text).not.toContain("11123456");
    expect(text).toContain("+447911•••••• (12 digits), SMS");
  });

  it.each([
    ["when it was asked", "Asked at 2026-11-22 03:00:00 UTC"],
    ["who carries it for what price", "Answer: Nordlink, 0.012500 EUR, prefix +447"],
    ["what comes next", "then 1. Andes, no price, smpp.andes.example:2776 as andes"],
    ["what became of a rule", "+447 global, Cost, rule r1: Selected."],
    ["where a price comes from", "1. Nordlink: 0.012500 EUR, rate +4479, Bound, Healthy"],
    ["why a candidate was rejected", "-. Borealis: no price, Unbound, Unknown. No SMPP session is up."],
    ["by which state", "Versions: no release, config 7, rules 9, algorithm 2, cache miss"],
  ])("tells %s", (_, line) => {
    expect(text).toContain(line);
  });

  it("says why there is no answer, and that no rule matches", () => {
    const none = ticketText({ ...question, exclude: ["a", "b"] }, answer({ result: { case: "failure", value: { reason: "NO_ROUTE", message: "No rule matches." } } }), at);
    expect(none).toContain("Answer: none. No rule matches. (NO_ROUTE)");
    expect(none).toContain("none matches");
    expect(none).toContain("Without operators a, b");
  });
});

describe("the question on a command line", () => {
  it("names the key instead of holding it, and what to leave out", () => {
    const text = curlText({ ...question, type: MessageType.FLASH, exclude: ["a"] }, "https://engine.example", true);
    expect(text).toContain("https://engine.example/trunkline.routing.v1.RoutingService/ExplainRoute");
    expect(text).toContain('"authorization: Bearer $TRUNKLINE_API_KEY"');
    expect(text).toContain('"messageType":"MESSAGE_TYPE_FLASH","excludeOperatorIds":["a"]');
  });

  it("has no key where none is asked for", () => {
    expect(curlText(question, "http://127.0.0.1:8080", false)).not.toContain("authorization");
  });
});

describe("levels of the search", () => {
  const levels = (...prefixes: string[]): [string, number][] => levelsOf(answer({ rules: prefixes.map((prefix) => ({ prefix })) }).rules).map(({ prefix, rules }) => [prefix, rules.length]);

  it.each([
    { name: "no rule has no level", prefixes: [], want: [] },
    { name: "rules of one prefix stand together", prefixes: ["+447", "+447", "+44"], want: [["+447", 2], ["+44", 1]] },
    { name: "the order of the engine stays", prefixes: ["+4479", "+44", "+4"], want: [["+4479", 1], ["+44", 1], ["+4", 1]] },
  ])("$name", ({ prefixes, want }) => {
    expect(levels(...prefixes)).toEqual(want);
  });
});
