import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import { type CandidateTrace, Rejection, type RuleTrace } from "@gen/routing/v1/routing_pb";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Role, useMay } from "../../api/caller";
import { withParams } from "../../parts/params";
import { Price } from "../../parts/price";
import { BindStateBadge, QualityBadge } from "../../parts/status";
import { behind } from "./behind";
import { Carrier } from "./carrier";
import { sourceText } from "./copytext";
import classes from "./explore.module.css";
import type { Question } from "./question";
import { Without } from "./result";
import { rejectionSentence } from "./words";

interface CandidatesProps {
  readonly rule: RuleTrace;
  readonly question: Question;
  readonly onExclude: (id: string) => void;
}

/** What was found about each operator of a rule. On a narrow screen each is a block of its own. */
export function Candidates({ rule, question, onExclude }: CandidatesProps): ReactNode {
  return (
    <div className={classes.scroll}>
      <table className={classes.table} aria-label={`Candidates of the rule for ${rule.prefix}`}>
        <thead>
          <tr>
            <th scope="col">Rank</th>
            <th scope="col">Operator</th>
            <th scope="col">Price</th>
            <th scope="col">Priority</th>
            <th scope="col">Weight</th>
            <th scope="col">Bind</th>
            <th scope="col">Quality</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {rule.candidates.map((one) => (
            <tr key={one.operatorId} data-rejected={one.rejection !== Rejection.UNSPECIFIED || undefined}>
              <td data-label="Rank">{one.rank === 0 ? <span aria-label="no rank">–</span> : one.rank}</td>
              <td data-label="Operator" className={classes.strong}>
                <Carrier id={one.operatorId} name={one.operatorName} />
              </td>
              <td data-label="Price">
                <Price money={one.unitPrice} /> <Source candidate={one} />
              </td>
              <td data-label="Priority">{one.priority}</td>
              <td data-label="Weight">{one.weight}</td>
              <td data-label="Bind">{one.bindState === BindState.UNSPECIFIED ? <span className={classes.dim}>not known</span> : <BindStateBadge state={one.bindState} />}</td>
              <td data-label="Quality">{one.quality === Quality.UNSPECIFIED ? <span className={classes.dim}>not known</span> : <QualityBadge quality={one.quality} />}</td>
              <td data-label="Why">
                {behind(rule, one)}{" "}
                {one.rejection === Rejection.UNSPECIFIED ? (
                  <Without id={one.operatorId} name={one.operatorName} onExclude={onExclude} />
                ) : (
                  rejectionSentence(one.rejection, question.type)
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Where the price comes from: a rate, or the rule itself. */
function Source({ candidate }: { readonly candidate: CandidateTrace }): ReactNode {
  const linked = useMay(Role.VIEWER, true);
  const text = sourceText(candidate);
  if (text === "") return null;
  if (candidate.ratePrefix === "" || !linked) return <span className={classes.source}>{text}</span>;
  return (
    <Link href={withParams("/rates", { operator: candidate.operatorId, prefix: candidate.ratePrefix })} className={classes.sourceLink}>
      {text}
    </Link>
  );
}
