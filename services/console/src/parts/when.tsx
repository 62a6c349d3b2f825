import { Tooltip } from "@mantine/core";
import type { Duration as ProtoDuration, Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type ReactNode, useEffect, useState } from "react";

type Time = Timestamp | Date;

export function dateOf(time: Time): Date {
  return time instanceof Date ? time : timestampDate(time);
}

const toMinutes = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const toSeconds = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** "2026-11-22 01:30:05 UTC" */
export function utcText(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

interface WhenProps {
  readonly time: Time | undefined;
  readonly seconds?: boolean;
}

/** A moment in the local zone; UTC in the tooltip. */
export function When({ time, seconds = false }: WhenProps): ReactNode {
  if (time === undefined) return <span aria-label="no time">–</span>;
  const date = dateOf(time);
  return <Moment date={date} text={(seconds ? toSeconds : toMinutes).format(date)} />;
}

function Moment({ date, text }: { readonly date: Date; readonly text: string }): ReactNode {
  const utc = utcText(date);
  return (
    <Tooltip label={utc}>
      <time dateTime={date.toISOString()} title={utc}>
        {text}
      </time>
    </Tooltip>
  );
}

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

/** "3 minutes ago", "in 2 days". */
export function agoText(date: Date, now: Date): string {
  const seconds = Math.round((date.getTime() - now.getTime()) / 1000);
  const size = Math.abs(seconds);
  if (size < 60) return relative.format(seconds, "second");
  if (size < 3600) return relative.format(Math.trunc(seconds / 60), "minute");
  if (size < 86_400) return relative.format(Math.trunc(seconds / 3600), "hour");
  return relative.format(Math.trunc(seconds / 86_400), "day");
}

/** How long ago; it counts by itself. */
export function Ago({ time }: { readonly time: Time | undefined }): ReactNode {
  const [now, setNow] = useState(() => new Date());
  const at = time === undefined ? undefined : dateOf(time).getTime();
  // Seconds are counted for a minute only, so that a table of these does not keep the machine busy.
  const young = at !== undefined && Math.abs(now.getTime() - at) < 60_000;
  useEffect(() => {
    if (at === undefined) return;
    setNow(new Date());
    const timer = setInterval(() => setNow(new Date()), young ? 1_000 : 30_000);
    return () => clearInterval(timer);
  }, [at, young]);
  if (at === undefined) return <span aria-label="never">–</span>;
  const date = new Date(at);
  return <Moment date={date} text={agoText(date, now)} />;
}

export function durationMs(duration: ProtoDuration): number {
  return Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}

/** "850 µs", "1.2 ms", "4.5 s", "3 min 5 s", "2 h 10 min", "3 d 4 h". */
export function durationText(ms: number): string {
  const size = Math.abs(ms);
  const sign = ms < 0 ? "-" : "";
  if (size === 0) return "0 s";
  if (size < 1) return `${sign}${String(Math.round(size * 1000))} µs`;
  if (size < 1000) return `${sign}${round(size)} ms`;
  if (size < 60_000) return `${sign}${round(size / 1000)} s`;
  const seconds = Math.round(size / 1000);
  if (seconds < 3600) return `${sign}${pair(seconds, 60, "min", 1, "s")}`;
  if (seconds < 86_400) return `${sign}${pair(seconds, 3600, "h", 60, "min")}`;
  return `${sign}${pair(seconds, 86_400, "d", 3600, "h")}`;
}

function round(value: number): string {
  return String(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
}

function pair(seconds: number, large: number, largeWord: string, small: number, smallWord: string): string {
  const rest = Math.floor((seconds % large) / small);
  const head = `${String(Math.floor(seconds / large))} ${largeWord}`;
  return rest === 0 ? head : `${head} ${String(rest)} ${smallWord}`;
}

type DurationProps = { readonly value: ProtoDuration | undefined } | { readonly ms: number };

export function Duration(props: DurationProps): ReactNode {
  const ms = "ms" in props ? props.ms : props.value === undefined ? undefined : durationMs(props.value);
  if (ms === undefined) return <span aria-label="unknown">–</span>;
  return <span>{durationText(ms)}</span>;
}
