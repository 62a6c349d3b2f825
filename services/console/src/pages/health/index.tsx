import { SegmentedControl } from "@mantine/core";
import { type ReactNode, useMemo } from "react";
import { Answer } from "../../parts/answer";
import { Drawer, useDrawer } from "../../parts/drawer";
import { Filters } from "../../parts/filter";
import { Page, Section } from "../../parts/page";
import { useParams } from "../../parts/params";
import { SearchBox } from "../../parts/search";
import { Empty } from "../../parts/states";
import { useEveryone } from "../../live/everyone";
import { Events } from "./events";
import classes from "./health.module.css";
import { Detail } from "./detail";
import { Operators } from "./operators";
import { ranges, rangeOf, useNow, usePast } from "./past";
import { type Present, type Trouble, troubles } from "../../live/present";
import { Summary } from "./summary";
import { Timelines } from "./timelines";
import { Transitions } from "./transitions";

/** Whether operators carry: now, as it changes, and over time. */
export default function Health(): ReactNode {
  const [params, setParams] = useParams({ range: "24h", state: "", q: "" });
  const drawer = useDrawer("operator");
  const { query, all } = useEveryone();
  const range = rangeOf(params.range);
  const state: Trouble | "" = troubles.find((one) => one === params.state) ?? "";
  // Changes with every real change of health and with no heartbeat.
  const news = useMemo(() => newsOf(all), [all]);
  const past = usePast(range, "", news);
  const now = useNow(news);
  const shown = useMemo(() => {
    const q = params.q.trim().toLowerCase();
    return all.filter(({ operator, trouble }) => (state === "" || trouble === state) && operator.name.toLowerCase().includes(q));
  }, [all, state, params.q]);
  const selected = all.find(({ operator }) => operator.operatorId === drawer.id);

  return (
    <Page title="Health" purpose="Whether operators are bound and how well they carry. It follows by itself.">
      <Answer
        query={query}
        height={640}
        empty={() => (all.length === 0 ? <Empty title="No operators yet">Health begins with the first operator that a connector reports.</Empty> : undefined)}
      >
        {() => (
          <>
            <Summary all={all} state={state} onState={(next) => setParams({ state: next })} />
            <Filters>
              <SearchBox label="Operator" placeholder="Name of an operator" value={params.q} onChange={(q) => setParams({ q })} />
              <SegmentedControl
                aria-label="Range"
                size="sm"
                value={range}
                onChange={(next) => setParams({ range: next })}
                data={Object.keys(ranges).map((key) => ({ value: key, label: words[rangeOf(key)] }))}
              />
            </Filters>
            <div className={classes.board}>
              <div className={classes.column}>
                <Operators shown={shown} current={drawer.id} onOpen={drawer.open} href={drawer.href} />
                <Section title="Timelines" description={`How each operator was over the last ${long[range]}.`}>
                  <Timelines shown={shown} past={past} range={range} now={now} />
                </Section>
              </div>
              <Events all={all} />
            </div>
            <Section title="Changes" description={`What connectors reported over the last ${long[range]}. A word by hand is none of these.`}>
              <Transitions past={past} shown={shown} filtered={shown.length < all.length} />
            </Section>
          </>
        )}
      </Answer>
      <Drawer id={drawer.id} onClose={drawer.close} title={selected?.operator.name ?? "Operator"} size={720}>
        {(id) => <Detail id={id} present={selected} loading={query.data === undefined} range={range} now={now} news={news} />}
      </Drawer>
    </Page>
  );
}

const words = { "1h": "1 hour", "24h": "24 hours", "7d": "7 days" } as const;
const long = { "1h": "hour", "24h": "24 hours", "7d": "7 days" } as const;

function newsOf(all: readonly Present[]): string {
  return all.map(({ operator, bind, quality }) => `${operator.operatorId} ${String(bind)} ${String(quality)}`).join();
}
