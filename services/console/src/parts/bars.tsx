import "./tones.css";
import type { ReactNode } from "react";
import classes from "./bars.module.css";
import { type PlotTone, variableOf } from "./plottone";

export interface Bar {
  /** What the bar is: "before". */
  readonly word: string;
  /** Only draws; what it is worth is in the text. */
  readonly size: number;
  readonly text: string;
  readonly tone?: PlotTone;
}

export interface BarRow {
  readonly label: string;
  readonly bars: readonly Bar[];
}

/** Sizes side by side, such as costs before and after. Every bar has its word and its value in text. */
export function Bars({ label, rows }: { readonly label: string; readonly rows: readonly BarRow[] }): ReactNode {
  const most = rows.reduce((high, row) => row.bars.reduce((top, bar) => Math.max(top, Math.abs(bar.size)), high), 0);
  return (
    <dl className={classes.bars} aria-label={label}>
      {rows.map((row) => (
        <div key={row.label} className={classes.row}>
          <dt className={classes.label}>{row.label}</dt>
          {row.bars.map((bar, index) => (
            <dd key={bar.word} className={classes.bar}>
              <span className={classes.word}>{bar.word}</span>
              <span className={classes.track} aria-hidden>
                <span
                  className={classes.fill}
                  style={{ width: `${String(most === 0 ? 0 : (Math.abs(bar.size) / most) * 100)}%`, background: `var(${variableOf(bar, index)})` }}
                />
              </span>
              <span className={classes.text}>{bar.text}</span>
            </dd>
          ))}
        </div>
      ))}
    </dl>
  );
}
