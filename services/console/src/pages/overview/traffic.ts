import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { TrafficPoint } from "@gen/routing/v1/decision_pb";
import { durationMs } from "../../parts/when";

/** What the points of traffic say, in sums. */
export interface Traffic {
  /** Decisions a second, over the last 5 s. */
  readonly perSecond: number;
  /** Of the last 5 minutes. */
  readonly decisions: number;
  readonly failed: number;
  /** Within which 95 of 100 were decided over the last 2 minutes, in milliseconds; absent without decisions. */
  readonly p95?: number;
}

/** Windows, in seconds. */
const recent = 5;
const spell = 120;
const whole = 300;

/** undefined before anything was heard. */
export function trafficOf(points: readonly TrafficPoint[]): Traffic | undefined {
  const end = points.at(-1);
  if (end === undefined) return undefined;
  const last = (seconds: number): readonly TrafficPoint[] => within(points, seconds);
  const sums = last(whole);
  const p95 = typical(last(spell));
  return {
    perSecond: rate(last(recent)),
    decisions: sums.reduce((sum, { decisionCount }) => sum + Number(decisionCount), 0),
    failed: sums.reduce((sum, { failedCount }) => sum + Number(failedCount), 0),
    ...(p95 === undefined ? {} : { p95 }),
  };
}

const beginOf = ({ startTime }: TrafficPoint): number => (startTime === undefined ? 0 : timestampMs(startTime) / 1000);
const endOf = (point: TrafficPoint): number => beginOf(point) + point.seconds;

/** Points that end within so many seconds before the end of the newest; at least that one. */
function within(points: readonly TrafficPoint[], seconds: number): readonly TrafficPoint[] {
  const newest = points.at(-1);
  if (newest === undefined) return points;
  const from = endOf(newest) - seconds;
  return points.filter((point) => endOf(point) > from);
}

function rate(points: readonly TrafficPoint[]): number {
  const seconds = points.reduce((sum, point) => sum + point.seconds, 0);
  const count = points.reduce((sum, { decisionCount }) => sum + Number(decisionCount), 0);
  return seconds === 0 ? 0 : count / seconds;
}

/**
 * The percentile of a time cannot be had from those of its seconds. This is the one that half of all decisions had or less, so that
 * one slow second does not make an alarm and two slow minutes do.
 */
function typical(points: readonly TrafficPoint[]): number | undefined {
  const known = points
    .flatMap(({ latencyP95, decisionCount }) => (latencyP95 === undefined ? [] : [{ ms: durationMs(latencyP95), count: Number(decisionCount) }]))
    .sort((a, b) => a.ms - b.ms);
  let rest = known.reduce((sum, { count }) => sum + count, 0) / 2;
  for (const { ms, count } of known) {
    rest -= count;
    if (rest <= 0) return ms;
  }
  return undefined;
}

/** Values over the last 5 minutes, for plots. */
export interface Curve {
  /** Unix seconds. */
  readonly times: readonly number[];
  readonly perSecond: readonly number[];
  readonly failed: readonly number[];
  /** From 0 to 1; null without decisions. */
  readonly failedShare: readonly (number | null)[];
  /** Milliseconds; null without decisions. */
  readonly p95: readonly (number | null)[];
}

/** Seconds of one value of a curve: calm enough to read, and new often enough to be live. */
const step = 5;

/** The newest piece is left out until all of it is there: it would look like a fall. */
export function curveOf(points: readonly TrafficPoint[]): Curve {
  const pieces = new Map<number, TrafficPoint[]>();
  for (const point of within(points, whole)) {
    const at = Math.floor(beginOf(point) / step) * step;
    const piece = pieces.get(at);
    if (piece === undefined) pieces.set(at, [point]);
    else piece.push(point);
  }
  const all = [...pieces].filter(([at, piece], index) => index < pieces.size - 1 || piece.some((point) => endOf(point) >= at + step));
  const sums = all.map(([, piece]) => {
    const seconds = piece.reduce((sum, point) => sum + point.seconds, 0);
    const count = piece.reduce((sum, { decisionCount }) => sum + Number(decisionCount), 0);
    const failed = piece.reduce((sum, { failedCount }) => sum + Number(failedCount), 0);
    return { perSecond: count / seconds, failed: failed / seconds, share: count === 0 ? null : failed / count, p95: typical(piece) ?? null };
  });
  return {
    times: all.map(([at]) => at),
    perSecond: sums.map((sum) => sum.perSecond),
    failed: sums.map((sum) => sum.failed),
    failedShare: sums.map((sum) => sum.share),
    p95: sums.map((sum) => sum.p95),
  };
}

/** "42", "0.4": a rate of less than 10 has a decimal. */
export function rateText(value: number): string {
  return value === 0 || value >= 10 ? Math.round(value).toLocaleString() : value.toFixed(1);
}
