import { Button } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { DecisionGroup } from "@gen/routing/v1/decision_pb";
import { type ReactNode, useId } from "react";
import { Answer } from "../../parts/answer";
import { Bars } from "../../parts/bars";
import { countText, percentText } from "../../parts/figures";
import { nanosText } from "../../parts/money";
import { useOperatorNames } from "../../parts/names";
import { Section } from "../../parts/page";
import { useParam } from "../../parts/params";
import { Plot } from "../../parts/plot";
import { durationText } from "../../parts/when";
import classes from "./decisions.module.css";
import type { Filter } from "./filters";
import { costs, failureRate, latencies, reasons, success, totalsOf, volumes } from "./series";
import { Totals } from "./totals";
import { type Look, useSums } from "./uselook";
import { failureWord } from "./words";

interface PlotsProps {
  readonly filter: Filter;
  readonly look: Look;
}

const height = 150;

/** The sums of the window, and its plots, which can be folded: on a phone they are until somebody asks, because the table comes after them. */
export function Figures({ filter, look }: PlotsProps): ReactNode {
  const all = useSums(filter, look, DecisionGroup.UNSPECIFIED);
  const narrow = useMediaQuery("(max-width: 760px)", false, { getInitialValueInEffect: false });
  const [wanted, setWanted] = useParam("plots");
  const shown = wanted === "" ? !narrow : wanted === "1";
  const id = useId();
  const Chevron = shown ? IconChevronUp : IconChevronDown;
  return (
    <>
      <Answer query={all} height={58}>
        {({ summaries }) => <Totals totals={totalsOf(summaries)} />}
      </Answer>
      <div>
        <Button variant="default" size="compact-sm" aria-expanded={shown} aria-controls={id} leftSection={<Chevron size={14} aria-hidden />} onClick={() => setWanted(shown ? "0" : "1")}>
          {shown ? "Hide plots" : "Show plots"}
        </Button>
      </div>
      <div id={id} className={classes.plots} hidden={!shown}>
        {shown && <Plots filter={filter} look={look} />}
      </div>
    </>
  );
}

/** Volume, failures, cost, success and time over the window. */
function Plots({ filter, look }: PlotsProps): ReactNode {
  const all = useSums(filter, look, DecisionGroup.UNSPECIFIED);
  const byOperator = useSums(filter, look, DecisionGroup.OPERATOR);
  const byReason = useSums(filter, look, DecisionGroup.FAILURE);
  const { name } = useOperatorNames();
  const { times, step } = look.window;
  const each = `per ${durationText(step * 1000)}`;
  const none = "No decision in this time";
  return (
    <>
      <Section title="Decisions by operator" description={`Decisions ${each}`}>
        <Answer query={byOperator} height={230}>
          {({ summaries }) => (
            <Plot label="Decisions by operator" kind="stacked" height={height} times={times} series={volumes(times, summaries, (id) => name(id) ?? id.slice(0, 8))} empty={none} />
          )}
        </Answer>
      </Section>
      <Section title="No-route rate" description="Share of decisions without operator">
        <Answer query={all} height={230}>
          {({ summaries }) => <Plot label="No-route rate" height={height} times={times} series={failureRate(times, summaries)} text={(value) => percentText(value)} empty={none} />}
        </Answer>
      </Section>
      <Section title="Reasons without operator" description="In all of this time">
        <Answer query={byReason} height={230} empty={({ summaries }) => (summaries.length === 0 ? <p className={classes.note}>No decision was without an operator.</p> : undefined)}>
          {({ summaries }) => (
            <Bars
              label="Reasons without operator"
              rows={reasons(summaries).map(({ reason, count }) => ({ label: failureWord(reason), bars: [{ word: reason, size: Number(count), text: countText(count), tone: "bad" }] }))}
            />
          )}
        </Answer>
      </Section>
      <Section title="Cost" description={`One segment each, ${each}, by currency`}>
        <Answer query={all} height={230}>
          {({ summaries }) => (
            <Plot label="Cost" height={height} times={times} series={costs(times, summaries)} text={(nanos) => nanosText(BigInt(Math.round(nanos)), 2)} empty="No decision with a price in this time" />
          )}
        </Answer>
      </Section>
      <Section title="Success" description="Delivered, of messages with a report">
        <Answer query={all} height={230}>
          {({ summaries }) => <Plot label="Success" height={height} times={times} series={success(times, summaries)} text={(value) => percentText(value)} empty="No outcome was reported" />}
        </Answer>
      </Section>
      <Section title="Time to decide" description="95 of 100 decisions took at most this long">
        <Answer query={all} height={230}>
          {({ summaries }) => <Plot label="Time to decide, p95" height={height} times={times} series={latencies(times, summaries)} text={durationText} empty={none} />}
        </Answer>
      </Section>
    </>
  );
}
