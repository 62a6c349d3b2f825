import { expect, it } from "vitest";
import { pricedText } from "../../../../src/pages/decisions/totals";

const euros = [{ currencyCode: "EUR", nanos: 5n }];

it.each([
  ["leaves out what has no price, and says so", { decisions: 240n, failed: 20n, costs: euros }, "what has no price is not in it"],
  ["is none when no rule has a price", { decisions: 240n, failed: 20n, costs: [] }, "no decision has a price"],
  ["is none when nothing was carried", { decisions: 20n, failed: 20n, costs: [] }, "no operator was chosen"],
])("the cost %s", (_, totals, text) => {
  expect(pricedText(totals)).toBe(text);
});
