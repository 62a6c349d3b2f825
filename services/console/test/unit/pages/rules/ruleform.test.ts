import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { MessageType, OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb";
import { describe, expect, it } from "vitest";
import { changes, complaints, emptyRule, ruleOf, type RuleValues, valuesOf } from "../../../../src/pages/rules/ruleform";
import { account, north, rule, south } from "./make";

const full = rule({
  accountId: account,
  messageTypes: [MessageType.SMS, MessageType.WAP],
  strategy: RoutingStrategy.WEIGHTED,
  onExhausted: OnExhausted.FALL_THROUGH,
  active: false,
  description: "to be seen",
  validFrom: timestampFromDate(new Date("2027-01-01T00:00:30Z")),
  candidates: [
    { operatorId: north, operatorName: "North", priority: 1, weight: 0, price: { currencyCode: "CHF", nanos: 1n } },
    { operatorId: south, operatorName: "South", priority: 5, weight: 30 },
  ],
});

function edited(part: Partial<RuleValues>): RuleValues {
  return { ...valuesOf(full), ...part };
}

describe("a rule in the editor", () => {
  it("comes back as it was", () => {
    expect(ruleOf(valuesOf(full))).toMatchObject({
      accountId: account,
      prefix: "+44",
      country: "GB",
      messageTypes: [MessageType.SMS, MessageType.WAP],
      strategy: RoutingStrategy.WEIGHTED,
      onExhausted: OnExhausted.FALL_THROUGH,
      active: false,
      description: "to be seen",
      validFrom: timestampFromDate(new Date("2027-01-01T00:00:30Z")),
      candidates: [
        { operatorId: north, priority: 1, weight: 0, price: { currencyCode: "CHF", nanos: 1n } },
        { operatorId: south, priority: 5, weight: 30 },
      ],
    });
    expect(ruleOf(valuesOf(full))).not.toHaveProperty("validTo");
  });

  it("names only the fields that differ", () => {
    const [first, second] = valuesOf(full).candidates;
    if (first === undefined || second === undefined) throw new Error("two candidates");
    expect(changes(valuesOf(full), valuesOf(full))).toEqual([]);
    expect(changes(valuesOf(full), edited({ active: true, description: "" }))).toEqual(["description", "active"]);
    expect(changes(valuesOf(full), edited({ validTo: "2028-01-01T00:00" }))).toEqual(["valid_to"]);
    expect(changes(valuesOf(full), edited({ candidates: [first] }))).toEqual(["candidates"]);
  });

  it("takes another way to write the same for no change", () => {
    const [first, second] = valuesOf(full).candidates;
    if (first === undefined || second === undefined) throw new Error("two candidates");
    const same = [
      { ...first, key: "new-1", price: { amount: "0.0000000010", currency: "CHF" } },
      { ...second, weight: " 30", price: { amount: "", currency: "USD" } },
    ];
    expect(changes(valuesOf(full), edited({ candidates: same }))).toEqual([]);
  });
});

describe("complaints", () => {
  const fine = { ...emptyRule("+44", ""), candidates: valuesOf(rule()).candidates };
  const row = (part: Partial<RuleValues["candidates"][number]>) => ({ key: "a", operatorId: north, priority: "1", weight: "100", price: { amount: "", currency: "EUR" }, ...part });

  it.each<[string, Partial<RuleValues>, string[]]>([
    ["are none about a whole rule", {}, []],
    ["tell a missing prefix", { prefix: "" }, ["prefix"]],
    ["tell a prefix that is none", { prefix: "+04" }, ["prefix"]],
    ["tell that nobody carries it", { candidates: [] }, ["candidates"]],
    ["tell an operator that is not chosen", { candidates: [row({ operatorId: "" })] }, ["candidates.0.operatorId"]],
    ["tell an id that is none", { candidates: [row({ operatorId: "North" })] }, ["candidates.0.operatorId"]],
    ["tell an operator that is there twice", { candidates: [row({}), row({ key: "b", priority: "2" })] }, ["candidates.1.operatorId"]],
    ["tell equal priorities where the order decides", { candidates: [row({}), row({ key: "b", operatorId: south })] }, ["candidates.1.priority"]],
    ["allow equal priorities under COST", { strategy: String(RoutingStrategy.COST), candidates: [row({}), row({ key: "b", operatorId: south })] }, []],
    ["tell a priority of 0", { candidates: [row({ priority: "0" })] }, ["candidates.0.priority"]],
    ["tell a weight that is too large", { candidates: [row({ weight: "1000001" })] }, ["candidates.0.weight"]],
    ["tell that no weight is above 0 under WEIGHTED", { strategy: String(RoutingStrategy.WEIGHTED), candidates: [row({ weight: "0" })] }, ["candidates.0.weight"]],
    ["tell a price that is none", { candidates: [row({ price: { amount: "cheap", currency: "EUR" } })] }, ["candidates.0.price"]],
    ["tell an end before the start", { validFrom: "2027-01-02T00:00", validTo: "2027-01-01T00:00" }, ["validTo"]],
    ["tell a long description", { description: "x".repeat(501) }, ["description"]],
  ])("%s", (_, part, want) => {
    expect(Object.keys(complaints({ ...fine, ...part }))).toEqual(want);
  });
});
