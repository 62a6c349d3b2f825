import type { ExplainRouteResponse, RuleTrace } from "@gen/routing/v1/routing_pb";
import { IconChevronRight } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { AccountName, useAccountNames } from "../../parts/names";
import { Facts } from "../../parts/page";
import { StatusBadge } from "../../parts/status";
import { exhaustedWord, strategyWord } from "../../parts/words";
import { Candidates } from "./candidates";
import classes from "./explore.module.css";
import type { Question } from "./question";
import { evaluated, outcomeWords } from "./words";

interface TraceProps {
  readonly answer: ExplainRouteResponse;
  readonly question: Question;
  readonly onExclude: (id: string) => void;
}

interface Level {
  readonly prefix: string;
  readonly rules: readonly RuleTrace[];
}

/** Rules come best first: those of one prefix stand together. */
export function levelsOf(rules: readonly RuleTrace[]): Level[] {
  const levels: { prefix: string; rules: RuleTrace[] }[] = [];
  for (const rule of rules) {
    const last = levels.at(-1);
    if (last?.prefix === rule.prefix) last.rules.push(rule);
    else levels.push({ prefix: rule.prefix, rules: [rule] });
  }
  return levels;
}

/** Every rule that matches, from the longest prefix to the shortest, as the engine goes through them. */
export function Trace({ answer, question, onExclude }: TraceProps): ReactNode {
  return (
    <ol className={classes.tree} aria-label="Rules by prefix, the longest first">
      {levelsOf(answer.rules).map(({ prefix, rules }, depth) => (
        <li key={prefix} className={classes.level} style={{ "--depth": Math.min(depth, 8) } as React.CSSProperties}>
          <p className={classes.prefix}>
            <span className={classes.matched}>{prefix}</span>
            <span className={classes.rest} aria-hidden>
              {"•".repeat(Math.max(0, question.to.length - prefix.length))}
            </span>
          </p>
          {rules.map((rule) => (
            <Rule key={`${rule.ruleId} ${String(rule.outcome)}`} rule={rule} question={question} onExclude={onExclude} />
          ))}
        </li>
      ))}
    </ol>
  );
}

/** Open when its candidates were looked at. */
function Rule({ rule, question, onExclude }: { readonly rule: RuleTrace; readonly question: Question; readonly onExclude: (id: string) => void }): ReactNode {
  const { name } = useAccountNames();
  const { tone, word, sentence } = outcomeWords(rule.outcome, question.type);
  const owner = rule.accountId === "" ? "Global" : (name(rule.accountId) ?? "Account");
  return (
    <details className={classes.rule} open={evaluated(rule.outcome)} data-tone={tone}>
      <summary className={classes.summary}>
        <IconChevronRight size={16} className={classes.chevron} aria-hidden />
        <StatusBadge tone={tone}>{word}</StatusBadge>
        <span className={classes.ruleName}>
          {owner} rule for {rule.prefix}
        </span>
        <span className={classes.outcome}>{sentence}</span>
      </summary>
      <div className={classes.ruleBody}>
        {rule.candidates.length > 0 && <Candidates rule={rule} question={question} onExclude={onExclude} />}
        <Facts
          items={[
            { label: "Strategy", value: strategyWord(rule.strategy) },
            { label: "When no candidate is usable", value: exhaustedWord(rule.onExhausted) },
            { label: "Account", value: <AccountName id={rule.accountId} link={false} /> },
            { label: "Rule", value: <Link href={`/rules?rule=${rule.ruleId}`} className={classes.link}>Open the rule</Link> },
          ]}
        />
      </div>
    </details>
  );
}
