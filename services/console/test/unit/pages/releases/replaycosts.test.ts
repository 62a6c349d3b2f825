import { create } from "@bufbuild/protobuf";
import { ReplayCostSchema, ReplayMoveSchema } from "@gen/releases/v1/release_pb";
import { describe, expect, test } from "vitest";
import { differenceOf, direction, matrixOf, movers, percentOf, sameCost, unpriced } from "../../../../src/pages/releases/replaycosts";

const money = (nanos: bigint) => ({ currencyCode: "EUR", nanos });
const cost = (before?: bigint, after?: bigint, beforeCount = 1n, afterCount = 1n) =>
  create(ReplayCostSchema, {
    beforeCount, afterCount, ...(before === undefined ? {} : { before: money(before) }), ...(after === undefined ? {} : { after: money(after) }),
  });

describe("the difference of a cost", () => {
  test.each([
    ["is exact", cost(180_300_000n, 151_300_000n), "-0.029000 EUR", "-16.08 %", "down"],
    ["does not lose nanos that a float would", cost(9_007_199_254_740_993n, 9_007_199_254_740_994n), "+0.000000001 EUR", "0.00 %", "up"],
    ["counts a side that has nothing as nothing", cost(undefined, 96_000_000n), "+0.096000 EUR", "", "up"],
    ["says when everything goes", cost(125_000_000n, undefined), "-0.125000 EUR", "-100.00 %", "down"],
    ["is nothing without prices", cost(), "", "", "same"],
    ["is told when there is none", cost(5n, 5n), "0.000000 EUR", "0.00 %", "same"],
  ])("%s", (_, one, difference, percent, way) => {
    expect([differenceOf(one), percentOf(one), direction(one)]).toEqual([difference, percent, way]);
  });
});

test("a cost is the same only when counts and sums are", () => {
  expect([cost(5n, 5n), cost(5n, 6n), cost(5n, undefined), cost(5n, 5n, 1n, 2n), cost()].map(sameCost)).toEqual([true, false, false, false, true]);
  expect([cost(), cost(0n, 0n)].map(unpriced)).toEqual([true, false]);
});

describe("moves", () => {
  const move = (from: string, to: string, count: bigint) =>
    create(ReplayMoveSchema, { fromOperatorId: from, fromOperatorName: from.toUpperCase(), toOperatorId: to, toOperatorName: to.toUpperCase(), count });
  const moves = [move("a", "b", 3n), move("a", "a", 10n), move("b", "", 1n)];

  test("are those that go elsewhere", () => {
    expect(movers(moves).map(({ count }) => count)).toEqual([3n, 1n]);
  });

  test("as a matrix have those that stay too", () => {
    const matrix = matrixOf(moves);
    expect([matrix?.from, matrix?.to]).toEqual([["A", "B"], ["A", "B", "no route"]]);
    expect([matrix?.count("A", "A"), matrix?.count("A", "B"), matrix?.count("B", "no route"), matrix?.count("B", "A")]).toEqual([10n, 3n, 1n, 0n]);
  });

  test("are no matrix when nobody could read it", () => {
    expect(matrixOf(Array.from({ length: 11 }, (_, n) => move(`o${String(n)}`, "b", 1n)))).toBeUndefined();
    expect(matrixOf([])).toBeUndefined();
  });
});
