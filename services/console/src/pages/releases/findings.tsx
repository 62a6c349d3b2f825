import { ConnectError } from "@connectrpc/connect";
import { Anchor, ScrollArea } from "@mantine/core";
import { RuleConflictSchema, type RuleFinding } from "@gen/operators/v1/routing_rule_pb";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { countText } from "../../parts/figures";
import { Msisdn } from "../../parts/number";
import { shortId } from "../../parts/shortid";
import { SeverityBadge } from "../../parts/status";
import classes from "./releases.module.css";

/** What the conflict checker found, as a refused release carries it: up to 20, errors first. */
export function conflictsOf(error: unknown): readonly RuleFinding[] {
  return ConnectError.from(error).findDetails(RuleConflictSchema).flatMap(({ findings }) => findings);
}

/** How many are told one by one; the check of all rules has every one. */
const shown = 50;

interface FindingsProps {
  readonly label: string;
  readonly findings: readonly RuleFinding[];
  /** How many there are in all. */
  readonly count: bigint;
}

export function Findings({ label, findings, count }: FindingsProps): ReactNode {
  const told = findings.slice(0, shown);
  const left = count - BigInt(told.length);
  return (
    <div className={classes.findings}>
      <ScrollArea.Autosize mah={280} type="auto" viewportProps={{ tabIndex: 0, role: "region", "aria-label": label }}>
        <ul className={classes.findingList}>
          {told.map((finding, index) => (
            <li key={index} className={classes.finding}>
              <Finding finding={finding} />
            </li>
          ))}
        </ul>
      </ScrollArea.Autosize>
      <p className={classes.note}>
        {left > 0n && `${countText(left)} more. `}
        <Anchor component={Link} href="/rules/check" inherit>
          Check all rules
        </Anchor>{" "}
        shows everything that the checker finds in the live rules.
      </p>
    </div>
  );
}

function Finding({ finding }: { readonly finding: RuleFinding }): ReactNode {
  return (
    <>
      <div className={classes.findingHead}>
        <SeverityBadge severity={finding.severity} />
        <code className={classes.code}>{finding.reason}</code>
        {finding.witness !== "" && (
          <span>
            such as <Msisdn number={finding.witness} reveal />
          </span>
        )}
      </div>
      <div>{finding.message}</div>
      {finding.ruleIds.some((id) => id !== "") && (
        <div className={classes.findingRules}>
          {finding.ruleIds.filter((id) => id !== "").map((id) => (
            <Anchor key={id} component={Link} href={`/rules/${id}`} size="sm" className={classes.mono ?? ""}>
              rule {shortId(id)}
            </Anchor>
          ))}
        </div>
      )}
    </>
  );
}
