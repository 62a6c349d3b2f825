import { Progress } from "@mantine/core";
import { useQuery } from "@connectrpc/connect-query";
import { ReleaseEngineState } from "@gen/events/v1/release_event_pb";
import { type Release, type ReleaseEngine, ReleaseState } from "@gen/releases/v1/release_pb";
import { ReleaseService } from "@gen/releases/v1/release_service_pb";
import { type ReactNode, useEffect, useState } from "react";
import { describe } from "../../api/errors";
import { counted, countText } from "../../parts/figures";
import { StatusBadge } from "../../parts/status";
import { When } from "../../parts/when";
import { engineName } from "../../parts/engines";
import { engineWait, firstEngine, type Reception, received, settled } from "./engines";
import { NoEngines, Refused, servedText } from "../../parts/enginetable";
import classes from "./releases.module.css";
import { named, titleOf } from "../../parts/standing";

/** How often it is asked what engines serve, in milliseconds; their events come in between. */
const pollEvery = 1_000;

interface UptakeProps {
  readonly releaseId: string;
  readonly activation: bigint;
  readonly releases: readonly Release[];
}

/** Watches engines take up what was published, until all serve it or one refuses. */
export function Uptake({ releaseId, activation, releases }: UptakeProps): ReactNode {
  const waited = useWaited(activation);
  const query = useQuery(ReleaseService.method.getRelease, { releaseId }, {
    refetchInterval: ({ state: { data } }) => (data !== undefined && isSettled(data, activation, waited) ? false : pollEvery),
    refetchIntervalInBackground: true,
  });
  if (query.data?.release === undefined) {
    const text = query.error === null ? "Asking engines…" : describe(query.error).message;
    return <p className={classes.uptake} role="status">{text}</p>;
  }
  const { release, engines } = query.data;
  const scheduled = release.state === ReleaseState.SCHEDULED;
  const reception = received(query.data, activation, scheduled);
  const known = query.data.activations.find((one) => one.activation === activation);
  if (known === undefined) return <p className={classes.uptake} role="status">There is no activation {String(activation)} of this release.</p>;
  const [tone, text] = verdict(reception, scheduled, waited);
  return (
    <div className={classes.uptake}>
      <div className={classes.uptakeHead}>
        <strong>Activation {String(activation)}</strong>
        {scheduled && <span>takes effect <When time={known.activateTime} seconds /></span>}
        <span role="status" aria-live="polite">
          <StatusBadge tone={tone}>{text}</StatusBadge>
        </span>
      </div>
      {reception.heard > 0 && (
        <Progress.Root size="md">
          <Progress.Section value={(100 * reception.done.length) / reception.heard} color="teal" aria-label="Engines that took it up" />
          <Progress.Section value={(100 * reception.refused.length) / reception.heard} color="red" aria-label="Engines that refused it" />
        </Progress.Root>
      )}
      {!reception.calledOff && !reception.announced && (
        <p className={classes.note}>It is stored, and NATS does not have it yet: engines hear of it when NATS is back.</p>
      )}
      {reception.calledOff && <p className={classes.note}>Another publish or rollback called it off before its time.</p>}
      <Laggards reception={reception} engines={engines} releases={releases} late={waited >= engineWait} />
      {reception.heard === 0 && reception.announced && waited >= firstEngine && <NoEngines />}
      {scheduled && reception.heard > 0 && <p className={classes.note}>{titleOf(release)} waits in these engines; each swaps by its own clock.</p>}
      {releases.length > 0 && named(releases, releaseId) === undefined && <p className={classes.note}>The list of releases is older than this.</p>}
    </div>
  );
}

function isSettled(data: Parameters<typeof received>[0], activation: bigint, waited: number): boolean {
  return settled(received(data, activation, data.release?.state === ReleaseState.SCHEDULED), waited);
}

/** Milliseconds since this activation is watched, at the pace of a second. */
function useWaited(activation: bigint): number {
  const [waited, setWaited] = useState(0);
  useEffect(() => {
    const began = Date.now();
    setWaited(0);
    const timer = setInterval(() => {
      setWaited(Date.now() - began);
      if (Date.now() - began > 2 * engineWait) clearInterval(timer);
    }, 1_000);
    return () => {
      clearInterval(timer);
    };
  }, [activation]);
  return waited;
}

/** "2 of 3 engines serve it". */
export function verdict(reception: Reception, scheduled: boolean, waited: number): readonly ["good" | "warning" | "bad" | "info" | "idle", string] {
  const { heard, done, refused, behind, calledOff } = reception;
  if (calledOff) return ["warning", "called off"];
  if (heard === 0) return waited < firstEngine ? ["info", "waiting for engines"] : ["idle", "no engine runs in release mode"];
  const verb = scheduled ? (heard === 1 ? "has it ready" : "have it ready") : heard === 1 ? "serves it" : "serve it";
  if (done.length === heard) return ["good", heard === 1 ? `the engine ${verb}` : `all ${countText(heard)} engines ${verb}`];
  const text = `${countText(done.length)} of ${counted(heard, ["engine", "engines"])} ${verb}`;
  if (refused.length > 0) return ["bad", `${text}, ${countText(refused.length)} refused`];
  return behind.length > 0 && waited >= engineWait ? ["warning", `${text} after ${countText(Math.floor(waited / 1000))} s`] : ["info", text];
}

interface LaggardsProps {
  readonly reception: Reception;
  readonly engines: readonly ReleaseEngine[];
  readonly releases: readonly Release[];
  readonly late: boolean;
}

/** Engines that refused it, and those that are late or say why they cannot yet. */
function Laggards({ reception, engines, releases, late }: LaggardsProps): ReactNode {
  const behind = reception.behind.filter(({ event }) => late || event?.state === ReleaseEngineState.REFUSED);
  if (reception.refused.length === 0 && behind.length === 0) return null;
  return (
    <ul className={reception.refused.length > 0 ? classes.refusals : classes.plainList} role="alert">
      {reception.refused.map((engine) => (
        <li key={engine.event?.engineId}>
          <Refused engine={engine} name={engineName(engines, engine)} serves={servedText(engine, releases)} />
        </li>
      ))}
      {behind.map((engine) => (
        <li key={engine.event?.engineId}>
          <strong>{engineName(engines, engine)}</strong> still serves {servedText(engine, releases)}, heard <When time={engine.event?.occurredAt} seconds />
          {engine.event?.reason !== "" && <>: <code className={classes.code}>{engine.event?.reason}</code></>}
        </li>
      ))}
    </ul>
  );
}
