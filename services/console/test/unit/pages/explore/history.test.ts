import { describe, expect, it } from "vitest";
import { added } from "../../../../src/pages/explore/history";
import { syntheticNumber } from "../../../../src/parts/synthetic";

const asked = (number: string) => ({ number, answer: "" });

describe("numbers asked before", () => {
  it.each([
    { name: "a new number comes first", former: ["+4915112345"], next: "+3312345678", want: ["+3312345678", "+4915112345"] },
    { name: "typing on replaces what was on the way", former: ["+4915112"], next: "+49151123", want: ["+49151123"] },
    { name: "a number that was asked before moves to the front", former: ["+331234567", "+4915112345"], next: "+4915112345", want: ["+4915112345", "+331234567"] },
  ])("$name", ({ former, next, want }) => {
    expect(added(former.map(asked), asked(next)).map(({ number }) => number)).toEqual(want);
  });

  it("keeps ten", () => {
    const many = Array.from({ length: 10 }, (_, at) => asked(`+4${String(at)}1234567`));
    expect(added(many, asked("+331234567"))).toHaveLength(10);
  });
});

describe("a made-up number", () => {
  it.each([
    { name: "fills up with zeros", prefix: "+4479", digits: 11, want: "+44790000000" },
    { name: "has at least seven digits", prefix: "+1", digits: 3, want: "+1000000" },
    { name: "keeps a prefix that is longer than told", prefix: "+447911123456", digits: 8, want: "+447911123456" },
    { name: "has at most fifteen digits", prefix: "+44", digits: 40, want: "+440000000000000" },
  ])("$name", ({ prefix, digits, want }) => {
    expect(syntheticNumber(prefix, digits)).toBe(want);
  });
});
