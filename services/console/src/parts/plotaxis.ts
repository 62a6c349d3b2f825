/** Of the texts beside the axes. */
export const axisFont = "12px system-ui, sans-serif";

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

/** Pixels of a text; it differs by language and by the fonts of the machine. */
export type Measure = (text: string) => number;

/** Measures with the font of the axes. */
export function measuring(context: CanvasRenderingContext2D): Measure {
  return (text) => {
    context.font = axisFont;
    return context.measureText(text).width;
  };
}

/** Pixels between two times beside each other at least. */
const between = 16;
// As wide as times and days get.
const late = new Date(2026, 10, 28, 22, 48, 48);

/** How far apart times have to be on an axis that tells so many seconds in so many pixels, so that none touches the next. */
export function timeSpace(measure: Measure, seconds: number, pixels: number): number {
  const plain = Math.max(measure(clock.format(late)), measure(day.format(late))) + between;
  const apart = pixels <= 0 ? 0 : (seconds / pixels) * plain;
  return apart < 60 ? measure(clockOfSeconds.format(late)) + between : plain;
}

/** What a time in the corner needs beside the plot: half of it hangs over. */
export function overhang(measure: Measure): number {
  return Math.ceil(measure(clockOfSeconds.format(late)) / 2) + 2;
}
