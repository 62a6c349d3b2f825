import { create } from "@bufbuild/protobuf";
import { ReleaseDiffSummarySchema, ReleaseSchema } from "@gen/releases/v1/release_pb";
import { describe, expect, test } from "vitest";
import { changeCount, differenceText, fewRules } from "../../../../src/pages/releases/cautions";

const release = (number: bigint, ruleCount: bigint) => create(ReleaseSchema, { releaseId: `release ${String(number)}`, number, ruleCount });
const summary = (counts: object) => create(ReleaseDiffSummarySchema, counts);

describe("a release with few rules", () => {
  test.each([
    ["without any rule is warned of", release(3n, 0n), release(2n, 5n), "Release 3 has no rules: in force, every number is without a route."],
    ["that was only checked has no number", release(0n, 0n), undefined, "The release has no rules: in force, every number is without a route."],
    ["with less than half is warned of", release(3n, 4n), release(2n, 9n), "Release 3 has only 4 rules, and release 2, which is in force, has 9."],
    ["with half of them is not", release(3n, 5n), release(2n, 10n), undefined],
    ["that is the first is not", release(1n, 1n), undefined, undefined],
    ["that is in force itself is not", release(2n, 1n), release(2n, 10n), undefined],
  ])("%s", (_, made, former, text) => {
    expect(fewRules(made, former)).toBe(text);
  });
});

describe("what changes, in words", () => {
  test.each([
    ["leaves out what is not", { rulesAdded: 1n, ratesRaised: 2n, ratesOther: 1n, prefixCount: 4n }, "rules: 1 new; prices: 2 raised, 1 changed otherwise", 4n],
    ["says so when nothing does", { identical: true }, "nothing: rules, prices and exchange rates are the same", 0n],
    ["names exchange rates", { fxRatesChanged: 1n }, "exchange rates: 1 changed", 1n],
    ["does not count operators, which no release holds back", { operatorsChanged: 152n }, "nothing: rules, prices and exchange rates are the same", 0n],
  ])("%s", (_, counts, text, total) => {
    expect(differenceText(summary(counts))).toBe(text);
    expect(changeCount(summary(counts))).toBe(total);
  });
});
