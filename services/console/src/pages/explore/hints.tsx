import { useQuery } from "@connectrpc/connect-query";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { keepPreviousData } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Answer } from "../../parts/answer";
import { Msisdn, Prefix } from "../../parts/number";
import { Section } from "../../parts/page";
import { withParams } from "../../parts/params";
import { syntheticNumber } from "../../parts/synthetic";
import { strategyWord } from "../../parts/words";
import classes from "./explore.module.css";

const most = 12;

interface HintsProps {
  /** Some digits, not yet a number. */
  readonly prefix: string;
  readonly onTry: (number: string) => void;
}

/** Rules below the digits that were typed so far. */
export function Hints({ prefix, onTry }: HintsProps): ReactNode {
  const query = useQuery(RoutingRuleService.method.listRoutingRules, { prefix, pageSize: most }, { placeholderData: keepPreviousData });
  return (
    <Section
      title={`Rules under ${prefix}`}
      description="A number needs 7 digits. Go on typing, or try a made-up number of a rule's prefix."
      actions={query.data !== undefined && query.data.nextPageToken !== "" ? <Link href={withParams("/rules", { prefix })} className={classes.link}>All of them</Link> : undefined}
    >
      <Answer
        query={query}
        height={200}
        empty={({ rules }) => (rules.length === 0 ? <p className={classes.note}>No rule has a prefix that begins with {prefix}. A shorter one may still match the whole number.</p> : undefined)}
      >
        {({ rules }) => (
          <ul className={classes.hints}>
            {rules.map((rule) => (
              <li key={rule.ruleId} className={classes.hint}>
                <Link href={`/rules?rule=${rule.ruleId}`} className={classes.link}>
                  <Prefix value={rule.prefix} />
                </Link>
                <span className={classes.dim}>
                  {strategyWord(rule.strategy)} · {rule.candidates.map((one) => one.operatorName || one.operatorId).join(", ")}
                </span>
                <button type="button" className={classes.try} onClick={() => onTry(syntheticNumber(rule.prefix))}>
                  Try <Msisdn number={syntheticNumber(rule.prefix)} reveal />
                </button>
              </li>
            ))}
          </ul>
        )}
      </Answer>
    </Section>
  );
}
