import { timestampDate, type Timestamp } from "@bufbuild/protobuf/wkt";
import type { ReactNode } from "react";
import classes from "./moment.module.css";
import { utcText } from "./when";

const toMinutes = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const toSeconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

interface MomentProps {
  readonly time: Timestamp | undefined;
  readonly seconds?: boolean;
}

/** Least widths of a column of moments in pixels, with the longest words of a language that is as long as English. */
export const momentWidth = { minutes: 158, seconds: 180 } as const;

/** A moment in a row of a table: the year only when it is another one. Where there is little room the day is cut, never the time of the day. */
export function Moment({ time, seconds = false }: MomentProps): ReactNode {
  if (time === undefined) return <span aria-label="no time">–</span>;
  const date = timestampDate(time);
  return (
    <time dateTime={date.toISOString()} title={utcText(date)} className={classes.moment}>
      <span className={classes.day}>{(date.getFullYear() === new Date().getFullYear() ? day : dayOfYear).format(date)}</span>{" "}
      <span className={classes.clock}>{(seconds ? toSeconds : toMinutes).format(date)}</span>
    </time>
  );
}
