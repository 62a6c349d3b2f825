import uPlot from "uplot";
import { type PlotTone, variableOf } from "./plottone";

export type PlotKind = "lines" | "stacked";

export interface PlotSeries {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** A colour of the series; by its place unless told. */
  readonly tone?: PlotTone;
}

/** A canvas needs the colour itself. */
export function colourOf(element: Element, variable: string): string {
  return getComputedStyle(element).getPropertyValue(variable).trim() || "#808080";
}

/** The columns for uPlot. Stacked series are sums from below, and the highest is drawn first. */
export function dataOf(times: readonly number[], series: readonly PlotSeries[], kind: PlotKind): uPlot.AlignedData {
  if (kind === "lines") return [[...times], ...series.map((one) => [...one.values])];
  const sums = new Array<number>(times.length).fill(0);
  const columns = series.map((one) =>
    times.map((_, at) => {
      sums[at] = (sums[at] ?? 0) + (one.values[at] ?? 0);
      return sums[at] ?? 0;
    }),
  );
  return [[...times], ...columns.reverse()];
}

export function optionsOf(
  element: HTMLElement,
  series: readonly PlotSeries[],
  kind: PlotKind,
  height: number,
  text: (value: number) => string,
  onCursor: (at: number | null) => void,
): uPlot.Options {
  const grid = { stroke: colourOf(element, "--mantine-color-default-border"), width: 1 };
  const axis = { stroke: colourOf(element, "--mantine-color-dimmed"), grid, ticks: grid, font: "12px system-ui, sans-serif" };
  const drawn = series.map((one, index): uPlot.Series => {
    const colour = colourOf(element, variableOf(one, index));
    const base = { label: one.label, stroke: colour, points: { show: false } };
    const bars = uPlot.paths.bars?.({ size: [0.85, 40], gap: 0 });
    if (kind === "lines" || bars === undefined) return { ...base, width: 1.75, spanGaps: false };
    return { ...base, fill: colour, width: 0, paths: bars };
  });
  return {
    width: Math.max(1, element.clientWidth),
    height,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: kind === "lines" } },
    scales: { x: { time: true }, y: { range: (_, least, most) => [Math.min(0, least), most <= 0 ? 1 : most * 1.08] } },
    axes: [{ ...axis, values: (_, splits) => timesOf(splits) }, { ...axis, size: 64, values: (_, values) => values.map((value) => text(value)) }],
    series: [{}, ...(kind === "stacked" ? drawn.reverse() : drawn)],
    hooks: { setCursor: [(made) => onCursor(made.cursor.idx ?? null)] },
  };
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const clockOfSeconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/** Times beside an axis, as the language of the browser writes them: days only where one begins. */
export function timesOf(splits: readonly number[]): string[] {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0);
  return splits.map((seconds) => {
    const time = new Date(seconds * 1000);
    if (step >= 86_400 || (time.getHours() === 0 && time.getMinutes() === 0 && time.getSeconds() === 0)) return day.format(time);
    return (step < 60 ? clockOfSeconds : clock).format(time);
  });
}

/** One sentence a series, for those who do not see the canvas. */
export function summaryOf(label: string, times: readonly number[], series: readonly PlotSeries[], text: (value: number) => string): string {
  const clock = (seconds: number | undefined): string => (seconds === undefined ? "" : new Date(seconds * 1000).toLocaleTimeString());
  const parts = series.map((one) => {
    const values = one.values.filter((value) => value !== null);
    const last = values.at(-1);
    if (last === undefined) return `${one.label}: no data`;
    const least = values.reduce((a, b) => Math.min(a, b));
    const most = values.reduce((a, b) => Math.max(a, b));
    return `${one.label}: ${text(last)} at the end, from ${text(least)} to ${text(most)}`;
  });
  return `${label}, ${clock(times[0])} to ${clock(times.at(-1))}. ${parts.join(". ")}.`;
}
