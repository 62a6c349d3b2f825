import type { FxRate } from "@gen/operators/v1/rate_pb";
import { nanosText, parseNanos } from "../../../parts/money";

/** What one unit of the base currency is in nanos. */
export const unit = 1_000_000_000n;

export type Worth = Pick<FxRate, "currencyCode" | "rateNanos">;

/** One line of the form. */
export interface FxText {
  /** Names the line while somebody types its currency. */
  readonly key: number;
  readonly code: string;
  /** Decimal text; that of the base does not count, it has 1. */
  readonly worth: string;
}

export interface Complaint {
  readonly code?: string;
  readonly worth?: string;
}

export function baseOf(rates: readonly Worth[]): string {
  return rates.find(({ rateNanos }) => rateNanos === unit)?.currencyCode ?? "";
}

/** The base first, the others by code. */
export function ordered<T extends Worth>(rates: readonly T[]): T[] {
  const rank = ({ rateNanos }: Worth): number => (rateNanos === unit ? 0 : 1);
  return [...rates].sort((a, b) => rank(a) - rank(b) || a.currencyCode.localeCompare(b.currencyCode));
}

export function textOf(rates: readonly Worth[]): FxText[] {
  return ordered(rates).map(({ currencyCode, rateNanos }, key) => ({ key, code: currencyCode, worth: nanosText(rateNanos) }));
}

/** What somebody typed as a table, or what is wrong with each line. */
export function readTable(lines: readonly FxText[], base: string): { readonly rates: readonly Worth[]; readonly complaints: ReadonlyMap<number, Complaint> } {
  const complaints = new Map<number, Complaint>();
  const rates: Worth[] = [];
  const seen = new Set<string>();
  for (const { key, code, worth } of lines) {
    const complaint = complaintOf(code, worth, base, seen);
    seen.add(code);
    if (complaint !== undefined) complaints.set(key, complaint);
    else rates.push({ currencyCode: code, rateNanos: code === base ? unit : (parseNanos(worth) ?? 0n) });
  }
  return { rates, complaints };
}

function complaintOf(code: string, worth: string, base: string, seen: ReadonlySet<string>): Complaint | undefined {
  if (!/^[A-Z]{3}$/.test(code)) return { code: "Three letters, such as USD." };
  if (seen.has(code)) return { code: `${code} is in the table already.` };
  if (code === base) return undefined;
  const nanos = parseNanos(worth);
  if (nanos === undefined) return { worth: "A decimal such as 0.92, with at most 9 places." };
  if (nanos <= 0n) return { worth: "Must be above 0." };
  return nanos === unit ? { worth: `Only the base, ${base}, has exactly 1.` } : undefined;
}

export interface FxChange {
  readonly code: string;
  readonly before?: bigint;
  readonly after?: bigint;
}

/** What differs between two tables, by currency. */
export function changesOf(before: readonly Worth[], after: readonly Worth[]): readonly FxChange[] {
  const was = new Map(before.map((one) => [one.currencyCode, one.rateNanos]));
  const is = new Map(after.map((one) => [one.currencyCode, one.rateNanos]));
  return [...new Set([...was.keys(), ...is.keys()])]
    .sort()
    .filter((code) => was.get(code) !== is.get(code))
    .map((code) => {
      const [from, to] = [was.get(code), is.get(code)];
      return { code, ...(from === undefined ? {} : { before: from }), ...(to === undefined ? {} : { after: to }) };
    });
}

/** One sentence for each change. */
export function changeText({ code, before, after }: FxChange, base: string): string {
  if (before === undefined) return after === unit ? `${code} becomes the base.` : `${code} comes in, worth ${nanosText(after ?? 0n)} ${base}.`;
  if (after === undefined) return `${code} goes: prices in ${code} can no longer be compared with others.`;
  if (after === unit) return `${code} becomes the base, with 1 instead of ${nanosText(before)}.`;
  return `${code} is worth ${nanosText(after)} instead of ${nanosText(before)}.`;
}

/** What one unit of the base buys, in nanos. Rounded to six places, small amounts to nine: it is shown and never stored. */
export function inverse(nanos: bigint): bigint {
  if (nanos <= 0n) return 0n;
  const step = unit * unit >= nanos * 1_000_000n ? 1_000n : 1n;
  return ((unit * unit * 2n + nanos * step) / (nanos * step * 2n)) * step;
}
