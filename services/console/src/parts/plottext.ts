import type { PlotSeries } from "./plotdata";

export function timeText(seconds: number | undefined): string {
  if (seconds === undefined) return "";
  return new Date(seconds * 1000).toLocaleString(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

export function valueText(value: number | null | undefined, text: (value: number) => string): string {
  return value === null || value === undefined ? "–" : text(value);
}

/** What is told of an interval that is not over, or that is cut by an end. */
export const openWords = "not complete";

/** One sentence a series, for those who do not see the canvas. From the place open on nothing is whole, and not counted. */
export function summaryOf(label: string, times: readonly number[], series: readonly PlotSeries[], text: (value: number) => string, open = times.length): string {
  const clock = (seconds: number | undefined): string => (seconds === undefined ? "" : new Date(seconds * 1000).toLocaleTimeString());
  const parts = series.map((one) => {
    const values = one.values.slice(0, open).filter((value) => value !== null);
    const last = values.at(-1);
    if (last === undefined) return `${one.label}: no data`;
    const least = values.reduce((a, b) => Math.min(a, b));
    const most = values.reduce((a, b) => Math.max(a, b));
    return `${one.label}: ${text(last)} at the end, from ${text(least)} to ${text(most)}`;
  });
  return `${label}, ${clock(times[0])} to ${clock(times[open - 1])}. ${parts.join(". ")}.`;
}
