import { RateChangeKind, type RateChange, type RateDiff } from "@gen/operators/v1/rate_pb";
import { countText, counted } from "../../../parts/figures";
import type { Tone } from "../../../parts/status";
import type { Scope } from "./draft";

export interface Kind {
  readonly kind: RateChangeKind;
  /** In the query string. */
  readonly key: string;
  readonly word: string;
  readonly tone: Tone;
  readonly count: (diff: RateDiff) => bigint;
}

export const kinds: readonly Kind[] = [
  { kind: RateChangeKind.NEW, key: "new", word: "New", tone: "info", count: (diff) => diff.newCount },
  { kind: RateChangeKind.RAISED, key: "raised", word: "Raised", tone: "warning", count: (diff) => diff.raisedCount },
  { kind: RateChangeKind.LOWERED, key: "lowered", word: "Lowered", tone: "good", count: (diff) => diff.loweredCount },
  { kind: RateChangeKind.ENDED, key: "ended", word: "Ended", tone: "bad", count: (diff) => diff.endedCount },
  { kind: RateChangeKind.CURRENCY, key: "currency", word: "Currency", tone: "warning", count: (diff) => diff.currencyCount },
];

export function kindOf(kind: RateChangeKind): Kind | undefined {
  return kinds.find((one) => one.kind === kind);
}

export function changeCount(diff: RateDiff): bigint {
  return kinds.reduce((sum, { count }) => sum + count(diff), 0n);
}

/** Thousandths of the price before, rounded half away from zero; undefined where up and down have no measure. */
export function permille({ before, after }: Pick<RateChange, "before" | "after">): bigint | undefined {
  if (before === undefined || after === undefined || before.currencyCode !== after.currencyCode || before.nanos === 0n) return undefined;
  const scaled = (after.nanos - before.nanos) * 2000n;
  const rounded = (scaled < 0n ? scaled - before.nanos : scaled + before.nanos) / (before.nanos * 2n);
  return rounded;
}

/** "+12.5 %"; "" where there is no measure. */
export function percentChange(change: Pick<RateChange, "before" | "after">): string {
  const value = permille(change);
  if (value === undefined) return "";
  const size = value < 0n ? -value : value;
  const sign = value < 0n ? "−" : value > 0n ? "+" : "";
  return `${sign}${countText(size / 10n)}.${String(size % 10n)} %`;
}

/** Whether a price rises by more than half of what it was. What was free has no measure and counts. */
export function steep({ kind, before, after }: Pick<RateChange, "kind" | "before" | "after">): boolean {
  if (kind !== RateChangeKind.RAISED || before === undefined || after === undefined) return false;
  return (after.nanos - before.nanos) * 2n > before.nanos;
}

/** What somebody should look at before the deck is applied, one sentence each. */
export function dangers(diff: RateDiff, scope: Scope): readonly string[] {
  const said: string[] = [];
  const before = diff.raisedCount + diff.loweredCount + diff.endedCount + diff.currencyCount + diff.unchangedCount;
  if (scope === "full" && diff.endedCount > 0n && diff.endedCount * 10n > before) {
    said.push(
      `The deck is taken as the whole list and ends ${counted(diff.endedCount, ["price", "prices"])} of about ${countText(before)}, more than a tenth. If it holds changes only, go back and say so.`,
    );
  }
  const rises = diff.changes.filter(steep).length;
  if (rises > 0) {
    const most = diff.changes.find(steep);
    const percent = most === undefined ? "" : percentChange(most);
    const least = rises === diff.changes.length && changeCount(diff) > BigInt(rises) ? "At least " : "";
    said.push(
      `${least}${counted(rises, ["price rises", "prices rise"])} by more than 50 %${percent === "" ? "" : `, the most by ${percent}`}. Look whether the price column and the decimal point are right.`,
    );
  }
  return said;
}
