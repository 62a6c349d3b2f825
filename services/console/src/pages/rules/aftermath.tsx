import { useTransport } from "@connectrpc/connect-query";
import type { RoutingRule } from "@gen/operators/v1/routing_rule_pb";
import type { ExplainRouteResponse } from "@gen/routing/v1/routing_pb";
import { RuleOutcome } from "@gen/routing/v1/routing_pb";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useEngine } from "../../api/engine";
import { Answer } from "../../parts/answer";
import { Msisdn, Prefix } from "../../parts/number";
import { messageTypeWord, strategyWord } from "../../parts/words";
import { Findings } from "./findings";
import { foresee } from "./foresight";
import type { Heir } from "./takeover";
import classes from "./rules.module.css";

/** Who answers a rule's numbers now, and who would without it. */
export function Aftermath({ rule }: { readonly rule: RoutingRule }): ReactNode {
  const transport = useTransport();
  const engine = useEngine();
  const query = useQuery({
    queryKey: ["rules", "without", rule.ruleId, rule.etag],
    queryFn: ({ signal }) => foresee(transport, engine, rule, signal),
    staleTime: 0,
    gcTime: 0,
  });
  return (
    <div className={classes.aftermath}>
      <Answer query={query} height={84}>
        {({ witness, now, heirs, warnings }) => (
          <>
            <dl className={classes.before}>
              <dt>Now</dt>
              <dd>
                <Msisdn number={witness} reveal /> {nowText(now, rule)}
              </dd>
              <dt>Then</dt>
              <dd>
                {heirs.map((heir) => (
                  <p key={heir.types.join()} className={classes.sentence}>
                    {heirs.length > 1 && `${heir.types.map(messageTypeWord).join(", ")}: `}
                    <HeirText heir={heir} />
                  </p>
                ))}
              </dd>
            </dl>
            {warnings.length > 0 && <Findings findings={warnings} except={rule.ruleId} />}
          </>
        )}
      </Answer>
    </div>
  );
}

function nowText(answer: ExplainRouteResponse | undefined, rule: RoutingRule): string {
  if (answer === undefined) return "cannot be asked for: no routing engine answers.";
  const { result, rules } = answer;
  if (result.case !== "decision") return `has no route: ${result.value?.message ?? "no rule matches"}`;
  const by = rules.find(({ outcome }) => outcome === RuleOutcome.SELECTED);
  const which = by?.ruleId === rule.ruleId ? "by this rule" : `by the rule for ${by?.prefix ?? result.value.matchedPrefix}, not this one`;
  return `goes to ${result.value.operatorName} ${which}.`;
}

function HeirText({ heir: { rule } }: { readonly heir: Heir }): ReactNode {
  if (rule === undefined) {
    return <strong className={classes.badWord}>no route: messages are refused with NO_ROUTE.</strong>;
  }
  return (
    <>
      the {rule.accountId === "" ? "global" : "account's"} rule for <Prefix value={rule.prefix} /> answers ({strategyWord(rule.strategy)}:{" "}
      {rule.candidates.map((one) => one.operatorName || one.operatorId).join(", ")}).
    </>
  );
}
