import type { ExplainRouteResponse } from "@gen/routing/v1/routing_pb";
import { type ReactNode, useEffect, useMemo, useRef } from "react";
import { useCaller } from "../../api/caller";
import { useSettings } from "../../api/settings";
import { type Live, useLive } from "../../live/events";
import { Answer } from "../../parts/answer";
import { useOperatorNames } from "../../parts/names";
import { Page, Section } from "../../parts/page";
import { Empty } from "../../parts/states";
import { Versions } from "../../parts/versions";
import { Compare } from "./compare";
import { CopyButton } from "./copies";
import { curlText, ticketText } from "./copytext";
import classes from "./explore.module.css";
import { QuestionForm } from "./form";
import { Hints } from "./hints";
import { remember } from "./history";
import type { Question } from "./question";
import { Recent } from "./recent";
import { Result } from "./result";
import { Trace } from "./trace";
import { useExplain } from "./useexplain";
import { useAsking } from "./usequestion";

/** Who carries a message to a number, and why. */
export default function Explore(): ReactNode {
  const { accountId: bound } = useCaller();
  const asking = useAsking();
  const query = useExplain(asking.question);
  const { question } = asking;
  const { data, isPlaceholderData } = query;
  // A former answer goes with its own question.
  const answered = useRef(question);
  if (!isPlaceholderData) answered.current = question;

  const number = question?.to;
  const chosen = data?.result.case === "decision" ? data.result.value.operatorName : "";
  useEffect(() => {
    if (number !== undefined && data !== undefined && !isPlaceholderData) remember({ number, answer: chosen });
  }, [number, data, isPlaceholderData, chosen]);

  const traced = useMemo(() => namesOf(data), [data]);
  const form = bound === "" ? <NamedForm asking={asking} traced={traced} /> : <QuestionForm asking={asking} names={traced} />;
  const exclude = (id: string): void => asking.setExclude([...asking.exclude.filter((one) => one !== id), id], "push");

  return (
    <Page title="Route explorer" purpose="Which operator carries a message to a number, and why. Nothing is sent, and no decision is logged.">
      <Section title="Question">
        {form}
        <Recent current={question?.to ?? ""} onPick={asking.setNumber} />
      </Section>
      {question !== undefined ? (
        <Answer query={query} height={640}>
          {(answer) => (
            <Explained answer={answer} question={answered.current ?? question} former={isPlaceholderData} failing={query.isError} at={query.dataUpdatedAt} onExclude={exclude} onClear={() => asking.setExclude([])} />
          )}
        </Answer>
      ) : asking.digits !== "" && bound === "" ? (
        <Hints prefix={asking.digits} onTry={asking.setNumber} />
      ) : (
        <Section title="Answer">
          <Empty title="Type a number">The answer and the reasons for it show as soon as there are 7 digits.{bound === "" && " Fewer show the rules under them."}</Empty>
        </Section>
      )}
    </Page>
  );
}

/** How the answer keeps up. Without live updates changes of rules and releases are seen late, and no sentence may promise more. */
function followWord(state: Live["link"]["state"]): string {
  return state === "live" ? " It follows what changes." : " It is asked for again every 10 seconds.";
}

/** Callers that see all operators know their names even before an answer tells them. */
function NamedForm({ asking, traced }: { readonly asking: ReturnType<typeof useAsking>; readonly traced: ReadonlyMap<string, string> }): ReactNode {
  const { all } = useOperatorNames();
  const names = useMemo(() => new Map([...traced, ...all.map((one): [string, string] => [one.operatorId, one.name])]), [traced, all]);
  return <QuestionForm asking={asking} names={names} />;
}

function namesOf(answer: ExplainRouteResponse | undefined): ReadonlyMap<string, string> {
  return new Map(answer?.rules.flatMap((rule) => rule.candidates.map((one): [string, string] => [one.operatorId, one.operatorName])));
}

interface ExplainedProps {
  readonly answer: ExplainRouteResponse;
  readonly question: Question;
  /** The answer is that of the question before. */
  readonly former: boolean;
  /** It could not be asked for again. */
  readonly failing: boolean;
  /** When it came, in milliseconds since 1970. */
  readonly at: number;
  readonly onExclude: (id: string) => void;
  readonly onClear: () => void;
}

function Explained({ answer, question, former, failing, at, onExclude, onClear }: ExplainedProps): ReactNode {
  const { engineUrl, auth } = useSettings();
  const { link } = useLive();
  const asked = new Date(at);
  return (
    <>
      <Section
        title="Answer"
        description={<span aria-live="polite">{former || at === 0 ? "Asking… Below is the former answer." : `As of ${asked.toLocaleTimeString()}.${failing ? "" : followWord(link.state)}`}</span>}
        actions={
          <>
            <CopyButton label="Copy as text" title="For tickets: the number is masked" text={() => ticketText(question, answer, asked)} />
            <CopyButton label="Copy as curl" title="Holds the whole number" terminal text={() => curlText(question, engineUrl === "" ? location.origin : engineUrl, auth)} />
          </>
        }
      >
        <Result answer={answer} question={question} onExclude={onExclude} />
        {question.exclude.length > 0 && <Compare question={question} answer={answer} onClear={onClear} />}
      </Section>
      <Section title="How it came about" description="Rules whose prefix matches, the longest first. The first one that gives an operator ends the search.">
        {answer.rules.length === 0 ? <p className={classes.note}>No rule has a prefix of this number.</p> : <Trace answer={answer} question={question} onExclude={onExclude} />}
      </Section>
      {answer.meta !== undefined && (
        <Section title="Decided by">
          <Versions meta={answer.meta} chosen={answer.result.case === "decision"} />
        </Section>
      )}
    </>
  );
}
