import { describe, expect, it } from "vitest";
import { countryCode } from "../../../src/parts/countrycode";
import { percentText } from "../../../src/parts/figures";
import { masked } from "../../../src/parts/number";
import { numberComplaint, prefixComplaint, tidied } from "../../../src/parts/prefixinput";
import { durationText } from "../../../src/parts/when";

describe("numbers", () => {
  it.each([
    ["+491511234567", "49"],
    ["+12025550123", "1"],
    ["+79161234567", "7"],
    ["+35312345678", "353"],
    ["+441632960000", "44"],
    ["+4201234567", "420"],
    ["+2348012345678", "234"],
    ["+27111234567", "27"],
  ])("%s has the country code %s", (number, code) => {
    expect(countryCode(number)).toBe(code);
  });

  it("show the country code and 4 digits", () => {
    expect(masked("+491511234567")).toBe("+491511••••••");
    expect(masked("+12025550123")).toBe("+12025••••••");
    expect(masked("+4915")).toBe("+4915");
    expect(masked("1511234567")).not.toMatch(/\d/);
  });

  it("are tidied as people write them", () => {
    expect(tidied("0049 (151) 123-45")).toBe("+4915112345");
    expect(tidied("49151")).toBe("+49151");
    expect(tidied("+49x")).toBe("+49x");
    expect(prefixComplaint("+49")).toBeNull();
    expect(prefixComplaint("49")).not.toBeNull();
    expect(prefixComplaint("", false)).toBeNull();
    expect(numberComplaint("+49151")).not.toBeNull();
  });
});

describe("figures", () => {
  it.each([
    [0, "0.0 %"],
    [1, "100.0 %"],
    [0.00001, "<0.1 %"],
    [0.99999, ">99.9 %"],
    [0.1234, "12.3 %"],
  ])("%d is %s", (value, text) => {
    expect(percentText(value)).toBe(text);
  });

  it.each([
    [0, "0 s"],
    [0.85, "850 µs"],
    [1.24, "1.2 ms"],
    [42, "42 ms"],
    [4_500, "4.5 s"],
    [185_000, "3 min 5 s"],
    [7_800_000, "2 h 10 min"],
    [273_600_000, "3 d 4 h"],
  ])("%d ms is %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});
