import type { DecisionSummary } from "@gen/routing/v1/decision_pb";
import type { ComponentProps, ReactNode } from "react";
import { Bars } from "../../parts/bars";
import { countText, percentText } from "../../parts/figures";
import { nanosText } from "../../parts/money";
import { useOperatorNames } from "../../parts/names";
import { Section } from "../../parts/page";
import { Plot, type PlotSeries } from "../../parts/plot";
import { Loading } from "../../parts/states";
import { shortId } from "../../parts/shortid";
import { durationText } from "../../parts/when";
import classes from "./decisions.module.css";
import { costs, failureRate, latencies, reasons, success, volumes } from "./series";
import type { Figures, Sums } from "./uselook";
import type { Window } from "./window";
import { failureWord } from "./words";

/** Of a canvas, and of it with its legend, in pixels. */
const height = 150;
const whole = 182;

/** Volume, failures, cost, success and time over the window. */
export function Plots({ figures: { all, byOperator, byReason }, step }: { readonly figures: Figures; readonly step: number }): ReactNode {
  const { name } = useOperatorNames();
  const each = `per ${durationText(step * 1000)}`;
  const none = "No decision in this time";
  return (
    <>
      <Section title="Decisions by operator" description={`Decisions ${each}`}>
        <Curve sums={byOperator} label="Decisions by operator" kind="stacked" empty={none} series={(times, sums) => volumes(times, sums, (id) => name(id) ?? shortId(id))} />
      </Section>
      <Section title="No-route rate" description="Share of decisions without a route">
        <Curve sums={all} label="No-route rate" text={(value) => percentText(value)} empty={none} series={failureRate} />
      </Section>
      <Section title="Reasons without a route" description="In all of this time">
        <Shown sums={byReason}>{(sums) => <Reasons sums={sums} />}</Shown>
      </Section>
      <Section title="Cost" description={`One segment each, ${each}, by currency`}>
        <Curve sums={all} label="Cost" text={(nanos) => nanosText(BigInt(Math.round(nanos)), 2)} empty="No decision with a price in this time" series={costs} />
      </Section>
      <Section title="Success" description="Delivered, of messages with a final report">
        <Curve sums={all} label="Success" text={(value) => percentText(value)} empty="No message has a final report" series={success} />
      </Section>
      <Section title="Time to decide" description="95 of 100 decisions took at most this long">
        <Curve sums={all} label="Time to decide, p95" text={durationText} empty={none} series={latencies} />
      </Section>
    </>
  );
}

interface CurveProps extends Pick<ComponentProps<typeof Plot>, "label" | "kind" | "text" | "empty"> {
  readonly sums: Sums;
  readonly series: (times: readonly number[], summaries: readonly DecisionSummary[]) => PlotSeries[];
}

function Curve({ sums, series, ...plot }: CurveProps): ReactNode {
  return (
    <Shown sums={sums}>
      {(summaries, { times, openFrom }) => <Plot {...plot} height={height} times={times} openFrom={openFrom} series={series(times, summaries)} />}
    </Shown>
  );
}

interface ShownProps {
  readonly sums: Sums;
  readonly children: (summaries: readonly DecisionSummary[], window: Window) => ReactNode;
}

/** A plot by the state of its sums, always as high. Why something is not known is said once, above. */
function Shown({ sums: { data, asked, problem }, children }: ShownProps): ReactNode {
  if (data !== undefined) return children(data.summaries, asked);
  if (problem === undefined) return <Loading height={whole} />;
  return <p className={classes.unknown}>Not known</p>;
}

function Reasons({ sums }: { readonly sums: readonly DecisionSummary[] }): ReactNode {
  if (sums.length === 0) return <p className={classes.note}>No decision was without a route.</p>;
  const found = reasons(sums);
  const all = found.reduce((sum, { count }) => sum + Number(count), 0);
  return (
    <Bars
      label="Reasons without a route"
      rows={found.map(({ reason, count }) => ({
        label: failureWord(reason),
        bars: [{ word: percentText(Number(count) / all), size: Number(count), text: countText(count), tone: "bad" }],
      }))}
    />
  );
}
