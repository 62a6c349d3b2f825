import { Anchor, Group } from "@mantine/core";
import { type ReactNode, useMemo } from "react";
import { Link } from "wouter";
import { Answer } from "../../parts/answer";
import { Id } from "../../parts/number";
import { Facts } from "../../parts/page";
import { Empty, Loading } from "../../parts/states";
import { Timeline } from "../../parts/timeline";
import { Ago, When } from "../../parts/when";
import { Badges, TroubleBadge } from "./badges";
import classes from "./health.module.css";
import { knownSince, type Past, type RangeKey, ranges, usePast } from "./past";
import { type Present, wordLife } from "../../live/present";
import { spansOf } from "./spans";
import { Transitions } from "./transitions";

interface DetailProps {
  readonly id: string;
  readonly present: Present | undefined;
  readonly loading: boolean;
  readonly range: RangeKey;
  readonly now: Date;
  readonly news: string;
}

/** One operator: how it is, how it was, and why. */
export function Detail({ id, present, loading, range, now, news }: DetailProps): ReactNode {
  const past = usePast(range, id, news);
  if (loading) return <Loading height={480} />;
  if (present === undefined) {
    return (
      <Empty title="No such operator" action={<Anchor component={Link} href={`/operators/${id}`}>Look for it among all operators</Anchor>}>
        It may have been deleted: health is kept for live operators only.
      </Empty>
    );
  }
  const { observed, changed } = present;
  const old = observed !== undefined && now.getTime() - observed.getTime() > wordLife;
  return (
    <div className={classes.stack}>
      <Group gap="sm">
        <TroubleBadge trouble={present.trouble} />
        <Badges present={present} />
      </Group>
      {present.byHand && (
        <p className={classes.note}>Somebody, or a neighbour, said this by hand and no report has replaced it. A good word counts for a minute, a bad one for a day.</p>
      )}
      <Facts
        items={[
          { label: "Last report", value: observed === undefined ? "never" : <Ago time={observed} /> },
          { label: "In this state since", value: <When time={changed} seconds /> },
          { label: "Connection", value: `${present.operator.host}:${String(present.operator.port)}` },
          { label: "Version of the health", value: String(present.version) },
          { label: "Operator", value: <Id value={id} label="operator id" /> },
          {
            label: "More",
            value: (
              <Anchor component={Link} href={`/operators/${id}`} inherit>
                Rates, rules, credentials
              </Anchor>
            ),
          },
        ]}
      />
      {old && <p className={classes.note}>The last report is more than a minute old: good words do not count any more.</p>}
      <Answer query={past} height={160}>
        {(data) => <Bands past={data} present={present} range={range} now={now} />}
      </Answer>
      <Transitions past={past} one />
    </div>
  );
}

function Bands({ past, present, range, now }: { readonly past: Past; readonly present: Present; readonly range: RangeKey; readonly now: Date }): ReactNode {
  const bands = useMemo(() => {
    const since = knownSince(past);
    const time = { from: new Date(now.getTime() - ranges[range]), to: now, ...(since === undefined ? {} : { since }) };
    return [
      { label: "Bind", spans: spansOf(past.transitions, present, time, "bind") },
      { label: "Quality", spans: spansOf(past.transitions, present, time, "quality") },
    ];
  }, [past, present, range, now]);
  return <Timeline label={`Health of ${present.operator.name}`} from={new Date(now.getTime() - ranges[range])} to={now} bands={bands} />;
}
