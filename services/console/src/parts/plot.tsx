import "uplot/dist/uPlot.min.css";
import "./tones.css";
import { useComputedColorScheme, VisuallyHidden } from "@mantine/core";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import { countText } from "./figures";
import classes from "./plot.module.css";
import { type PlotKind, type PlotSeries, dataOf, optionsOf } from "./plotdata";
import { PlotTable } from "./plottable";
import { openWords, summaryOf, timeText, valueText } from "./plottext";
import { variableOf } from "./plottone";

export type { PlotSeries } from "./plotdata";
export type { PlotTone } from "./plottone";

interface PlotProps {
  /** What the plot shows: its name for screen readers. */
  readonly label: string;
  /** Unix seconds, ascending. */
  readonly times: readonly number[];
  /** One value a time; null is a gap. */
  readonly series: readonly PlotSeries[];
  readonly kind?: PlotKind;
  /** Intervals from this time on, in Unix seconds, are not complete: they are drawn dashed or pale, and told as that. */
  readonly openFrom?: number | undefined;
  readonly text?: (value: number) => string;
  /** Of the canvas, in pixels. */
  readonly height?: number;
  readonly empty?: string;
}

/** Values over time. Left and right move the cursor; the legend tells the values there, or the newest complete ones. */
export function Plot({ label, times, series, kind = "lines", openFrom = Infinity, text = countText, height = 220, empty = "No data yet" }: PlotProps): ReactNode {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const [at, setAt] = useState<number | null>(null);
  const [spoken, setSpoken] = useState("");
  const hint = useId();
  const scheme = useComputedColorScheme("light");
  const none = times.length === 0 || series.every((one) => one.values.every((value) => value === null));
  // What a new plot is needed for; new values only are put into the one that is there.
  const shape = JSON.stringify([series.map((one) => [one.label, one.tone ?? ""]), kind, scheme, height, none]);
  const found = times.findIndex((time) => time >= openFrom);
  const open = found < 0 ? times.length : found;
  const data = useMemo(() => dataOf(times, series, kind, open), [times, series, kind, open]);
  const latest = useRef({ data, text });
  latest.current = { data, text };

  useEffect(() => {
    const element = frame.current;
    if (element === null || none || !drawable()) return;
    const made = new uPlot(
      optionsOf(element, series, kind, height, (value) => latest.current.text(value), setAt),
      latest.current.data,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
    // The shape says when series, kind and height differ.
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [data]);

  const place = at === null || at >= times.length ? Math.max(0, open - 1) : at;
  const timeAt = (which: number): string => `${timeText(times[which])}${which < open ? "" : `, ${openWords}`}`;
  const move = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: times.length - 1 };
    const step = steps[event.key];
    if (step === undefined || none) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(step, times.length - 1));
    setAt(next);
    const made = plot.current;
    made?.setCursor({ left: made.valToPos(times[next] ?? 0, "x"), top: made.bbox.height / 4 }, false);
    setSpoken(`${timeAt(next)}: ${series.map((one) => `${one.label} ${valueText(one.values[next], text)}`).join(", ")}`);
  };

  return (
    <figure className={classes.plot} aria-label={label}>
      {none ? (
        <div className={classes.empty} style={{ height }}>
          {empty}
        </div>
      ) : (
        <div
          ref={frame}
          className={classes.canvas}
          style={{ height }}
          role="img"
          aria-label={summaryOf(label, times, series, text, open)}
          aria-describedby={hint}
          tabIndex={0}
          onKeyDown={move}
          onBlur={() => setAt(null)}
        />
      )}
      <VisuallyHidden id={hint}>Left and right arrows move the cursor.</VisuallyHidden>
      <VisuallyHidden aria-live="polite">{spoken}</VisuallyHidden>
      <div className={classes.legend}>
        <span className={classes.time}>{none ? "" : timeAt(place)}</span>
        {series.map((one, index) => (
          <span key={one.label} className={classes.entry}>
            <svg width="12" height="12" aria-hidden>
              <rect width="12" height="12" rx="3" style={{ fill: `var(${variableOf(one, index)})` }} />
            </svg>
            <span>{one.label}</span>
            <strong className={classes.value}>{none ? "–" : valueText(one.values[place], text)}</strong>
          </span>
        ))}
        {!none && open < times.length && <span className={classes.open}>{`${kind === "lines" ? "Dashed" : "Pale"}: ${openWords}`}</span>}
      </div>
      {!none && <PlotTable label={label} times={times} series={series} text={text} open={open} />}
    </figure>
  );
}

let canDraw: boolean | undefined;

/** Whether there is a canvas: without one the legend and the table tell the values. */
function drawable(): boolean {
  canDraw ??= typeof Path2D !== "undefined" && document.createElement("canvas").getContext("2d") !== null;
  return canDraw;
}
