import { Loader } from "@mantine/core";
import type { ReactNode } from "react";
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
      {checked.state === "refused" && checked.problem.reason !== "DUPLICATE_OPERATOR" && (
        <StatusBadge tone="warning" quiet>
          {checked.problem.violations[0]?.message ?? checked.problem.message}
        </StatusBadge>
      )}
      {checked.state === "refused" && checked.problem.reason === "DUPLICATE_OPERATOR" && (
        <StatusBadge tone="warning" quiet>
          Another operator is in the way.
        </StatusBadge>
      )}
    </span>
  );
}
