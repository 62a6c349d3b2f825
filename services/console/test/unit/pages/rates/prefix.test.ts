import { describe, expect, it } from "vitest";
import { choiceOf } from "../../../../src/pages/rates/moment";
import { readPrefix } from "../../../../src/pages/rates/prefix";

describe("a prefix as somebody types it", () => {
  for (const [text, want] of [
    ["", ""], ["+", ""], ["44", "+44"], ["+44 7911", "+447911"], ["0044", "+44"], ["(44) 79-11", "+447911"],
    ["+0", undefined], ["x44", undefined], ["+1234567890123456", undefined], ["<b>44", undefined],
  ] as const) {
    it(`"${text}" is ${want === undefined ? "none" : `"${want}"`}`, () => expect(readPrefix(text)).toBe(want));
  }
});

describe("the moment of the address", () => {
  for (const [at, want] of [["", "now"], ["all", "all"], ["2027-01-01T00:00:00Z", "moment"], ["tomorrow", "now"]] as const) {
    it(`"${at}" is ${want}`, () => expect(choiceOf(at)).toBe(want));
  }
});
