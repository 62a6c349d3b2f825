import { useQuery } from "@connectrpc/connect-query";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import type { RuleFinding } from "@gen/operators/v1/routing_rule_pb";
import { IconRoute } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Id, Msisdn, Prefix } from "../../parts/number";
import { withParams } from "../../parts/params";
import { SeverityBadge } from "../../parts/status";
import classes from "./rules.module.css";

interface FindingsProps {
  readonly findings: readonly RuleFinding[];
  /** The rule that is shown beside them: no link leads to it. */
  readonly except?: string;
}

/** Findings in full, in the order given. */
export function Findings({ findings, except }: FindingsProps): ReactNode {
  return (
    <ul className={classes.findings}>
      {findings.map((finding, index) => (
        <li key={`${String(index)} ${finding.reason}`} className={classes.finding}>
          <div className={classes.findingHead}>
            <SeverityBadge severity={finding.severity} />
            <code className={classes.reason}>{finding.reason}</code>
          </div>
          <p className={classes.sentence}>{finding.message}</p>
          <div className={classes.findingLinks}>
            <RuleLinks ids={finding.ruleIds} except={except} />
            {finding.witness !== "" && (
              <span className={classes.witness}>
                <Msisdn number={finding.witness} reveal /> <TryLink number={finding.witness} />
              </span>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}

/** Opens the explorer with a witness: made up, it belongs to nobody. */
export function TryLink({ number }: { readonly number: string }): ReactNode {
  return (
    <Link href={`/explore#to=${number}`} className={classes.try} aria-label={`Try ${number} in the route explorer`}>
      <IconRoute size={14} aria-hidden /> Try
    </Link>
  );
}

interface RuleLinksProps {
  readonly ids: readonly string[];
  readonly except?: string | undefined;
}

export function RuleLinks({ ids, except }: RuleLinksProps): ReactNode {
  // A rule that is not stored yet has an empty id.
  const others = ids.filter((id) => id !== "" && id !== except);
  return others.map((id) => <RuleLink key={id} id={id} />);
}

/** A rule by its prefix. */
export function RuleLink({ id }: { readonly id: string }): ReactNode {
  const { data, error } = useQuery(RoutingRuleService.method.getRoutingRule, { ruleId: id }, { staleTime: 300_000 });
  // It may be gone by now, or belong to an account that the caller does not see.
  if (error !== null) return <Id value={id} label="rule id" />;
  const prefix = data?.rule?.prefix;
  return (
    <Link href={withParams("/rules", { rule: id })} className={classes.link} aria-label={`Rule for ${prefix ?? id}`}>
      {prefix === undefined ? "rule" : <Prefix value={prefix} />}
    </Link>
  );
}
