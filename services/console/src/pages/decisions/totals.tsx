import type { ReactNode } from "react";
import { counted, countText, percentText } from "../../parts/figures";
import { nanosText } from "../../parts/money";
import classes from "./decisions.module.css";
import type { Reported, Totals as TotalsOf } from "./series";

/** The whole window in a line of figures; undefined where it is not known. */
export function Totals({ totals }: { readonly totals: TotalsOf | undefined }): ReactNode {
  if (totals === undefined) {
    return (
      <dl className={classes.totals}>
        {["Decisions", "Without a route", "Cost, one segment each", "Delivered"].map((label) => (
          <Figure key={label} label={label} value="–" more="not known" />
        ))}
      </dl>
    );
  }
  const { decisions, failed, costs, reported } = totals;
  return (
    <dl className={classes.totals}>
      <Figure label="Decisions" value={countText(decisions)} />
      <Figure label="Without a route" value={share(Number(failed), Number(decisions))} {...(decisions === 0n ? {} : { more: countText(failed) })} />
      <Figure
        label="Cost, one segment each"
        value={costs.length === 0 ? "–" : costs.map((cost) => `${nanosText(cost.nanos, 2)} ${cost.currencyCode}`).join(" + ")}
        more={pricedText(totals)}
      />
      <Figure label="Delivered" value={share(reported.delivered, reported.ended)} more={reportedText(reported)} />
    </dl>
  );
}

function share(part: number, whole: number): string {
  return whole === 0 ? "–" : percentText(part / whole);
}

/** What the cost leaves out. How many have no price is not summed up, but none has one when there is no cost. */
export function pricedText({ decisions, failed, costs }: Pick<TotalsOf, "decisions" | "failed" | "costs">): string {
  if (decisions === failed) return "no operator was chosen";
  return costs.length === 0 ? "no decision has a price" : "what has no price is not in it";
}

/** What the share of delivered messages is of, and what may still change it. */
export function reportedText({ ended, open }: Reported): string {
  const waiting = open === 0 ? "" : counted(open, ["waits for a receipt", "wait for a receipt"]);
  if (ended === 0) return open === 0 ? "nothing reported yet" : `no final report yet; ${waiting}`;
  return `of ${counted(ended, ["final report", "final reports"])}${waiting === "" ? "" : `; ${waiting}`}`;
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
