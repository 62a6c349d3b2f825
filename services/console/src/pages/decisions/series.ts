import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { DecisionSummary } from "@gen/routing/v1/decision_pb";
import { Outcome } from "@gen/routing/v1/routing_pb";
import type { PlotSeries } from "../../parts/plot";
import { durationMs } from "../../parts/when";

/** Operators that have a colour of their own. */
const coloured = 7;

function startOf({ startTime }: DecisionSummary): number {
  return startTime === undefined ? 0 : Math.floor(timestampDate(startTime).getTime() / 1000);
}

/** One value an interval; an interval without decisions has the value of nothing. */
function column(times: readonly number[], summaries: readonly DecisionSummary[], value: (one: DecisionSummary) => number | null, nothing: number | null) {
  const places = new Map(times.map((time, at) => [time, at]));
  const values = new Array<number | null>(times.length).fill(nothing);
  for (const one of summaries) {
    const at = places.get(startOf(one));
    if (at !== undefined) values[at] = value(one);
  }
  return values;
}

/** Decisions an interval by operator: the largest ones, the others as one, and those without a route. */
export function volumes(times: readonly number[], summaries: readonly DecisionSummary[], name: (id: string) => string): PlotSeries[] {
  const totals = new Map<string, number>();
  for (const { group, decisionCount } of summaries) totals.set(group, (totals.get(group) ?? 0) + Number(decisionCount));
  const largest = [...totals]
    .filter(([group]) => group !== "" && group !== "other")
    .sort(([, a], [, b]) => b - a)
    .slice(0, coloured)
    .map(([group]) => group);
  const countOf = (wanted: (group: string) => boolean): (number | null)[] => {
    const sums = new Map<number, number>();
    for (const one of summaries) if (wanted(one.group)) sums.set(startOf(one), (sums.get(startOf(one)) ?? 0) + Number(one.decisionCount));
    return times.map((time) => sums.get(time) ?? 0);
  };
  const series: PlotSeries[] = largest.map((id) => ({ label: name(id), values: countOf((group) => group === id) }));
  if ([...totals.keys()].some((group) => group !== "" && !largest.includes(group))) {
    series.push({ label: "Others", values: countOf((group) => group !== "" && !largest.includes(group)), tone: "idle" });
  }
  if (totals.has("")) series.push({ label: "No route", values: countOf((group) => group === ""), tone: "bad" });
  return series;
}

/** Share of decisions without a route. */
export function failureRate(times: readonly number[], summaries: readonly DecisionSummary[]): PlotSeries[] {
  const rate = (one: DecisionSummary): number | null => (one.decisionCount === 0n ? null : Number(one.failedCount) / Number(one.decisionCount));
  return [{ label: "No route", values: column(times, summaries, rate, null), tone: "bad" }];
}

/** Nanos of each currency; a plot draws them as numbers, and its texts are made of the nanos again. */
export function costs(times: readonly number[], summaries: readonly DecisionSummary[]): PlotSeries[] {
  const currencies = [...new Set(summaries.flatMap((one) => one.costs.map((cost) => cost.currencyCode)))].sort();
  return currencies.map((currency) => ({
    label: currency,
    values: column(times, summaries, (one) => Number(one.costs.find((cost) => cost.currencyCode === currency)?.nanos ?? 0n), 0),
  }));
}

/** Messages by what was reported of them last. */
export interface Reported {
  readonly delivered: number;
  /** What was reported is the end of it: delivered, undelivered, rejected or failed. */
  readonly ended: number;
  /** An operator accepted it, and its receipt is to come. */
  readonly open: number;
}

export function reportedOf(summaries: readonly DecisionSummary[]): Reported {
  let [delivered, ended, open] = [0, 0, 0];
  for (const { outcome, count } of summaries.flatMap((one) => one.outcomes)) {
    if (outcome === Outcome.DELIVERED) delivered += Number(count);
    if (outcome === Outcome.ACCEPTED) open += Number(count);
    else if (outcome !== Outcome.UNSPECIFIED) ended += Number(count);
  }
  return { delivered, ended, open };
}

/** Share of delivered messages among those that came to an end. */
export function success(times: readonly number[], summaries: readonly DecisionSummary[]): PlotSeries[] {
  const rate = (one: DecisionSummary): number | null => {
    const { delivered, ended } = reportedOf([one]);
    return ended === 0 ? null : delivered / ended;
  };
  return [{ label: "Delivered", values: column(times, summaries, rate, null), tone: "good" }];
}

/** Milliseconds within which 95 of 100 decisions were made. */
export function latencies(times: readonly number[], summaries: readonly DecisionSummary[]): PlotSeries[] {
  const ms = (one: DecisionSummary): number | null => (one.latencyP95 === undefined ? null : durationMs(one.latencyP95));
  return [{ label: "p95", values: column(times, summaries, ms, null), tone: "info" }];
}

export interface Totals {
  readonly decisions: bigint;
  readonly failed: bigint;
  readonly costs: readonly { readonly currencyCode: string; readonly nanos: bigint }[];
  readonly reported: Reported;
}

export function totalsOf(summaries: readonly DecisionSummary[]): Totals {
  let decisions = 0n;
  let failed = 0n;
  const sums = new Map<string, bigint>();
  for (const one of summaries) {
    decisions += one.decisionCount;
    failed += one.failedCount;
    for (const { currencyCode, nanos } of one.costs) sums.set(currencyCode, (sums.get(currencyCode) ?? 0n) + nanos);
  }
  const costsOf = [...sums].sort(([a], [b]) => a.localeCompare(b)).map(([currencyCode, nanos]) => ({ currencyCode, nanos }));
  return { decisions, failed, costs: costsOf, reported: reportedOf(summaries) };
}

/** How often each reason, the most frequent first. */
export function reasons(summaries: readonly DecisionSummary[]): readonly { readonly reason: string; readonly count: bigint }[] {
  const counts = new Map<string, bigint>();
  for (const { group, decisionCount } of summaries) counts.set(group, (counts.get(group) ?? 0n) + decisionCount);
  return [...counts].map(([reason, count]) => ({ reason, count })).sort((a, b) => (a.count === b.count ? a.reason.localeCompare(b.reason) : a.count > b.count ? -1 : 1));
}
