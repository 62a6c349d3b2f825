import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type DecisionSummary, DecisionSummarySchema } from "@gen/routing/v1/decision_pb";
import { Outcome } from "@gen/routing/v1/routing_pb";
import { describe, expect, it } from "vitest";
import { costs, failureRate, latencies, reasons, reportedOf, success, totalsOf, volumes } from "../../../../src/pages/decisions/series";
import { reportedText } from "../../../../src/pages/decisions/totals";

const times = [1_800_000_000, 1_800_000_030, 1_800_000_060];

/** Sums of the interval with this place in times. */
function sums(at: number, init: MessageInitShape<typeof DecisionSummarySchema> = {}): DecisionSummary {
  return create(DecisionSummarySchema, { startTime: timestampFromMs((times[at] ?? 0) * 1000), ...init });
}

const valuesOf = (series: readonly { readonly label: string; readonly values: readonly (number | null)[] }[]): Record<string, readonly (number | null)[]> =>
  Object.fromEntries(series.map(({ label, values }) => [label, values]));

describe("decisions by operator", () => {
  it("an interval without decisions has none, and those without a route come last", () => {
    const series = volumes(times, [sums(0, { group: "", decisionCount: 2n }), sums(0, { group: "a", decisionCount: 5n }), sums(2, { group: "a", decisionCount: 1n })], (id) => `op ${id}`);
    expect(valuesOf(series)).toEqual({ "op a": [5, 0, 1], "No route": [2, 0, 0] });
    expect(series.at(-1)?.label).toBe("No route");
  });

  it("the largest seven have a line of their own, the rest are one with what the server calls other", () => {
    const groups = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    const summaries = [...groups.map((group, at) => sums(1, { group, decisionCount: BigInt(100 - at) })), sums(1, { group: "other", decisionCount: 1000n })];
    const series = valuesOf(volumes(times, summaries, (id) => id));
    expect(Object.keys(series)).toEqual(["a", "b", "c", "d", "e", "f", "g", "Others"]);
    expect(series["Others"]).toEqual([0, 93 + 92 + 1000, 0]);
  });

  it("no decisions make no line", () => {
    expect(volumes(times, [], (id) => id)).toEqual([]);
  });
});

describe("curves over time", () => {
  it("a share of nothing is no share", () => {
    expect(failureRate(times, [sums(0, { decisionCount: 4n, failedCount: 1n }), sums(1)])[0]?.values).toEqual([0.25, null, null]);
  });

  it("each currency is a line of its own, in order of its code", () => {
    const usd = { currencyCode: "USD", nanos: 7n };
    const eur = { currencyCode: "EUR", nanos: 5n };
    const series = costs(times, [sums(0, { costs: [usd, eur] }), sums(2, { costs: [usd] })]);
    expect(series.map(({ label }) => label)).toEqual(["EUR", "USD"]);
    expect(valuesOf(series)).toEqual({ EUR: [5, 0, 0], USD: [7, 0, 7] });
  });

  it("success counts only messages that came to an end: one that was accepted may be delivered yet", () => {
    const accepted = { outcome: Outcome.ACCEPTED, count: 50n };
    const outcomes = [{ outcome: Outcome.DELIVERED, count: 3n }, { outcome: Outcome.REJECTED, count: 1n }, accepted];
    const open = sums(2, { decisionCount: 50n, outcomes: [accepted] });
    expect(success(times, [sums(1, { decisionCount: 100n, outcomes }), open])[0]?.values).toEqual([null, 0.75, null]);
  });

  it("an interval whose time was not measured has a gap, not zero", () => {
    expect(latencies(times, [sums(0, { latencyP95: durationFromMs(5) }), sums(1)])[0]?.values).toEqual([5, null, null]);
  });

  it("an interval that is not looked at is left out", () => {
    const before = create(DecisionSummarySchema, { startTime: timestampFromMs(1_700_000_000_000), decisionCount: 9n, failedCount: 9n });
    expect(failureRate(times, [before])[0]?.values).toEqual([null, null, null]);
  });
});

describe("sums of the whole time", () => {
  it("money stays exact where a float would not", () => {
    const large = 9_007_199_254_740_993n;
    const totals = totalsOf([sums(0, { decisionCount: 2n, costs: [{ currencyCode: "EUR", nanos: large }] }), sums(1, { decisionCount: 3n, failedCount: 1n, costs: [{ currencyCode: "EUR", nanos: 1n }] })]);
    expect(totals).toMatchObject({ decisions: 5n, failed: 1n, costs: [{ currencyCode: "EUR", nanos: large + 1n }] });
  });

  it("reasons are added up over intervals, the most frequent first", () => {
    const summaries = [sums(0, { group: "NO_ROUTE", decisionCount: 1n }), sums(0, { group: "NO_USABLE_OPERATOR", decisionCount: 2n }), sums(1, { group: "NO_ROUTE", decisionCount: 3n })];
    expect(reasons(summaries)).toEqual([{ reason: "NO_ROUTE", count: 4n }, { reason: "NO_USABLE_OPERATOR", count: 2n }]);
  });
});

describe("what is said of reports", () => {
  it.each([
    ["names those that are open beside those that ended", { delivered: 3, ended: 4, open: 1 }, "of 4 final reports; 1 waits for a receipt"],
    ["leaves out what is not open", { delivered: 0, ended: 1, open: 0 }, "of 1 final report"],
    ["claims no share while nothing ended", { delivered: 0, ended: 0, open: 317 }, "no final report yet; 317 wait for a receipt"],
    ["says when nobody reports", { delivered: 0, ended: 0, open: 0 }, "nothing reported yet"],
  ])("%s", (_, reported, text) => {
    expect(reportedText(reported)).toBe(text);
  });

  it("counts every kind of end", () => {
    const { DELIVERED, UNDELIVERED, REJECTED, FAILED, ACCEPTED, UNSPECIFIED } = Outcome;
    const outcomes = [DELIVERED, UNDELIVERED, REJECTED, FAILED, ACCEPTED, UNSPECIFIED].map((outcome, at) => ({ outcome, count: 10n ** BigInt(at) }));
    expect(reportedOf([sums(0, { outcomes })])).toEqual({ delivered: 1, ended: 1111, open: 10_000 });
  });
});
