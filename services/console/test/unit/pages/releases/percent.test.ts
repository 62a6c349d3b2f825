import { describe, expect, test } from "vitest";
import { basisPoints, basisPointsText, shareText } from "../../../../src/pages/releases/percent";

describe("the text of hundredths of a percent", () => {
  test.each([
    ["has a plus when it rises", 625n, "+6.25 %"],
    ["has a minus when it falls", -1608n, "-16.08 %"],
    ["keeps two decimals", 100n, "+1.00 %"],
    ["has no sign for nothing", 0n, "0.00 %"],
    ["is right below one percent", -5n, "-0.05 %"],
  ])("%s", (_, points, text) => {
    expect(basisPointsText(points)).toBe(text);
  });
});

describe("the change of a sum", () => {
  test.each([
    ["is exact", 180_300_000n, 151_300_000n, -1608n],
    ["is rounded half away from zero upwards", 20_000n, 20_001n, 1n],
    ["is rounded half away from zero downwards", 20_000n, 19_999n, -1n],
    ["cannot be told of nothing", 0n, 5n, undefined],
    ["is minus everything when nothing is left", 125_000_000n, 0n, -10_000n],
    ["does not lose digits of large sums", 9_007_199_254_740_993_000n, 9_007_199_254_740_993_000n + 900_719_925_474_099_300n, 1000n],
  ])("%s", (_, before, after, points) => {
    expect(basisPoints(before, after)).toBe(points);
  });
});

describe("a share", () => {
  test.each([
    ["is in hundredths of a percent", 1n, 3n, "33.33 %"],
    ["is never nothing when it is something", 1n, 1_000_000n, "<0.01 %"],
    ["is never all when something is left", 999_999n, 1_000_000n, ">99.99 %"],
    ["is nothing when there is none", 0n, 7n, "0.00 %"],
    ["is all when it is all", 7n, 7n, "100.00 %"],
    ["of nothing cannot be told", 0n, 0n, "–"],
  ])("%s", (_, part, whole, text) => {
    expect(shareText(part, whole)).toBe(text);
  });
});
