import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { Answer } from "../../parts/answer";
import { countText } from "../../parts/figures";
import { Empty } from "../../parts/states";
import { Timeline } from "../../parts/timeline";
import { When } from "../../parts/when";
import classes from "./health.module.css";
import { byOperator, knownSince, type Past, type RangeKey, ranges } from "./past";
import type { Present } from "../../live/present";
import { spansOf } from "./spans";

/** Timelines that are drawn at most; a search or a state shows the others. */
const mostBands = 60;

interface TimelinesProps {
  readonly shown: readonly Present[];
  readonly past: UseQueryResult<Past, Error>;
  readonly range: RangeKey;
  readonly now: Date;
}

/** One band for each operator, in the order of the table. */
export function Timelines({ shown, past, range, now }: TimelinesProps): ReactNode {
  return (
    <Answer query={past} height={Math.min(12, Math.max(3, shown.length)) * 30 + 60}>
      {(data) => <Bands shown={shown} past={data} range={range} now={now} />}
    </Answer>
  );
}

function Bands({ shown, past, range, now }: Omit<TimelinesProps, "past"> & { readonly past: Past }): ReactNode {
  const groups = useMemo(() => byOperator(past.transitions), [past]);
  const since = knownSince(past);
  const from = new Date(now.getTime() - ranges[range]);
  const bands = shown.slice(0, mostBands).map((present) => ({
    label: present.operator.name,
    spans: spansOf(groups.get(present.operator.operatorId) ?? [], present, { from, to: now, ...(since === undefined ? {} : { since }) }, "both"),
  }));
  if (bands.length === 0) return <Empty title="No operator is like this" />;
  return (
    <>
      {since !== undefined && <Cut past={past} since={since} />}
      {shown.length > mostBands && (
        <p className={classes.note}>
          The first {countText(mostBands)} of {countText(shown.length)} operators are drawn. A search or a state shows the others.
        </p>
      )}
      <div className={classes.scroll}>
        <Timeline label="Health of operators over time" from={from} to={now} bands={bands} />
      </div>
    </>
  );
}

/** Says that not all of the range was read. */
export function Cut({ past, since }: { readonly past: Past; readonly since: Date }): ReactNode {
  return (
    <p className={classes.note}>
      So much happened that only the last {countText(past.transitions.length)} changes were read: what was before <When time={since} seconds /> is not
      shown. A shorter range, or one operator, shows more.
    </p>
  );
}
