import "./tones.css";
import { VisuallyHidden } from "@mantine/core";
import type { ReactNode } from "react";
import { Empty } from "./states";
import { StatusBadge, type Tone } from "./status";
import classes from "./timeline.module.css";
import { durationText } from "./when";

export interface Span {
  readonly from: Date;
  readonly to: Date;
  readonly tone: Tone;
  /** The state in words. */
  readonly word: string;
}

export interface Band {
  readonly label: string;
  readonly spans: readonly Span[];
}

interface TimelineProps {
  readonly label: string;
  readonly from: Date;
  readonly to: Date;
  readonly bands: readonly Band[];
}

const height = 22;

// The worse, the higher: the colour is not the only difference.
const heights: Readonly<Record<Tone, number>> = { bad: 22, warning: 17, good: 12, info: 12, idle: 4 };

/** States over time, one band each. */
export function Timeline({ label, from, to, bands }: TimelineProps): ReactNode {
  const whole = to.getTime() - from.getTime();
  if (whole <= 0 || bands.length === 0) return <Empty title="Nothing happened in this time" />;
  const share = (time: Date): number => (Math.min(Math.max(time.getTime() - from.getTime(), 0), whole) / whole) * 100;
  const legend = [...new Map(bands.flatMap((band) => band.spans).map((span) => [span.word, span.tone]))];
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => new Date(from.getTime() + whole * part));
  return (
    <figure className={classes.timeline} aria-label={label}>
      <div className={classes.bands} aria-hidden>
        {bands.map((band) => (
          <div key={band.label} className={classes.band}>
            <span className={classes.label}>{band.label}</span>
            <svg className={classes.track} width="100%" height={height}>
              {band.spans.map((span) => {
                const left = share(span.from);
                const width = share(span.to) - left;
                if (width <= 0) return null;
                const high = heights[span.tone];
                return (
                  <rect
                    key={`${String(span.from.getTime())} ${span.word}`}
                    className={classes[span.tone]}
                    x={`${String(left)}%`}
                    y={height - high}
                    height={high}
                    // The shortest outage is still to be seen.
                    style={{ width: `max(2px, ${String(width)}%)` }}
                  >
                    <title>{spanText(span)}</title>
                  </rect>
                );
              })}
            </svg>
          </div>
        ))}
        <div className={classes.band}>
          <span className={classes.label} />
          <div className={classes.ticks}>
            {ticks.map((tick) => (
              <span key={tick.getTime()}>{tickText(tick, whole)}</span>
            ))}
          </div>
        </div>
      </div>
      <div className={classes.legend} aria-hidden>
        {legend.map(([word, tone]) => (
          <StatusBadge key={word} tone={tone} quiet>
            {word}
          </StatusBadge>
        ))}
      </div>
      <VisuallyHidden>
        <table>
          <caption>{label}</caption>
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">States</th>
            </tr>
          </thead>
          <tbody>
            {bands.map((band) => (
              <tr key={band.label}>
                <th scope="row">{band.label}</th>
                <td>{band.spans.map(spanText).join("; ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </VisuallyHidden>
    </figure>
  );
}

function spanText({ from, to, word }: Span): string {
  return `${word} for ${durationText(to.getTime() - from.getTime())}, from ${from.toLocaleString()}`;
}

function tickText(time: Date, whole: number): string {
  const day = whole > 36 * 3_600_000;
  return time.toLocaleString(undefined, day ? { month: "short", day: "numeric", hour: "2-digit" } : { hour: "2-digit", minute: "2-digit" });
}
