import type { ReactNode } from "react";
import { type Amount, nanosText } from "./money";
import classes from "./values.module.css";

/** "0.012500 EUR", with all decimals it has and at least 6. No money is no price, which is not the price 0. */
export function Price({ money }: { readonly money: Amount | undefined }): ReactNode {
  if (money === undefined) return <span className={classes.none}>no price</span>;
  return (
    <span className={classes.figure}>
      {nanosText(money.nanos)} <span className={classes.currency}>{money.currencyCode}</span>
    </span>
  );
}
