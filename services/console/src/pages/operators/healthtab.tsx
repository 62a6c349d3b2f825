import { SegmentedControl } from "@mantine/core";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HealthTransition } from "@gen/operators/v1/health_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { percentText } from "../../parts/figures";
import { Section } from "../../parts/page";
import { useParam } from "../../parts/params";
import { Empty, Failed, Loading } from "../../parts/states";
import { bindTone, bindWord, qualityTone, qualityWord, StatusBadge, type Tone } from "../../parts/status";
import { columnsOf, DataTable } from "../../parts/table";
import { useTableQuery } from "../../parts/tablequery";
import { Timeline } from "../../parts/timeline";
import { When } from "../../parts/when";
import { HealthFacts } from "./healthfacts";
import classes from "./operators.module.css";
import { bandsOf } from "./spans";
import { useHealth } from "./standing";

const hour = 3_600_000;
const ranges: Readonly<Record<string, { readonly label: string; readonly ms: number }>> = {
  "24h": { label: "24 hours", ms: 24 * hour },
  "7d": { label: "7 days", ms: 168 * hour },
};

/** How an operator is and was. */
export function HealthTab({ operatorId }: { operatorId: string }): ReactNode {
  const [name, setName] = useParam("range", "24h");
  const range = ranges[name] ?? { label: "24 hours", ms: 24 * hour };
  const now = useNow(15_000);
  // The question stays the same for an hour, so that looking does not ask anew all the time.
  const since = Math.floor((now.getTime() - range.ms) / hour) * hour;
  const startTime = useMemo(() => timestampFromDate(new Date(since)), [since]);
  const data = useTableQuery(
    OperatorService.method.listHealthTransitions,
    { operatorId, startTime },
    { rows: (page) => page.transitions, pageSize: 1000 },
  );
  const health = useHealth(operatorId).data?.health;
  const from = new Date(now.getTime() - range.ms);
  return (
    <div className={classes.stack}>
      <Section title="Now">
        <HealthFacts operatorId={operatorId} />
      </Section>
      <Section
        title="Timeline"
        description={data.more ? "Only the newest 1,000 changes are drawn." : undefined}
        actions={
          <SegmentedControl
            size="xs"
            aria-label="Time shown"
            value={ranges[name] === undefined ? "24h" : name}
            onChange={(next) => setName(next)}
            data={Object.entries(ranges).map(([value, { label }]) => ({ value, label }))}
          />
        }
      >
        <div className={classes.timeline}>
          {data.state === "loading" && <Loading height={120} lines={3} />}
          {data.state === "failed" && data.problem !== undefined && <Failed problem={data.problem} onRetry={data.retry} />}
          {data.state === "ready" && (
            <Timeline label={`Health, last ${range.label}`} from={from} to={now} bands={bandsOf(data.rows, health, from, now, !data.more)} />
          )}
        </div>
      </Section>
      <Section title="Changes">
        <DataTable
          label="Changes of health"
          noun={["change", "changes"]}
          columns={columns}
          data={data}
          id={(row) => row.transitionId}
          height="fit"
          empty={<Empty title="No change in this time">It was as it is now. Words by hand are not changes of what connectors report.</Empty>}
        />
      </Section>
    </div>
  );
}

/** The time, told anew every so many milliseconds. */
function useNow(every: number): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

const column = columnsOf<HealthTransition>();

const columns = [
  column.accessor("occurTime", { header: "When", size: 210, meta: { grow: 0, narrow: true }, cell: ({ getValue }) => <When time={getValue()} seconds /> }),
  column.display({
    id: "bind",
    header: "Bind",
    size: 190,
    meta: { grow: 0 },
    cell: ({ row: { original: t } }) => (
      <Move same={t.fromBindState === t.toBindState} from={bindWord(t.fromBindState)} to={bindWord(t.toBindState)} tone={bindTone(t.toBindState)} />
    ),
  }),
  column.display({
    id: "quality",
    header: "Quality",
    size: 210,
    meta: { grow: 0 },
    cell: ({ row: { original: t } }) => (
      <Move same={t.fromQuality === t.toQuality} from={qualityWord(t.fromQuality)} to={qualityWord(t.toQuality)} tone={qualityTone(t.toQuality)} />
    ),
  }),
  column.accessor("cause", { header: "Cause", size: 160, meta: { grow: 1, narrow: true } }),
  column.accessor((row) => errorsText(row), { id: "errors", header: "Errors in the window", size: 170, meta: { grow: 0, align: "end" } }),
];

/** "12 of 200, 6.0 %"; nothing where no rate decided. */
export function errorsText({ submits, errors }: Pick<HealthTransition, "submits" | "errors">): string {
  if (submits === 0n) return "–";
  return `${String(errors)} of ${String(submits)}, ${percentText(Number(errors) / Number(submits))}`;
}

function Move({ same, from, to, tone }: { same: boolean; from: string; to: string; tone: Tone }): ReactNode {
  return (
    <span className={classes.move}>
      {same ? (
        <span className={classes.dim}>{to}</span>
      ) : (
        <>
          <span className={classes.dim}>{from} to</span>
          <StatusBadge tone={tone} quiet>
            {to}
          </StatusBadge>
        </>
      )}
    </span>
  );
}
