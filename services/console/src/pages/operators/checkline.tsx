import { Loader } from "@mantine/core";
import type { ReactNode } from "react";
import type { Problem } from "../../api/errors";
import { isConflict } from "../../parts/merge";
import { StatusBadge } from "../../parts/status";
import classes from "./operators.module.css";
import type { Checked } from "./usecheck";

/** What the server thinks of a form that was not sent yet. */
export function CheckLine({ checked, fine }: { checked: Checked<unknown>; fine: string }): ReactNode {
  return (
    <span className={classes.checked} role="status">
      {checked.state === "checking" && (
        <>
          <Loader size={12} aria-hidden /> Checking…
        </>
      )}
      {checked.state === "fine" && (
        <StatusBadge tone="good" quiet>
          {fine}
        </StatusBadge>
      )}
      {checked.state === "refused" && (
        <StatusBadge tone="warning" quiet>
          {refusalText(checked.problem)}
        </StatusBadge>
      )}
    </span>
  );
}

function refusalText(problem: Problem): string {
  if (isConflict(problem)) return "It was changed since you opened it. Saving shows both versions.";
  if (problem.reason === "DUPLICATE_OPERATOR") return "Another operator is in the way.";
  return problem.violations[0]?.message ?? problem.message;
}
