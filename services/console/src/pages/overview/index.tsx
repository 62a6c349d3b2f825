import { type ReactNode, useMemo } from "react";
import { Allowed, Role } from "../../api/caller";
import { describe } from "../../api/errors";
import { useTraffic } from "../../live/traffic";
import { freshnessOf } from "../../parts/freshness";
import { Page } from "../../parts/page";
import { Stale } from "../../parts/states";
import { alertsOf } from "./alerts";
import { Attention } from "./attention";
import { Banner } from "./banner";
import { headlineOf } from "./headline";
import { InForce } from "./inforce";
import { Operators } from "./operators";
import classes from "./overview.module.css";
import { RecentChanges } from "./recent";
import { useSituation } from "./situation";
import { TrafficTiles } from "./tiles";
import { trafficOf } from "./traffic";

/** The first screen: is it all right, and if not, where to go. */
export default function Overview(): ReactNode {
  const { points, link } = useTraffic();
  const traffic = useMemo(() => trafficOf(points), [points]);
  const { situation, everyone, standing, staleSince, retry } = useSituation(traffic, link);
  const alerts = useMemo(() => alertsOf(situation), [situation]);
  const headline = headlineOf(situation, alerts);
  const error = everyone.query.error ?? standing.error;
  const freshness = freshnessOf(everyone.query.data);

  return (
    <Page title="Overview" purpose="Whether messages find their way right now, and what needs somebody.">
      {staleSince !== undefined && error !== null && <Stale since={staleSince} problem={describe(error)} onRetry={retry} />}
      {error === null && freshness?.stale === true && <Stale age={freshness.age} />}
      <Banner headline={headline} />
      <TrafficTiles points={points} traffic={traffic} link={link} />
      <div className={classes.board}>
        <div className={classes.column}>
          <Attention alerts={alerts} told={headline?.alert} known={headline !== undefined} />
          <Allowed role={Role.ADMIN} unbound>
            <RecentChanges />
          </Allowed>
        </div>
        <div className={classes.column}>
          <Operators everyone={everyone} />
          <InForce standing={standing} />
        </div>
      </div>
    </Page>
  );
}
