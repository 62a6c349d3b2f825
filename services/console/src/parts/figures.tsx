import type { ReactNode } from "react";
import classes from "./values.module.css";

const grouped = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

/** Grouped by the reader's language: 12,345. */
export function countText(value: number | bigint): string {
  return grouped.format(value);
}

/** "1 rule", "12,345 rules". */
export function counted(value: number | bigint, [one, many]: readonly [one: string, many: string]): string {
  return `${countText(value)} ${Number(value) === 1 ? one : many}`;
}

/** A share from 0 to 1 as percent. Nothing is rounded to 0 or to 100: 0.00004 is "<0.1 %". */
export function percentText(value: number, places = 1): string {
  const least = 10 ** -places;
  const percent = value * 100;
  if (percent > 0 && percent < least) return `<${least.toFixed(places)} %`;
  if (percent < 100 && percent > 100 - least) return `>${(100 - least).toFixed(places)} %`;
  return `${percent.toFixed(places)} %`;
}

export function Count({ value }: { readonly value: number | bigint | undefined }): ReactNode {
  if (value === undefined) return <span aria-label="unknown">–</span>;
  return <span className={classes.figure}>{countText(value)}</span>;
}

interface PercentProps {
  /** From 0 to 1. */
  readonly value: number | undefined;
  readonly places?: number;
}

export function Percent({ value, places = 1 }: PercentProps): ReactNode {
  if (value === undefined || !Number.isFinite(value)) return <span aria-label="unknown">–</span>;
  return <span className={classes.figure}>{percentText(value, places)}</span>;
}
