import type { ReactNode } from "react";
import { countText, percentText } from "../../parts/figures";
import { nanosText } from "../../parts/money";
import classes from "./decisions.module.css";
import type { Totals as TotalsOf } from "./series";

/** The whole window in a line of figures. */
export function Totals({ totals }: { readonly totals: TotalsOf }): ReactNode {
  const { decisions, failed, costs, reported } = totals;
  const share = (part: number, whole: number): string => (whole === 0 ? "–" : percentText(part / whole));
  return (
    <dl className={classes.totals}>
      <Figure label="Decisions" value={countText(decisions)} />
      <Figure label="Without operator" value={share(Number(failed), Number(decisions))} {...(decisions === 0n ? {} : { more: countText(failed) })} />
      <Figure label="Cost, one segment each" value={costs.length === 0 ? "–" : costs.map((cost) => `${nanosText(cost.nanos, 2)} ${cost.currencyCode}`).join(" + ")} />
      <Figure label="Delivered" value={share(reported.delivered, reported.reported)} more={reported.reported === 0 ? "nothing reported yet" : `of ${countText(reported.reported)} with a report`} />
    </dl>
  );
}

function Figure({ label, value, more }: { readonly label: string; readonly value: string; readonly more?: string }): ReactNode {
  return (
    <div className={classes.figure}>
      <dt>{label}</dt>
      <dd>
        <strong>{value}</strong> {more !== undefined && <span className={classes.dim}>{more}</span>}
      </dd>
    </div>
  );
}
