import { IconAlertTriangle } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef } from "react";
import "./tones.css";
import type { Problem, Violation } from "../api/errors";
import classes from "./formproblem.module.css";
import { ProblemMarks } from "./states";

interface FormProblemProps {
  readonly problem: Problem | undefined;
  /** Violations that no field of the form shows; all of them when not given. */
  readonly rest?: readonly Violation[];
}

/** Above a form: what was refused. It takes the focus when it appears, so that nobody waits for a form that has answered. */
export function FormProblem({ problem, rest }: FormProblemProps): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (problem !== undefined) box.current?.focus();
  }, [problem]);
  if (problem === undefined) return null;
  const violations = rest ?? problem.violations;
  return (
    <div ref={box} className={classes.problem} role="alert" tabIndex={-1}>
      <IconAlertTriangle size={18} aria-hidden className={classes.icon} />
      <div className={classes.body}>
        <p className={classes.title}>{problem.title}</p>
        <p className={classes.text}>{problem.message}</p>
        {violations.length > 0 && (
          <ul className={classes.list}>
            {violations.map((violation) => (
              <li key={`${violation.field} ${violation.message}`}>
                {violation.field !== "" && <code>{violation.field}</code>} {violation.message}
              </li>
            ))}
          </ul>
        )}
        <ProblemMarks problem={problem} />
      </div>
    </div>
  );
}
