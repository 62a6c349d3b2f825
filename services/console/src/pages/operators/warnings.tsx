import type { OperatorWarning } from "@gen/operators/v1/operator_pb";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { counted } from "../../parts/figures";
import { Msisdn } from "../../parts/number";
import { explorePath, rulePath } from "./links";
import classes from "./operators.module.css";

/** What a change leaves behind that somebody should look at. */
export function Warnings({ warnings, title }: { warnings: readonly OperatorWarning[]; title?: string }): ReactNode {
  if (warnings.length === 0) return null;
  return (
    <div className={classes.preview}>
      <p className={classes.previewTitle}>{title ?? counted(warnings.length, ["warning", "warnings"])}</p>
      <ul className={`${classes.list ?? ""} ${classes.scroll ?? ""}`} tabIndex={0} aria-label={title ?? "Warnings"}>
        {warnings.map((warning) => (
          <li key={`${warning.reason} ${warning.ruleId} ${warning.message}`} className={classes.examples}>
            {warning.message}
            {warning.ruleId !== "" && (
              <>
                {" "}
                <Link href={rulePath(warning.ruleId)}>Open the rule.</Link>
              </>
            )}
            {warning.witness !== "" && (
              <>
                {" "}
                Try <Link href={explorePath(warning.witness)}><Msisdn number={warning.witness} reveal /></Link>
              </>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
