import { describe, expect, it } from "vitest";
import { moneyComplaint, moneyText, nanosText, parseNanos, readMoney } from "../../../src/parts/money";

const largest = 2n ** 63n - 1n;
const least = -(2n ** 63n);

describe("nanos as text", () => {
  it.each([
    [0n, "0.000000"],
    [1n, "0.000000001"],
    [-1n, "-0.000000001"],
    [12_500_000n, "0.012500"],
    [1_000_000_000n, "1.000000"],
    [-1_500_000_000n, "-1.500000"],
    [123_456_789n, "0.123456789"],
    [9_007_199_254_740_993n, "9007199.254740993"],
    [largest, "9223372036.854775807"],
    [least, "-9223372036.854775808"],
  ])("%s is %s", (nanos, text) => {
    expect(nanosText(nanos)).toBe(text);
    expect(parseNanos(text)).toBe(nanos);
  });

  it("comes back from any number of kept places", () => {
    for (const nanos of [0n, 7n, -7n, 10n, 999_999_999n, 1_000_000_001n, 120_000_000_000n, largest, least]) {
      for (let places = 0; places <= 9; places++) expect(parseNanos(nanosText(nanos, places))).toBe(nanos);
    }
  });
});

describe("text as nanos", () => {
  it.each([
    ["0,0125", 12_500_000n],
    [" 1 ", 1_000_000_000n],
    [".5", 500_000_000n],
    ["5.", 5_000_000_000n],
    ["+2", 2_000_000_000n],
    ["0.0000000010", 1n],
    ["007.10", 7_100_000_000n],
  ])("takes %j", (text, nanos) => {
    expect(parseNanos(text)).toBe(nanos);
  });

  it.each(["", ".", "-", "1.2.3", "1e3", "0x10", "1 000", "1,000.5", "0.0000000001", "9223372036.854775808", "-9223372036.854775809", "NaN", "٣"])(
    "refuses %j",
    (text) => {
      expect(parseNanos(text)).toBeUndefined();
    },
  );
});

describe("money of a form", () => {
  it("is no money when nothing was typed, which is not 0", () => {
    expect(readMoney({ amount: " ", currency: "EUR" })).toEqual({});
    expect(readMoney({ amount: "0", currency: "EUR" })).toEqual({ money: { currencyCode: "EUR", nanos: 0n } });
  });

  it("complains of what is no price", () => {
    expect(readMoney({ amount: "-1", currency: "EUR" }).complaint).toMatch(/negative/);
    expect(readMoney({ amount: "x", currency: "EUR" }).complaint).toMatch(/9 decimals/);
    expect(readMoney({ amount: "1", currency: "euro" }).complaint).toMatch(/currency/);
    expect(moneyComplaint({ amount: "", currency: "EUR" })).toBeNull();
    expect(moneyComplaint({ amount: "", currency: "EUR" }, true)).toMatch(/price/);
  });

  it("goes through the form unchanged", () => {
    const money = { currencyCode: "USD", nanos: 12_345_678_901n };
    expect(readMoney(moneyText(money)).money).toEqual(money);
    expect(moneyText(undefined, "GBP")).toEqual({ amount: "", currency: "GBP" });
  });
});
