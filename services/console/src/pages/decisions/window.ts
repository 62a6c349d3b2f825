import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Timestamp } from "@bufbuild/protobuf/wkt";

/** Ranges that end now, in seconds. Another one is another line; the server sums up 31 days at most. */
export const ranges = {
  "15m": { label: "15 min", seconds: 900 },
  "1h": { label: "1 h", seconds: 3600 },
  "24h": { label: "24 h", seconds: 86_400 },
  "7d": { label: "7 days", seconds: 604_800 },
  "30d": { label: "30 days", seconds: 2_592_000 },
} as const;
export type RangeKey = keyof typeof ranges;

export function rangeOf(text: string): RangeKey {
  return Object.hasOwn(ranges, text) ? (text as RangeKey) : "1h";
}

/** Whole steps that people count in, in seconds: below a minute only for a few, because the server keeps sums by the minute. */
const steps = [1, 2, 5, 10, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];
/** Intervals of a plot at most: more are thinner than a line. */
const intervals = 120;
/** The server sums up at most so much. */
const longest = 31 * 86_400;
/** Seconds that engines take to log what they decided: until then an interval that is over is not complete. */
const late = 5;

/** What is looked at: from a moment on, and to another one or to now. Seconds since 1970. */
export interface Window {
  readonly from: number;
  /** undefined: it ends now. */
  readonly to: number | undefined;
  /** Length of an interval. */
  readonly step: number;
  /** Where each interval begins. */
  readonly times: readonly number[];
  /** Intervals that begin here or later are not complete: they go on, or the end cuts them. */
  readonly openFrom: number;
  /** Why there is nothing to look at. */
  readonly complaint?: string;
}

/** The shortest step that does not make too many intervals. */
export function stepFor(seconds: number): number {
  return steps.find((step) => seconds / step <= intervals) ?? 86_400;
}

/** The last seconds before now. It begins where an interval begins, so that it stays the same for a step. */
export function windowOf(range: RangeKey, now: number): Window {
  const { seconds } = ranges[range];
  const step = stepFor(seconds);
  const from = floorTo(now - seconds, step);
  return { from, to: undefined, step, times: timesOf(from, now, step), openFrom: openOf(now, step) };
}

/** Between two moments of the address. */
export function windowBetween(from: string, to: string, now: number): Window {
  const start = secondsOf(from);
  const end = to === "" ? undefined : secondsOf(to);
  if (Number.isNaN(start) || (end !== undefined && Number.isNaN(end))) return bad("Give both times.");
  const until = end ?? now;
  const length = until - start;
  if (length <= 0) return bad("The end has to be after the beginning.");
  if (length > longest) return bad("At most 31 days can be looked at at once.");
  const step = stepFor(length);
  return { from: start, to: end, step, times: timesOf(start, until, step), openFrom: Math.min(openOf(now, step), floorTo(until, step)) };
}

function bad(complaint: string): Window {
  return { from: 0, to: 0, step: 1, times: [], openFrom: Infinity, complaint };
}

/** Where the first interval begins that is not all in the log yet. */
function openOf(now: number, step: number): number {
  return floorTo(now - late, step);
}

function floorTo(seconds: number, step: number): number {
  return Math.floor(seconds / step) * step;
}

function secondsOf(text: string): number {
  return Math.floor(new Date(text).getTime() / 1000);
}

function timesOf(from: number, to: number, step: number): number[] {
  const times: number[] = [];
  for (let at = floorTo(from, step); at < to; at += step) times.push(at);
  return times;
}

export function momentOf(seconds: number): Timestamp {
  return timestampFromDate(new Date(seconds * 1000));
}
