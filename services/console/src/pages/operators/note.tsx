import type { ReactNode } from "react";
import classes from "./operators.module.css";

interface NoteProps {
  readonly tone?: "info" | "warning" | "idle";
  readonly action?: ReactNode;
  readonly children: ReactNode;
}

/** Something to know before going on, with what to do about it. */
export function Note({ tone = "info", action, children }: NoteProps): ReactNode {
  return (
    <div className={classes.note} data-tone={tone} role="note">
      <span className={classes.noteText}>{children}</span>
      {action}
    </div>
  );
}
