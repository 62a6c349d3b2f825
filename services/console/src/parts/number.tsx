import type { ReactNode } from "react";
import { Copy } from "./copy";
import { countryCode } from "./countrycode";
import { shortId } from "./shortid";
import classes from "./values.module.css";

/** Country code and up to 4 digits more; a dot for each of the rest. */
export function masked(number: string): string {
  if (!/^\+[1-9]\d*$/.test(number)) return number === "" ? "" : "•".repeat(8);
  const shown = 1 + countryCode(number).length + 4;
  return number.slice(0, shown) + "•".repeat(Math.max(0, number.length - shown));
}

interface MsisdnProps {
  readonly number: string;
  /** Shows all digits: for synthetic witness numbers and what somebody just typed. */
  readonly reveal?: boolean;
}

export function Msisdn({ number, reveal = false }: MsisdnProps): ReactNode {
  if (number === "") return <span aria-label="no number">–</span>;
  return <span className={classes.mono}>{reveal ? number : masked(number)}</span>;
}

export function Prefix({ value }: { readonly value: string }): ReactNode {
  if (value === "") return <span aria-label="no prefix">–</span>;
  return <span className={classes.mono}>{value}</span>;
}

/** The last 8 characters of an id; all of it in the title and on the clipboard. */
export function Id({ value, label = "id" }: { readonly value: string; readonly label?: string }): ReactNode {
  if (value === "") return <span aria-label={`no ${label}`}>–</span>;
  return (
    <span className={classes.id}>
      <span className={classes.mono} title={value}>
        {shortId(value)}
      </span>
      <Copy value={value} label={`Copy ${label}`} />
    </span>
  );
}
