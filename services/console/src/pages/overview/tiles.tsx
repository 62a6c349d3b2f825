import { Skeleton } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import type { TrafficPoint } from "@gen/routing/v1/decision_pb";
import { type ReactNode, Suspense, useMemo } from "react";
import type { Link } from "../../live/follow";
import { percentText } from "../../parts/figures";
import { lazily } from "../../parts/lazily";
import { durationText } from "../../parts/when";
import { LogNote } from "./lognote";
import classes from "./overview.module.css";
import { curveOf, rateText, type Traffic } from "./traffic";
import type { PlotSeries } from "../../parts/plot";

// uPlot is half as large as everything else of this page: the figures do not wait for it.
const Plot = lazily(async () => ({ default: (await import("../../parts/plot")).Plot }));

const height = 124;

interface TrafficTilesProps {
  readonly points: readonly TrafficPoint[];
  readonly traffic: Traffic | undefined;
  readonly link: Link;
}

/** Decisions a second, those without a route, and how long deciding takes: now, and over the last 5 minutes. */
export function TrafficTiles({ points, traffic, link }: TrafficTilesProps): ReactNode {
  const phone = useMediaQuery("(max-width: 600px)", false, { getInitialValueInEffect: false });
  const { times, perSecond, failed, failedShare, p95 } = useMemo(() => curveOf(points), [points]);
  const rates = useMemo<readonly PlotSeries[]>(
    () => [
      { label: "decisions/s", values: perSecond, tone: 1 },
      { label: "no route/s", values: failed, tone: "bad" },
    ],
    [perSecond, failed],
  );
  const shares = useMemo<readonly PlotSeries[]>(() => [{ label: "no route", values: failedShare, tone: "bad" }], [failedShare]);
  const times95 = useMemo<readonly PlotSeries[]>(() => [{ label: "p95", values: p95, tone: 4 }], [p95]);
  const share = traffic === undefined || traffic.decisions === 0 ? undefined : traffic.failed / traffic.decisions;
  const loading = traffic === undefined && link.state === "connecting";
  // Since when is told above.
  const old = link.state === "lost" ? "last known" : undefined;

  return (
    <section aria-label="Traffic of the last 5 minutes">
      <div className={classes.tiles}>
        <Tile label="Decisions now" value={traffic === undefined ? "–" : `${rateText(traffic.perSecond)} /s`} note={old ?? "last 5 s"} loading={loading}>
          <Curve label="Decisions a second" times={times} series={rates} text={rateText} />
        </Tile>
        <Tile label="No route" value={share === undefined ? "–" : percentText(share)} note={old ?? "last 5 min"} loading={loading}>
          {phone !== true && <Curve label="Share of decisions without a route" times={times} series={shares} text={shareText} />}
        </Tile>
        <Tile label="p95 of deciding" value={traffic?.p95 === undefined ? "–" : durationText(traffic.p95)} note={old ?? "last 2 min"} loading={loading}>
          {phone !== true && <Curve label="Time within which 95 of 100 were decided" times={times} series={times95} text={durationText} />}
        </Tile>
      </div>
      {traffic?.decisions === 0 && link.state === "live" && <LogNote />}
    </section>
  );
}

const shareText = (value: number): string => percentText(value, value < 0.1 ? 1 : 0);

interface CurveProps {
  readonly label: string;
  readonly times: readonly number[];
  readonly series: readonly PlotSeries[];
  readonly text: (value: number) => string;
}

function Curve(props: CurveProps): ReactNode {
  return (
    <Suspense fallback={<Skeleton height={height + 32} />}>
      <Plot {...props} height={height} empty="No decisions" />
    </Suspense>
  );
}

interface TileProps {
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly loading: boolean;
  readonly children: ReactNode;
}

function Tile({ label, value, note, loading, children }: TileProps): ReactNode {
  return (
    <div className={classes.tile}>
      <dl className={classes.figure}>
        <dt>{label}</dt>
        <dd>
          {loading ? <Skeleton height={30} width={90} /> : <strong>{value}</strong>}
          <span className={classes.dim}>{note}</span>
        </dd>
      </dl>
      {children}
    </div>
  );
}
