import { Button, Skeleton } from "@mantine/core";
import type { Duration } from "@bufbuild/protobuf/wkt";
import { IconAlertTriangle, IconClockPause, IconLock, IconMoodEmpty, IconRefresh } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Problem } from "../api/errors";
import { useLive } from "../live/events";
import { Copy } from "./copy";
import classes from "./states.module.css";
import { durationMs, durationText } from "./when";

interface EmptyProps {
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

/** Nothing here; the children say what to do about it. */
export function Empty({ title, children, action }: EmptyProps): ReactNode {
  return (
    <div className={classes.state}>
      <IconMoodEmpty size={28} stroke={1.5} className={classes.icon} aria-hidden />
      <p className={classes.title}>{title}</p>
      {children !== undefined && <div className={classes.text}>{children}</div>}
      {action}
    </div>
  );
}

/** The reason and the request id of a problem, small, for whoever has to look into it. */
export function ProblemMarks({ problem }: { readonly problem: Problem }): ReactNode {
  if (problem.reason === "" && problem.requestId === undefined) return null;
  return (
    <p className={classes.marks}>
      {problem.reason !== "" && <code>{problem.reason}</code>}
      {problem.requestId !== undefined && (
        <span className={classes.request}>
          request <code>{problem.requestId}</code>
          <Copy value={problem.requestId} label="Copy request id" />
        </span>
      )}
    </p>
  );
}

interface FailedProps {
  readonly problem: Problem;
  readonly onRetry?: (() => void) | undefined;
}

export function Failed({ problem, onRetry }: FailedProps): ReactNode {
  return (
    <div className={classes.state} role="alert">
      <IconAlertTriangle size={28} stroke={1.5} className={classes.bad} aria-hidden />
      <p className={classes.title}>{problem.title}</p>
      <div className={classes.text}>{problem.message}</div>
      <ProblemMarks problem={problem} />
      {onRetry !== undefined && (
        <Button variant="default" size="sm" leftSection={<IconRefresh size={16} aria-hidden />} onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

interface ForbiddenProps {
  /** Who may, such as "an admin". */
  readonly needs?: string | undefined;
  /** The role would do, but the key is bound to one account and this is about all. */
  readonly bound?: boolean;
  readonly problem?: Problem | undefined;
}

export function Forbidden({ needs, bound = false, problem }: ForbiddenProps): ReactNode {
  return (
    <div className={classes.state}>
      <IconLock size={28} stroke={1.5} className={classes.icon} aria-hidden />
      <p className={classes.title}>{bound ? "Your key does not allow this" : "Your role does not allow this"}</p>
      <div className={classes.text}>
        {bound
          ? "It is bound to one account, and this is about all of them. Sign in with a key that is bound to none, or ask whoever gave you yours."
          : needs !== undefined
            ? `Only ${needs} may see this. Sign in with another key, or ask whoever gave you yours.`
            : (problem?.message ?? "Sign in with another key, or ask whoever gave you yours.")}
      </div>
      {problem !== undefined && <ProblemMarks problem={problem} />}
    </div>
  );
}

interface StaleProps {
  /** When what follows was read. */
  readonly since?: Date | undefined;
  /** How old the answer may be, as its Freshness says. */
  readonly age?: Duration | undefined;
  /** Why there is nothing newer. */
  readonly problem?: Problem | undefined;
  readonly onRetry?: (() => void) | undefined;
}

/** A banner above data that may be old. That the server is down is said by the shell, once for the whole page. */
export function Stale({ since, age, problem, onRetry }: StaleProps): ReactNode {
  const { link } = useLive();
  if (problem?.unanswered === true && link.state === "lost") return null;
  const from = since === undefined ? "" : ` Figures are from ${since.toLocaleTimeString()}.`;
  const text =
    problem !== undefined
      ? `Not up to date: ${problem.message}${from}`
      : `The primary database is down. This comes from a replica${
            age === undefined ? "" : `, at most ${durationText(durationMs(age))} behind`
          }.`;
  return (
    <div className={classes.stale} role="status">
      <IconClockPause size={18} aria-hidden className={classes.staleIcon} />
      <span className={classes.staleText}>{text}</span>
      {onRetry !== undefined && (
        <Button variant="subtle" size="compact-sm" color="gray" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

interface LoadingProps {
  /** In pixels; the height of what will come, so that nothing moves. */
  readonly height?: number;
  readonly lines?: number;
  readonly label?: string;
}

export function Loading({ height = 240, lines = 4, label = "Loading" }: LoadingProps): ReactNode {
  return (
    <div className={classes.loading} style={{ height }} role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, line) => (
        <Skeleton key={line} height={16} width={`${String(92 - ((line * 17) % 40))}%`} />
      ))}
    </div>
  );
}
