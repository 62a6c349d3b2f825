import { Button } from "@mantine/core";
import type { ExplainRouteResponse, Failure, SelectOperatorResponse } from "@gen/routing/v1/routing_pb";
import { IconAlertTriangle, IconCircleMinus } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Role, useCaller, useMay } from "../../api/caller";
import { Prefix } from "../../parts/number";
import { Facts } from "../../parts/page";
import { withParams } from "../../parts/params";
import { Price } from "../../parts/price";
import { StatusBadge } from "../../parts/status";
import { strategyWord } from "../../parts/words";
import classes from "./explore.module.css";
import type { Question } from "./question";
import { Carrier } from "./carrier";

interface ResultProps {
  readonly answer: ExplainRouteResponse;
  readonly question: Question;
  readonly onExclude: (id: string) => void;
}

/** The answer itself: who carries the message, or why nobody does. */
export function Result({ answer, question, onExclude }: ResultProps): ReactNode {
  const { result } = answer;
  if (result.case === "decision") return <Decision decision={result.value} onExclude={onExclude} />;
  if (result.case === "failure") return <NoRoute failure={result.value} answer={answer} question={question} />;
  return <p className={classes.note}>The engine gave no answer.</p>;
}

function Decision({ decision, onExclude }: { readonly decision: SelectOperatorResponse; readonly onExclude: (id: string) => void }): ReactNode {
  return (
    <div className={classes.decision}>
      <div className={classes.headline}>
        <p className={classes.operator}>
          <Carrier id={decision.operatorId} name={decision.operatorName} />
        </p>
        {decision.meta?.healthUnknown === true && <StatusBadge tone="warning">Health unknown</StatusBadge>}
        <Without id={decision.operatorId} name={decision.operatorName} onExclude={onExclude} />
      </div>
      {decision.meta?.healthUnknown === true && (
        <p className={classes.note}>No word about its health for 60 s: it was taken all the same, because nothing says that it is down.</p>
      )}
      <Facts
        items={[
          { label: "Price per segment", value: <span className={classes.price}><Price money={decision.unitPrice} /></span> },
          { label: "Prefix that decided", value: <Prefix value={decision.matchedPrefix} /> },
          { label: "Strategy", value: strategyWord(decision.strategy) },
          { label: "Connection", value: <Connection host={decision.host} port={decision.port} /> },
          { label: "system_id", value: <span className={classes.mono}>{decision.systemId === "" ? "–" : decision.systemId}</span> },
          { label: "At most", value: `${String(decision.tpsLimit)} messages/s` },
        ]}
      />
      {decision.alternates.length > 0 ? (
        <div>
          <h3 className={classes.subtitle}>If it fails</h3>
          <ol className={classes.alternates}>
            {decision.alternates.map((one) => (
              <li key={one.operatorId} className={classes.alternate}>
                <span className={classes.alternateName}>
                  <Carrier id={one.operatorId} name={one.operatorName} />
                </span>
                <Price money={one.unitPrice} />
                <span className={classes.dim}>
                  <Connection host={one.host} port={one.port} /> <span className={classes.mono}>{one.systemId}</span>
                </span>
              </li>
            ))}
          </ol>
        </div>
      ) : (
        <p className={classes.note}>There is no alternate: when it fails, the message has no other way.</p>
      )}
    </div>
  );
}

function Connection({ host, port }: { readonly host: string; readonly port: number }): ReactNode {
  return (
    <span className={classes.mono}>
      {host}:{port}
    </span>
  );
}

/** One click shows who would carry it else. */
export function Without({ id, name, onExclude }: { readonly id: string; readonly name: string; readonly onExclude: (id: string) => void }): ReactNode {
  return (
    <Button
      variant="default"
      size="compact-xs"
      leftSection={<IconCircleMinus size={14} aria-hidden />}
      onClick={() => onExclude(id)}
      aria-label={`Ask without ${name}`}
    >
      Without it
    </Button>
  );
}

interface NoRouteProps {
  readonly failure: Failure;
  readonly answer: ExplainRouteResponse;
  readonly question: Question;
}

function NoRoute({ failure, answer, question }: NoRouteProps): ReactNode {
  const mayMake = useMay(Role.OPERATOR);
  const bound = useCaller().accountId !== "";
  const none = answer.rules.length === 0;
  const advice = none
    ? `No rule has a prefix of this number. ${mayMake ? "Make one for its country or network." : "Ask an operator for one for its country or network."}`
    : failure.reason === "NO_ROUTE"
      ? "Rules have its prefix, but none counts now: see below why, and whether one should be switched on or be valid."
      : failure.reason === "NO_USABLE_OPERATOR"
        ? "Rules match, but none of their candidates can be used: see below why each was rejected. A rule that falls through would let a shorter prefix answer."
        : "";
  return (
    <div className={classes.decision} role="status">
      <div className={classes.headline}>
        <IconAlertTriangle size={24} className={classes.bad} aria-hidden />
        <p className={classes.operator}>No route</p>
      </div>
      <p className={classes.sentence}>{sentence(failure.message)}</p>
      {advice !== "" && <p className={classes.sentence}>{advice}</p>}
      <p className={classes.marks}>
        <code>{failure.reason}</code>
        {none && mayMake && (
          <Link href={withParams("/rules", { new: "1", prefix: question.to.slice(0, 4) })} className={classes.link}>
            Make a rule
          </Link>
        )}
        {failure.reason === "NO_USABLE_OPERATOR" && !bound && (
          <Link href="/health" className={classes.link}>
            Look at health
          </Link>
        )}
      </p>
    </div>
  );
}

/** The engine ends a chain of causes with its words, which begin small. */
function sentence(text: string): string {
  return text === "" ? "" : `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
}
