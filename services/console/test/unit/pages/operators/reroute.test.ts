import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { OperatorSchema } from "@gen/operators/v1/operator_pb";
import { RoutingRuleSchema } from "@gen/operators/v1/routing_rule_pb";
import { type ExplainRouteResponse, ExplainRouteResponseSchema, RuleOutcome } from "@gen/routing/v1/routing_pb";
import { MessageType, RoutingStrategy } from "@gen/routing/v1/types_pb";
import { describe, expect, it, vi } from "vitest";
import { type Ask, fateOf, fatesOf, type Question, summarize, witnesses } from "../../../../src/pages/operators/reroute";

const now = new Date("2026-01-01T00:00:00Z");
const acme = create(OperatorSchema, { operatorId: "acme", name: "Acme", messageTypes: [MessageType.FLASH, MessageType.SMS] });

function rule(change: MessageInitShape<typeof RoutingRuleSchema> = {}) {
  return create(RoutingRuleSchema, { ruleId: "r", prefix: "+4479", active: true, strategy: RoutingStrategy.PRIORITY, ...change });
}

interface Told {
  readonly outcome?: RuleOutcome;
  readonly strategy?: RoutingStrategy;
  /** Operators in order; the first is chosen. None is no route. */
  readonly order: readonly string[];
  readonly weights?: Readonly<Record<string, number>>;
}

function answer({ outcome = RuleOutcome.SELECTED, strategy = RoutingStrategy.PRIORITY, order, weights = {} }: Told): ExplainRouteResponse {
  const [first, ...rest] = order;
  const alternates = rest.map((operatorId) => ({ operatorId, operatorName: operatorId.toUpperCase() }));
  return create(ExplainRouteResponseSchema, {
    result:
      first === undefined
        ? { case: "failure", value: { reason: "NO_USABLE_OPERATOR" } }
        : { case: "decision", value: { operatorId: first, operatorName: first.toUpperCase(), alternates } },
    rules: [{ ruleId: "r", outcome, strategy, candidates: order.map((operatorId, index) => ({ operatorId, rank: index + 1, weight: weights[operatorId] ?? 100 })) }],
  });
}

/** Answers as it is, and without the operator. */
function engine(asItIs: Told, without: Told = { order: [] }) {
  return vi.fn<Ask>((question: Question) => Promise.resolve(answer(question.excludeOperatorIds.length === 0 ? asItIs : without)));
}

describe("what becomes of a rule", () => {
  it.each([
    ["the next in order takes over", { order: ["acme", "b", "c"] }, undefined, { kind: "moves", operatorId: "b", operatorName: "B", shared: false }],
    ["where no candidate is left, the rule below answers", { order: ["acme"] }, { order: ["c"] }, { kind: "moves", operatorId: "c", operatorName: "C", shared: false }],
    ["nobody is left", { order: ["acme"] }, { order: [] }, { kind: "none", reason: "NO_USABLE_OPERATOR" }],
    ["another operator carries already", { order: ["b", "acme"] }, undefined, { kind: "others" }],
    ["it has no route as it is", { order: [], outcome: RuleOutcome.EXHAUSTED }, undefined, { kind: "already" }],
    ["it falls through as it is", { order: ["c"], outcome: RuleOutcome.FELL_THROUGH }, undefined, { kind: "others" }],
    ["longer prefixes answer all numbers tried", { order: ["b"], outcome: RuleOutcome.NOT_REACHED }, undefined, { kind: "hidden" }],
    ["a weighted share is spread", { order: ["b", "acme"], strategy: RoutingStrategy.WEIGHTED }, { order: ["b"] }, { kind: "moves", operatorId: "b", operatorName: "B", shared: true }],
    ["a weighted rule without others has no route", { order: ["acme"], strategy: RoutingStrategy.WEIGHTED }, { order: [] }, { kind: "none", reason: "NO_USABLE_OPERATOR" }],
    ["a last resort carries nothing", { order: ["b", "acme"], strategy: RoutingStrategy.WEIGHTED, weights: { acme: 0 } }, undefined, { kind: "others" }],
  ] as const)("%s", async (_, asItIs, without, fate) => {
    expect((await fateOf(rule(), acme, engine(asItIs, without), now)).fate).toEqual(fate);
  });

  it("asks nothing about rules that do not count now", async () => {
    const ask = engine({ order: ["acme"] });
    const later = timestampFromDate(new Date("2026-02-01T00:00:00Z"));
    const former = timestampFromDate(new Date("2025-02-01T00:00:00Z"));
    for (const off of [rule({ active: false }), rule({ validFrom: later }), rule({ validTo: former })]) {
      expect((await fateOf(off, acme, ask, now)).fate.kind).toBe("off");
    }
    expect(ask).not.toHaveBeenCalled();
  });

  it("asks as the account of the rule, for a type that both carry, with a draw that repeats", async () => {
    const ask = engine({ order: ["acme", "b"] });
    await fateOf(rule({ accountId: "0190c0de-0000-7000-8000-00000000000a", messageTypes: [MessageType.FLASH, MessageType.WAP] }), acme, ask, now);
    const asked = ask.mock.calls[0]?.[0];
    expect(asked).toMatchObject({ to: "+447955555555", accountId: "0190c0de-0000-7000-8000-00000000000a", messageType: MessageType.FLASH });
    expect(asked?.messageId).not.toBe("");
  });

  it("changes nothing where the rule is for types that the operator does not carry", async () => {
    const ask = engine({ order: ["b"] });
    expect((await fateOf(rule({ messageTypes: [MessageType.WAP] }), acme, ask, now)).fate.kind).toBe("others");
    expect(ask).not.toHaveBeenCalled();
  });

  it("tries another number when a longer prefix answers the first", async () => {
    const ask = vi.fn<Ask>(({ to }) =>
      Promise.resolve(answer({ order: ["acme", "b"], outcome: to.startsWith("+44795") ? RuleOutcome.NOT_REACHED : RuleOutcome.SELECTED })),
    );
    expect(await fateOf(rule(), acme, ask, now)).toMatchObject({ number: "+447900000000", fate: { kind: "moves" } });
  });
});

