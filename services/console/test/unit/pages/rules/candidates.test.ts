import { RoutingStrategy } from "@gen/routing/v1/types_pb";
import { describe, expect, it } from "vitest";
import { added, type CandidateValues, dealt, fitted, moved, share, sorted } from "../../../../src/pages/rules/candidates";

/** Rows by "key priority weight". */
function rows(...texts: string[]): CandidateValues[] {
  return texts.map((text) => {
    const [key = "", priority = "1", weight = "100"] = text.split(" ");
    return { key, operatorId: key, priority, weight, price: { amount: "", currency: "EUR" } };
  });
}

function told(all: readonly CandidateValues[]): string[] {
  return all.map(({ key, priority }) => `${key} ${priority}`);
}

describe("moving a candidate", () => {
  it.each([
    ["up takes the place and the priority of the one before", 2, 1, ["a 1", "c 2", "b 3"]],
    ["to the top moves the others down", 2, 0, ["c 1", "a 2", "b 3"]],
    ["down takes the place of the one after", 0, 1, ["b 1", "a 2", "c 3"]],
    ["beyond the end changes nothing", 2, 3, ["a 1", "b 2", "c 3"]],
    ["before the start changes nothing", 0, -1, ["a 1", "b 2", "c 3"]],
  ])("%s", (_, from, to, want) => {
    expect(told(moved(rows("a 1", "b 2", "c 3"), from, to))).toEqual(want);
  });

  it("keeps gaps between priorities", () => {
    expect(told(moved(rows("a 10", "b 20", "c 30"), 2, 0))).toEqual(["c 10", "a 20", "b 30"]);
  });

  it("counts anew where two were equal or one cannot be read", () => {
    expect(told(dealt(rows("a 1", "b 1")))).toEqual(["a 1", "b 2"]);
    expect(told(dealt(rows("a 5", "b x")))).toEqual(["a 1", "b 2"]);
  });
});

describe("candidates", () => {
  it("are sorted by priority", () => {
    expect(told(sorted(rows("a 3", "b 1", "c 2")))).toEqual(["b 1", "c 2", "a 3"]);
  });

  it("stay where they are while a priority cannot be read", () => {
    expect(told(sorted(rows("a 3", "b ", "c 2")))).toEqual(["a 3", "b ", "c 2"]);
  });

  it("get a new one at the end, with a key of its own", () => {
    const all = added(rows("a 1", "new-3 7"), "CHF");
    expect(told(all)).toEqual(["a 1", "new-3 7", "new-4 8"]);
    expect(all[2]?.price.currency).toBe("CHF");
  });

  it.each([
    ["get priorities of their own when the strategy goes by them", RoutingStrategy.FAILOVER, ["a 1", "b 2"]],
    ["keep equal ones when it does not", RoutingStrategy.COST, ["a 1", "b 1"]],
  ])("%s", (_, strategy, want) => {
    expect(told(fitted(rows("a 1", "b 1"), strategy))).toEqual(want);
  });

  it.each([
    ["a share of the weights", rows("a 1 75", "b 2 25"), 0, 0.75],
    ["none as the last resort", rows("a 1 75", "b 2 0"), 1, 0],
    ["none that can be told while a weight cannot be read", rows("a 1 75", "b 2 x"), 0, undefined],
    ["none that can be told without any weight", rows("a 1 0"), 0, undefined],
  ])("have %s", (_, all, index, want) => {
    expect(share(all, index)).toBe(want);
  });
});
