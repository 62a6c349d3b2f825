/** Money between bigint nanos (billionths of a currency unit) and decimal text. No float is ever between them. */

export interface Amount {
  readonly currencyCode: string;
  readonly nanos: bigint;
}

/** What a form holds while somebody types. */
export interface MoneyText {
  readonly amount: string;
  readonly currency: string;
}

const unit = 1_000_000_000n;
const largest = 2n ** 63n - 1n;

/** Decimal text with at least places and at most 9 decimals: 12500000n is "0.012500". */
export function nanosText(nanos: bigint, places = 6): string {
  const size = nanos < 0n ? -nanos : nanos;
  const decimals = (size % unit).toString().padStart(9, "0");
  const kept = Math.max(places, decimals.replace(/0+$/, "").length);
  const text = `${(size / unit).toString()}${kept === 0 ? "" : `.${decimals.slice(0, kept)}`}`;
  return nanos < 0n ? `-${text}` : text;
}

/** Reads decimal text with "." or "," and up to 9 decimals; undefined when it is none or does not fit into int64. */
export function parseNanos(text: string): bigint | undefined {
  const match = /^([+-]?)(\d*)(?:[.,](\d*))?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, sign = "", whole = "", decimals = ""] = match;
  if (whole === "" && decimals === "") return undefined;
  const significant = decimals.replace(/0+$/, "");
  if (significant.length > 9) return undefined;
  const size = BigInt(whole === "" ? "0" : whole) * unit + BigInt(significant.padEnd(9, "0"));
  const nanos = sign === "-" ? -size : size;
  return nanos > largest || nanos < -largest - 1n ? undefined : nanos;
}

export function moneyText(money: Amount | undefined, currency = "EUR"): MoneyText {
  if (money === undefined) return { amount: "", currency };
  return { amount: nanosText(money.nanos), currency: money.currencyCode };
}

/** Money, or what is wrong with the text, or neither when nothing was typed: no price is not the price 0. */
export function readMoney(value: MoneyText): { readonly money?: Amount; readonly complaint?: string } {
  if (value.amount.trim() === "") return {};
  const nanos = parseNanos(value.amount);
  if (nanos === undefined) return { complaint: "Give an amount such as 0.0125, with at most 9 decimals." };
  if (nanos < 0n) return { complaint: "A price is never negative." };
  if (!/^[A-Z]{3}$/.test(value.currency)) return { complaint: "Give a currency such as EUR." };
  return { money: { currencyCode: value.currency, nanos } };
}

/** For the validation of @mantine/form. */
export function moneyComplaint(value: MoneyText, required = false): string | null {
  const { money, complaint } = readMoney(value);
  if (complaint !== undefined) return complaint;
  return required && money === undefined ? "Give a price." : null;
}
