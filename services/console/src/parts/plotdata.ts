import uPlot from "uplot";
import { axisFont, measuring, overhang, timeSpace, timesOf } from "./plotaxis";
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

type Column = (number | null)[];

/**
 * The columns for uPlot: of each series what is whole, and what is open, that is from that place in times on. Stacked series are sums from
 * below, and the highest is drawn first.
 */
export function dataOf(times: readonly number[], series: readonly PlotSeries[], kind: PlotKind, open = times.length): uPlot.AlignedData {
  const columns = kind === "lines" ? series.map((one) => [...one.values]) : sumsOf(times, series).reverse();
  const whole = (values: Column): Column => values.map((value, at) => (at < open ? value : null));
  const rest = (values: Column): Column => {
    // The open part of a line begins where the whole part ends.
    const first = kind === "lines" && (values[open] ?? null) !== null ? open - 1 : open;
    return values.map((value, at) => (at < first ? null : value));
  };
  return [[...times], ...columns.flatMap((values) => [whole(values), rest(values)])];
}

function sumsOf(times: readonly number[], series: readonly PlotSeries[]): Column[] {
  const sums = new Array<number>(times.length).fill(0);
  return series.map((one) =>
    times.map((_, at) => {
      sums[at] = (sums[at] ?? 0) + (one.values[at] ?? 0);
      return sums[at] ?? 0;
    }),
  );
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
  const axis = { stroke: colourOf(element, "--mantine-color-dimmed"), grid, ticks: grid, font: axisFont };
  const context = document.createElement("canvas").getContext("2d");
  const measure = context === null ? () => 60 : measuring(context);
  const drawn = series.map((one, index) => pairOf(one.label, colourOf(element, variableOf(one, index)), colourOf(element, "--tl-surface"), kind));
  return {
    width: Math.max(1, element.clientWidth),
    height,
    padding: [10, overhang(measure), 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: kind === "lines" } },
    scales: { x: { time: true }, y: { range: (_, least, most) => [Math.min(0, least), most <= 0 ? 1 : most * 1.08] } },
    axes: [
      { ...axis, size: 36, values: (_, splits) => timesOf(splits), space: (_, __, from, to, pixels) => timeSpace(measure, to - from, pixels) },
      { ...axis, size: 64, values: (_, values) => values.map((value) => text(value)) },
    ],
    series: [{}, ...(kind === "stacked" ? drawn.reverse() : drawn).flat()],
    hooks: { setCursor: [(made) => onCursor(made.cursor.idx ?? null)] },
  };
}

/** How a series is drawn: what is whole, and dashed or pale what is open. */
function pairOf(label: string, colour: string, ground: string, kind: PlotKind): [whole: uPlot.Series, open: uPlot.Series] {
  const bars = uPlot.paths.bars?.({ size: [0.85, 40], gap: 0 });
  if (kind === "lines" || bars === undefined) {
    const line: uPlot.Series = { label, stroke: colour, width: 1.75, spanGaps: false };
    const points: uPlot.Series.Points = { show: true, size: 5, filter: (made, at) => alone(made.data[at] ?? []) };
    return [
      { ...line, points: { ...points, fill: colour } },
      { ...line, dash: [3, 4], points: { ...points, fill: ground } },
    ];
  }
  const bar: uPlot.Series = { label, stroke: colour, width: 0, paths: bars, points: { show: false } };
  return [
    { ...bar, fill: colour },
    { ...bar, fill: `color-mix(in srgb, ${colour} 40%, ${ground})` },
  ];
}

/** Places of values between gaps: they make no line, so that they need a point. */
export function alone(values: ArrayLike<number | null | undefined>): number[] {
  const there = (at: number): boolean => values[at] !== null && values[at] !== undefined;
  return Array.from(values, (_, at) => at).filter((at) => there(at) && !there(at - 1) && !there(at + 1));
}
