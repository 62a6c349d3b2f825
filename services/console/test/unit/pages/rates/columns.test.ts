import { describe, expect, it } from "vitest";
import { columnComplaints, type Columns, guessColumns, guessCurrency, noColumns } from "../../../../src/pages/rates/import/columns";

describe("columns are guessed by the names of headers", () => {
  const cases: readonly { name: string; headers: readonly string[]; want: Partial<Columns> }[] = [
    {
      name: "our own names, in any case and spelling",
      headers: ["Prefix", "PRICE", "message-type", "Effective From", "effective_to", "Country Code", "currency", "MCC", "mnc"],
      want: {
        prefix: "Prefix", price: "PRICE", message_type: "message-type", effective_from: "Effective From", effective_to: "effective_to",
        country_code: "Country Code", currency: "currency", mcc: "MCC", mnc: "mnc",
      },
    },
    { name: "a dial code alone is the prefix", headers: ["Destination", "Dial code", "Rate EUR"], want: { prefix: "Dial code", price: "Rate EUR" } },
    {
      name: "a dial code beside a prefix is the country code",
      headers: ["Country", "Dial Code", "Area code", "Rate"],
      want: { country_code: "Dial Code", prefix: "Area code", price: "Rate" },
    },
    { name: "a header is taken once", headers: ["prefix", "rate", "price"], want: { prefix: "prefix", price: "price" } },
    { name: "a price with its currency behind", headers: ["code", "Price (USD)"], want: { prefix: "code", price: "Price (USD)" } },
    { name: "words within others are left alone", headers: ["Rated by", "Prefixed", "Together"], want: {} },
    { name: "names that nobody knows", headers: ["Zielgebiet", "<script>alert(1)</script>"], want: {} },
    { name: "no headers", headers: [], want: {} },
  ];
  for (const { name, headers, want } of cases) {
    it(name, () => expect(guessColumns(headers)).toEqual({ ...noColumns, ...want }));
  }
});

describe("the currency of a deck", () => {
  for (const [header, want] of [["Rate EUR", "EUR"], ["Price (USD)", "USD"], ["price", ""], ["PRICE PER SMS", ""], ["Cost in XQQ", ""]] as const) {
    it(`"${header}" names ${want === "" ? "none" : want}`, () => expect(guessCurrency(header, ["EUR", "USD"])).toBe(want));
  }
});

describe("columns that cannot be read", () => {
  const good: Columns = { ...noColumns, prefix: "Code", price: "Rate", currency: "Ccy" };
  const cases: readonly { name: string; columns: Columns; currency?: string; want: readonly string[] }[] = [
    { name: "a prefix, a price and a currency are enough", columns: good, want: [] },
    { name: "a country code does for the prefix", columns: { ...good, prefix: "", country_code: "CC" }, want: [] },
    { name: "a default does for the currency", columns: { ...good, currency: "" }, currency: "EUR", want: [] },
    { name: "without a price", columns: { ...good, price: "" }, want: ["price"] },
    { name: "without prefix and country code", columns: { ...good, prefix: "" }, want: ["prefix"] },
    { name: "without any currency", columns: { ...good, currency: "" }, want: ["default_currency"] },
    { name: "a currency that is none", columns: good, currency: "EU", want: ["default_currency"] },
    { name: "one header for two columns, however it is written", columns: { ...good, mcc: "CODE" }, want: ["mcc"] },
  ];
  for (const { name, columns, currency = "", want } of cases) {
    it(name, () => expect(Object.keys(columnComplaints(columns, currency))).toEqual(want));
  }
});
