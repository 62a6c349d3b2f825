import { Button, Progress as Bar, VisuallyHidden } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { countText } from "./figures";
import type { JobProgress, JobState } from "./job";
import classes from "./progress.module.css";
import { durationText } from "./when";

interface Work {
  readonly state: JobState;
  readonly progress: JobProgress | undefined;
  readonly startedAt: Date | undefined;
  readonly cancel: () => void;
}

interface ProgressProps {
  readonly job: Work;
  readonly label: string;
  /** Without a Cancel button when false: for work that the server ends anyway. */
  readonly onCancel?: boolean;
}

/** How far a running job is; nothing when none runs. */
export function Progress({ job, label, onCancel = true }: ProgressProps): ReactNode {
  const [now, setNow] = useState(() => Date.now());
  const running = job.state === "running";
  useEffect(() => {
    if (!running) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [running]);
  const gone = job.startedAt === undefined ? 0 : Math.max(0, now - job.startedAt.getTime());
  const text = progressText(job.progress, gone);
  const said = useThrottled(`${label}: ${text}`, 5_000, now);
  if (!running) return null;
  const percent = percentOf(job.progress);
  return (
    <div className={classes.progress}>
      <div className={classes.line}>
        <span className={classes.label}>{label}</span>
        <span className={classes.text}>{text}</span>
        {onCancel && (
          <Button size="compact-sm" variant="default" onClick={job.cancel}>
            Cancel
          </Button>
        )}
      </div>
      <Bar.Root size="md">
        <Bar.Section value={percent ?? 100} aria-label={label} animated={percent === undefined} striped={percent === undefined} />
      </Bar.Root>
      <VisuallyHidden aria-live="polite">{said}</VisuallyHidden>
    </div>
  );
}

/** In whole percent; undefined while the total is not known. */
export function percentOf(progress: JobProgress | undefined): number | undefined {
  if (progress === undefined || progress.total <= 0n) return undefined;
  const percent = Number((progress.done * 100n) / progress.total);
  return Math.max(0, Math.min(100, percent));
}

/** "42 %, 4,200 of 10,000, 12 s gone, about 17 s left". An estimate takes 2 s and 1 %. */
export function progressText(progress: JobProgress | undefined, goneMs: number): string {
  const gone = `${durationText(Math.floor(goneMs / 1000) * 1000)} gone`;
  if (progress === undefined) return `Started, ${gone}`;
  const percent = percentOf(progress);
  if (percent === undefined) return `${countText(progress.done)} done, ${gone}`;
  const head = `${String(percent)} %, ${countText(progress.done)} of ${countText(progress.total)}, ${gone}`;
  if (goneMs < 2_000 || percent < 1 || progress.done >= progress.total) return head;
  const left = (goneMs * Number(progress.total - progress.done)) / Number(progress.done);
  return `${head}, about ${durationText(Math.max(1, Math.round(left / 1000)) * 1000)} left`;
}

/** The text as it was at most this long ago: screen readers would never be quiet otherwise. */
function useThrottled(text: string, ms: number, now: number): string {
  const said = useRef({ text, at: now });
  if (now - said.current.at >= ms) said.current = { text, at: now };
  return said.current.text;
}
