import { IconCheck } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef } from "react";
import classes from "./import.module.css";

export const steps = ["upload", "columns", "changes", "apply"] as const;
export type Step = (typeof steps)[number];

const words: Readonly<Record<Step, string>> = { upload: "Upload", columns: "Columns", changes: "Changes", apply: "Apply" };

export function isStep(text: string): text is Step {
  return (steps as readonly string[]).includes(text);
}

/** How far the wizard is. */
export function Steps({ current }: { readonly current: Step }): ReactNode {
  const at = steps.indexOf(current);
  const list = useRef<HTMLOListElement>(null);
  const former = useRef(current);
  // The button that was pressed is gone with its step: who uses the keyboard goes on from here.
  useEffect(() => {
    if (former.current !== current) list.current?.focus({ preventScroll: true });
    former.current = current;
  }, [current]);
  return (
    <ol ref={list} tabIndex={-1} className={classes.steps} aria-label="Steps">
      {steps.map((step, index) => (
        <li key={step} className={classes.step} aria-current={index === at ? "step" : undefined}>
          <span className={classes.number} aria-hidden>
            {index < at ? <IconCheck size={14} /> : index + 1}
          </span>
          {words[step]}
        </li>
      ))}
    </ol>
  );
}

interface NoteProps {
  readonly tone?: "info" | "warning" | "good";
  readonly icon: ReactNode;
  readonly children: ReactNode;
}

/** A sentence that stands out, never by its colour alone. */
export function Note({ tone = "info", icon, children }: NoteProps): ReactNode {
  return (
    <div className={classes.note} data-tone={tone} role="note">
      {icon}
      <div>{children}</div>
    </div>
  );
}
