import { create } from "@bufbuild/protobuf";
import { RateChangeKind, RateChangeSchema, RateDiffSchema } from "@gen/operators/v1/rate_pb";
import { describe, expect, it } from "vitest";
import { changeCount, dangers, percentChange, steep } from "../../../../src/pages/rates/import/verdict";

const money = (nanos: bigint, currencyCode = "EUR") => ({ nanos, currencyCode });

function change(before: bigint | undefined, after: bigint | undefined, currency = "EUR", kind = RateChangeKind.RAISED) {
  return create(RateChangeSchema, {
    kind,
    ...(before === undefined ? {} : { before: money(before) }),
    ...(after === undefined ? {} : { after: money(after, currency) }),
  });
}

describe("the percent of a change is exact", () => {
  const cases: readonly [name: string, change: ReturnType<typeof change>, want: string][] = [
    ["up by an eighth", change(8n, 9n), "+12.5 %"],
    ["down by a third", change(3n, 2n), "−33.3 %"],
    ["twice", change(1n, 2n), "+100.0 %"],
    ["half a tenth is rounded away from zero", change(2000n, 2001n), "+0.1 %"],
    ["the largest amounts", change(4_611_686_018_427_387_903n, 9_223_372_036_854_775_807n), "+100.0 %"],
    ["a price that was 0 has no measure", change(0n, 1n), ""],
    ["another currency has none", change(1n, 2n, "USD"), ""],
    ["a new price has none", change(undefined, 2n), ""],
    ["a price that ends has none", change(2n, undefined), ""],
  ];
  for (const [name, one, want] of cases) it(name, () => expect(percentChange(one)).toBe(want));
});

describe("a rise is steep above 50 percent", () => {
  for (const [before, after, want] of [[100n, 150n, false], [100n, 151n, true], [0n, 1n, true]] as const) {
    it(`${String(before)} to ${String(after)}`, () => expect(steep(change(before, after))).toBe(want));
  }
  it("a lowered price never is", () => expect(steep(change(100n, 200n, "EUR", RateChangeKind.LOWERED))).toBe(false));
});

describe("what somebody should look at", () => {
  const diff = (init: Parameters<typeof create<typeof RateDiffSchema>>[1]) => create(RateDiffSchema, init);

  it("nothing when a tenth ends", () => expect(dangers(diff({ endedCount: 10n, unchangedCount: 90n }), "full")).toEqual([]));

  it("more than a tenth that ends by a full list", () => {
    expect(dangers(diff({ endedCount: 11n, unchangedCount: 89n }), "full")).toEqual([expect.stringContaining("ends 11 prices of about 100")]);
  });

  it("nothing by a list of changes, which ends what it says", () => {
    expect(dangers(diff({ endedCount: 11n, unchangedCount: 89n }), "partial")).toEqual([]);
  });

  it("new prices do not count among those of before", () => {
    expect(dangers(diff({ endedCount: 1n, unchangedCount: 2n, newCount: 1000n }), "full")).toHaveLength(1);
  });

  it("prices that rise by more than half", () => {
    const changes = [change(100n, 300n), change(100n, 160n), change(100n, 110n)];
    expect(dangers(diff({ raisedCount: 3n, changes }), "partial")).toEqual([expect.stringMatching(/^2 prices rise by more than 50 %, the most by \+200\.0 %/)]);
  });

  it("at least so many when the list of changes was cut", () => {
    expect(dangers(diff({ raisedCount: 5n, changes: [change(1n, 3n)] }), "partial")).toEqual([expect.stringMatching(/^at least 1 price rises/i)]);
  });
});

it("all kinds make the count of changes, what stays does not", () => {
  expect(changeCount(create(RateDiffSchema, { newCount: 1n, raisedCount: 2n, loweredCount: 4n, endedCount: 8n, currencyCount: 16n, unchangedCount: 32n }))).toBe(31n);
});
