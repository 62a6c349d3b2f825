import { describe, expect, it } from "vitest";
import { curveOf, rateText, trafficOf } from "../../../../src/pages/overview/traffic";
import { point } from "./make";

describe("sums of traffic", () => {
  it("are unknown before anything was heard", () => {
    expect(trafficOf([])).toBeUndefined();
  });
  it("the rate is that of the newest 5 s", () => {
    expect(trafficOf([point(0, 1000), ...[1, 2, 3, 4, 5].map((at) => point(at, 10))])?.perSecond).toBe(10);
  });
  it("a point of the past that covers more seconds counts as such", () => {
    expect(trafficOf([point(0, 100, 0, undefined, 10)])?.perSecond).toBe(10);
  });
  it("what is older than 5 minutes does not count", () => {
    const traffic = trafficOf([point(0, 500, 500), point(300, 10, 1)]);
    expect([traffic?.decisions, traffic?.failed]).toEqual([10, 1]);
  });
  it("one slow second among many does not raise p95", () => {
    expect(trafficOf([point(0, 10, 0, 5), point(1, 10, 0, 250), point(2, 10, 0, 5)])?.p95).toBe(5);
  });
  it("a slow second with most of the decisions does", () => {
    expect(trafficOf([point(0, 1, 0, 5), point(1, 100, 0, 50), point(2, 1, 0, 5)])?.p95).toBe(50);
  });
  it("without decisions there is no p95", () => {
    expect(trafficOf([point(0, 0)])).toEqual({ perSecond: 0, decisions: 0, failed: 0 });
  });
});

describe("curves", () => {
  it("pieces of 5 s, without the newest until it is whole", () => {
    const seconds = [0, 1, 2, 3, 4, 5, 6].map((at) => point(at, 10, 1, 5));
    const curve = curveOf(seconds);
    expect(curve).toEqual({ times: [60], perSecond: [10], failed: [1], failedShare: [0.1], p95: [5] });
    expect(curveOf([...seconds, point(7, 10), point(8, 10), point(9, 10)]).times).toEqual([60, 65]);
  });
  it("a piece without decisions has no share and no p95", () => {
    expect(curveOf([point(0, 0, 0, undefined, 5)])).toEqual({ times: [60], perSecond: [0], failed: [0], failedShare: [null], p95: [null] });
  });
});

it.each([[0, "0"], [0.42, "0.4"], [9.96, "10.0"], [42.4, "42"]])("a rate of %d is %s", (value, text) => {
  expect(rateText(value)).toBe(text);
});
