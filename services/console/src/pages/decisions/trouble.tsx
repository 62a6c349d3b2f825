import { Button } from "@mantine/core";
import { IconClockPause } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Problem } from "../../api/errors";
import type { Live } from "../../live/events";
import { useLive } from "../../live/events";
import classes from "./decisions.module.css";

/** A part of the page, as far as it may fail. */
interface Part {
  readonly problem?: Problem | undefined;
  /** When what it shows was answered; undefined when it shows nothing. */
  readonly at?: Date | undefined;
  readonly retry: () => void;
}

/** Why the page is not up to date. */
export interface Trouble {
  readonly problem: Problem;
  /** Of the oldest figures. */
  readonly since: Date | undefined;
  readonly retry: () => void;
}

/** One trouble of all parts: they ask the same server. */
export function troubleOf(parts: readonly Part[]): Trouble | undefined {
  const failing = parts.filter(({ problem }) => problem !== undefined);
  const problem = failing[0]?.problem;
  if (problem === undefined) return undefined;
  const times = failing.flatMap(({ at }) => (at === undefined ? [] : [at.getTime()]));
  return {
    problem,
    since: times.length === 0 ? undefined : new Date(Math.min(...times)),
    retry: () => {
      for (const { retry } of failing) retry();
    },
  };
}

/** Whether the banner of the frame says the same. */
export function toldAlready(problem: Problem, link: Live["link"]): boolean {
  return problem.unanswered === true && link.state === "lost";
}

/** Says once for the whole page that figures are old, in room that is there anyway. */
export function TroubleNote({ trouble: { problem, since, retry } }: { readonly trouble: Trouble }): ReactNode {
  const { link } = useLive();
  if (toldAlready(problem, link)) return null;
  return (
    <div className={classes.trouble} role="status">
      <IconClockPause size={16} aria-hidden />
      <span title={problem.reason === "" ? undefined : problem.reason}>
        {since === undefined ? "Figures are not known" : "Not up to date"}: {problem.message}
        {since !== undefined && ` Figures are from ${since.toLocaleTimeString()}.`}
      </span>
      <Button variant="subtle" size="compact-xs" color="gray" onClick={retry}>
        Try again
      </Button>
    </div>
  );
}
