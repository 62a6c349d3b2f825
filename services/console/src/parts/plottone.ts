import type { Tone } from "./status";

/** A meaning, or a place in the row of colours that mean nothing. */
export type PlotTone = Tone | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** The CSS variable of a series' colour. */
export function variableOf(series: { readonly tone?: PlotTone }, index: number): string {
  const { tone = ((index % 8) + 1) as PlotTone } = series;
  return typeof tone === "number" ? `--plot-${String(tone)}` : `--tone-${tone}-mark`;
}
