import { describe, expect, it } from "vitest";
import { baseOf, changesOf, changeText, inverse, readTable, textOf } from "../../../../src/pages/rates/fx/fxtable";

const euro = { currencyCode: "EUR", rateNanos: 1_000_000_000n };
const dollar = { currencyCode: "USD", rateNanos: 860_000_001n };

describe("a table as text and back", () => {
  it("keeps every nano, the base first", () => {
    const lines = textOf([dollar, euro]);
    expect(lines.map(({ code, worth }) => `${code} ${worth}`)).toEqual(["EUR 1.000000", "USD 0.860000001"]);
    expect(readTable(lines, "EUR")).toEqual({ rates: [euro, dollar], complaints: new Map() });
  });

  it("knows the base", () => {
    expect(baseOf([dollar, euro])).toBe("EUR");
    expect(baseOf([dollar])).toBe("");
  });

  it("the base has 1, whatever its line says", () => {
    expect(readTable([{ key: 0, code: "USD", worth: "0.5" }], "USD").rates).toEqual([{ currencyCode: "USD", rateNanos: 1_000_000_000n }]);
  });
});

describe("lines that cannot be taken", () => {
  const cases: readonly [name: string, code: string, worth: string, field: "code" | "worth"][] = [
    ["no currency", "", "1.2", "code"],
    ["a currency of two letters", "US", "1.2", "code"],
    ["a currency that is there already", "EUR", "1.2", "code"],
    ["no worth", "USD", "", "worth"],
    ["a worth that is no decimal", "USD", "1e3", "worth"],
    ["a worth of ten places", "USD", "0.1234567891", "worth"],
    ["a worth of 0", "USD", "0.000000000", "worth"],
    ["a worth below 0", "USD", "-1.2", "worth"],
    ["a second base", "USD", "1.000", "worth"],
    ["a worth that does not fit", "USD", "9223372036.854775808", "worth"],
  ];
  for (const [name, code, worth, field] of cases) {
    it(name, () => {
      const { complaints } = readTable([{ key: 7, code: "EUR", worth: "1" }, { key: 9, code, worth }], "EUR");
      expect([...complaints.keys()]).toEqual([9]);
      expect(Object.keys(complaints.get(9) ?? {})).toEqual([field]);
    });
  }
});

it("changes are said currency by currency", () => {
  const before = [euro, dollar, { currencyCode: "CHF", rateNanos: 1_050_000_000n }];
  const after = [{ ...euro, rateNanos: 900_000_000n }, { ...dollar, rateNanos: 1_000_000_000n }, { currencyCode: "GBP", rateNanos: 2n }];
  expect(changesOf(before, after).map((one) => changeText(one, "USD"))).toEqual([
    "CHF goes: prices in CHF can no longer be compared with others.",
    "EUR is worth 0.900000 instead of 1.000000.",
    "GBP comes in, worth 0.000000002 USD.",
    "USD becomes the base, with 1 instead of 0.860000001.",
  ]);
  expect(changesOf(before, before)).toEqual([]);
});

describe("what one unit of the base buys", () => {
  for (const [nanos, want] of [[860_000_000n, 1_162_791_000n], [1_000_000_000n, 1_000_000_000n], [3_000_000_000_000n, 333_333n], [0n, 0n]] as const) {
    it(`at ${String(nanos)} nanos`, () => expect(inverse(nanos)).toBe(want));
  }
});
