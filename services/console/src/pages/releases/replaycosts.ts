import type { ReplayCost, ReplayMove } from "@gen/releases/v1/release_pb";
import { type Amount, nanosText } from "../../parts/money";
import { basisPoints, basisPointsText } from "./percent";

/** Whether a cost is the same before and after. */
export function sameCost({ beforeCount, afterCount, before, after }: ReplayCost): boolean {
  return beforeCount === afterCount && before?.nanos === after?.nanos && before?.currencyCode === after?.currencyCode;
}

/** What is left out of sums, because it has no price on either side. */
export function unpriced({ before, after }: ReplayCost): boolean {
  return before === undefined && after === undefined;
}

/** The difference as exact text, such as "-0.029500 EUR". A side that has nothing costs nothing. */
export function differenceOf({ before, after }: ReplayCost): string {
  const money = after ?? before;
  if (money === undefined) return "";
  const nanos = (after?.nanos ?? 0n) - (before?.nanos ?? 0n);
  return `${nanos > 0n ? "+" : ""}${nanosText(nanos)} ${money.currencyCode}`;
}

/** The difference in percent; "" where it cannot be told. */
export function percentOf({ before, after }: ReplayCost): string {
  const points = basisPoints(before?.nanos ?? 0n, after?.nanos ?? 0n);
  return points === undefined ? "" : basisPointsText(points);
}

/** Which way a cost goes. */
export function direction({ before, after }: ReplayCost): "up" | "down" | "same" {
  const nanos = (after?.nanos ?? 0n) - (before?.nanos ?? 0n);
  return nanos > 0n ? "up" : nanos < 0n ? "down" : "same";
}

export function amountText(money: Amount | undefined): string {
  return money === undefined ? "–" : `${nanosText(money.nanos)} ${money.currencyCode}`;
}

/** For drawing only: how long a bar is. */
export function barSize(money: Amount | undefined): number {
  return money === undefined ? 0 : Number(money.nanos) / 1e9;
}

/** "Nordlink Transit", "no route". */
export function routeName(id: string, name: string): string {
  return id === "" ? "no route" : name === "" ? id : name;
}

/** Those that go elsewhere. */
export function movers(moves: readonly ReplayMove[]): readonly ReplayMove[] {
  return moves.filter(({ fromOperatorId, toOperatorId }) => fromOperatorId !== toOperatorId);
}

export interface Matrix {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly count: (from: string, to: string) => bigint;
}

/** Traffic from each operator to each; those that stay are in the diagonal. undefined when it would be too large to be read. */
export function matrixOf(moves: readonly ReplayMove[], most = 10): Matrix | undefined {
  const from: string[] = [];
  const to: string[] = [];
  const counts = new Map<string, bigint>();
  for (const move of moves) {
    const [a, b] = [routeName(move.fromOperatorId, move.fromOperatorName), routeName(move.toOperatorId, move.toOperatorName)];
    if (!from.includes(a)) from.push(a);
    if (!to.includes(b)) to.push(b);
    counts.set(`${a}\n${b}`, (counts.get(`${a}\n${b}`) ?? 0n) + move.count);
  }
  if (from.length === 0 || from.length > most || to.length > most) return undefined;
  return { from: from.sort(), to: to.sort(), count: (a, b) => counts.get(`${a}\n${b}`) ?? 0n };
}

const reasons: Readonly<Record<string, string>> = {
  NO_ROUTE: "no rule covers the number",
  NO_USABLE_OPERATOR: "a rule covers it, but none of its operators can be used",
  VALIDATION_FAILED: "the number cannot be routed as it is",
};

/** Why a prefix loses its route, in words. */
export function lossReason(reason: string): string {
  return reasons[reason] ?? "";
}