describe("made-up numbers", () => {
  it("have 12 digits and go apart after the prefix", () => {
    expect(new Set(witnesses("+44").map((number) => number.length))).toEqual(new Set([13]));
    expect(new Set(witnesses("+44").map((number) => number.charAt(3))).size).toBe(4);
  });
  it("of a whole number are that number", () => {
    expect(witnesses("+4479111234567")).toEqual(["+4479111234567"]);
  });
});

describe("the rules together", () => {
  it("are told in their order, a few at a time", async () => {
    let open = 0;
    let widest = 0;
    const ask: Ask = async () => {
      widest = Math.max(widest, ++open);
      await Promise.resolve();
      open--;
      return answer({ order: ["acme", "b"] });
    };
    const rules = Array.from({ length: 20 }, (_, index) => rule({ prefix: `+44${String(10 + index)}` }));
    const told: number[] = [];
    const fates = await fatesOf(rules, acme, ask, { now, signal: new AbortController().signal, tell: (done) => told.push(done), width: 3 });
    expect(fates.map((one) => one.rule.prefix)).toEqual(rules.map(({ prefix }) => prefix));
    expect(told.at(-1)).toBe(20);
    expect(widest).toBe(3);
  });

  it("stop when nobody waits any more", async () => {
    const control = new AbortController();
    control.abort();
    const ask = engine({ order: ["acme", "b"] });
    await expect(fatesOf([rule()], acme, ask, { now, signal: control.signal })).rejects.toThrow();
    expect(ask).not.toHaveBeenCalled();
  });

  it("are counted by who takes over, the most first, with up to three examples", () => {
    const moves = (operatorId: string, count: number) =>
      Array.from({ length: count }, (_, index) => ({
        rule: rule(),
        number: `+44${operatorId}${String(index)}`,
        fate: { kind: "moves", operatorId, operatorName: operatorId, shared: false } as const,
      }));
    const none = { rule: rule(), number: "+1", fate: { kind: "none", reason: "NO_ROUTE" } as const };
    const shared = { rule: rule(), number: "+2", fate: { kind: "moves", operatorId: "x", operatorName: "x", shared: true } as const };
    const summary = summarize([...moves("b", 1), ...moves("c", 4), none, shared]);
    expect(summary.moves.map(({ operatorId, count, examples }) => [operatorId, count, examples.length])).toEqual([["c", 4, 3], ["b", 1, 1]]);
    expect(summary.none).toEqual({ count: 1, examples: [{ number: "+1", account: "" }] });
    expect(summary.shared).toEqual({ count: 1, examples: [{ number: "+2", account: "" }] });
  });
});
