import type { ReactNode } from "react";
import { Count } from "../../parts/figures";
import { TroubleBadge } from "./badges";
import classes from "./health.module.css";
import { type Present, type Trouble, troubles } from "../../live/present";

interface SummaryProps {
  readonly all: readonly Present[];
  readonly state: Trouble | "";
  readonly onState: (state: Trouble | "") => void;
}

/** How many operators are how; each figure is a filter. */
export function Summary({ all, state, onState }: SummaryProps): ReactNode {
  return (
    <div className={classes.summary} role="group" aria-label="Operators by state">
      {troubles.map((trouble) => (
        <button
          key={trouble}
          type="button"
          className={classes.tile}
          aria-pressed={state === trouble}
          onClick={() => onState(state === trouble ? "" : trouble)}
        >
          <TroubleBadge trouble={trouble} />
          <strong>
            <Count value={all.filter((one) => one.trouble === trouble).length} />
          </strong>
        </button>
      ))}
    </div>
  );
}
