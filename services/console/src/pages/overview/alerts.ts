import type { ReleaseEngine } from "@gen/releases/v1/release_pb";
import { percentText } from "../../parts/figures";
import { durationText } from "../../parts/when";
import type { Present } from "../../live/present";
import { engineName, engineWord } from "../../parts/engines";
import { refusalOf } from "../../parts/refusals";
import { consequenceOf, type ProcessHealth } from "../../live/dependencies";
import { operatorAlerts } from "./operatoralerts";
import type { Traffic } from "./traffic";

export type Severity = "critical" | "warning";

/** Something that somebody has to look at. */
export interface Alert {
  readonly key: string;
  readonly severity: Severity;
  /** One sentence, without full stop. */
  readonly text: string;
  /** The same of several alerts, for the headline; absent where the text says all. */
  readonly headline?: string;
  /** What it means and what to do. */
  readonly todo: string;
  readonly since?: Date;
  /** Where to look. */
  readonly href: string;
  /** What the place is called. */
  readonly link: string;
}

export interface Outbox {
  readonly pending: number;
  readonly pendingPublish: number;
  /** Milliseconds that the oldest waits; absent when none does. */
  readonly oldest?: number;
}

/** All that is known. What is absent is not known yet, or nobody may ask. */
export interface Situation {
  /** By the server's clock. */
  readonly now: Date;
  readonly operators?: readonly Present[];
  readonly engines?: readonly ReleaseEngine[];
  readonly outbox?: Outbox;
  readonly process?: ProcessHealth;
  /** The server does not answer; the last answer that came. */
  readonly silent?: { readonly since?: Date };
  /** Live updates stopped. */
  readonly lost?: { readonly since: Date };
  readonly traffic?: Traffic;
}

/** Everything that needs attention, the worst first. */
export function alertsOf(situation: Situation): readonly Alert[] {
  const { operators, now } = situation;
  const found = [
    ...connectionAlerts(situation),
    // Messages that go nowhere matter more than any one operator.
    ...trafficAlerts(situation.traffic),
    ...(operators === undefined ? [] : operatorAlerts(operators, now)),
    ...processAlerts(situation),
    ...engineAlerts(situation.engines ?? []),
    ...outboxAlerts(situation.outbox, now),
  ];
  // Sorting is stable: within a severity the order is the one above.
  return found.sort((a, b) => order[a.severity] - order[b.severity]);
}

const order: Readonly<Record<Severity, number>> = { critical: 0, warning: 1 };

const dependencies = { href: "/system?tab=dependencies", link: "Dependencies" };

function connectionAlerts({ silent, lost }: Situation): Alert[] {
  if (silent !== undefined) {
    return [
      {
        key: "silent",
        severity: "critical",
        text: "The server does not answer",
        todo: `${asOf(silent.since)}Engines decide without this server; look at its process and at the network.`,
        ...dependencies,
      },
    ];
  }
  if (lost === undefined) return [];
  const todo = `${asOf(lost.since)}They are read again now and then, but not as they change. Usually NATS is out of reach.`;
  return [{ key: "lost", severity: "warning", text: "Live updates stopped", todo, ...dependencies }];
}

function asOf(time: Date | undefined): string {
  return time === undefined ? "" : `Figures are from ${time.toLocaleTimeString()}. `;
}

function processAlerts({ process, silent }: Situation): Alert[] {
  // What the process said last is not news while it is silent.
  if (process === undefined || silent !== undefined) return [];
  const down = process.dependencies.filter(({ state }) => state === "down");
  const alerts = down.map(({ name, required, since, lastError }): Alert => ({
    key: `dependency ${name}`,
    severity: required ? "critical" : "warning",
    text: `${name} is down${lastError === "" ? "" : `: ${lastError}`}`,
    todo: consequenceOf(name),
    ...dependencies,
    ...(since === undefined ? {} : { since }),
  }));
  if (!process.ready && !down.some(({ required }) => required)) {
    const todo = "It is starting, or draining before it stops. If that lasts longer than a minute, look at its log.";
    alerts.push({ key: "not ready", severity: "warning", text: "The server is not ready", todo, ...dependencies });
  }
  return alerts;
}

/** Decisions before a share of them counts, as for the errors of an operator. */
const enough = 20;
const failedLimit = 0.01;
/** From here on it is an outage of somebody. The limit is ours; SPEC has none. */
const failedBadly = 0.1;
const slow = 40;
const tooSlow = 50;

function trafficAlerts(traffic: Traffic | undefined): Alert[] {
  if (traffic === undefined || traffic.decisions < enough) return [];
  const { decisions, failed, p95 } = traffic;
  const alerts: Alert[] = [];
  if (failed / decisions > failedLimit) {
    alerts.push({
      key: "no route",
      severity: failed / decisions > failedBadly ? "critical" : "warning",
      text: `No route for ${percentText(failed / decisions)} of decisions in the last 5 minutes`,
      todo: "A rule is missing, or all candidates of one are down. See which prefixes and why.",
      href: "/decisions?failed=1",
      link: "Decisions",
    });
  }
  if (p95 !== undefined && p95 > slow) {
    alerts.push({
      key: "slow",
      severity: p95 > tooSlow ? "critical" : "warning",
      text: `Deciding takes long: p95 is ${durationText(p95)} over the last 2 minutes`,
      todo: `It should be ${String(slow)} ms or less. Look at the load of engines and at their database.`,
      href: "/decisions",
      link: "Decisions",
    });
  }
  return alerts;
}

function engineAlerts(engines: readonly ReleaseEngine[]): Alert[] {
  return engines
    .filter((engine) => engineWord(engine) === "refused")
    .map((engine): Alert => {
      const reason = engine.event?.reason ?? "";
      const refusal = refusalOf(reason);
      return {
        key: `engine ${engine.event?.engineId ?? ""}`,
        severity: "warning",
        text: `The engine on ${engineName(engines, engine)} refuses the release: ${refusal?.meaning ?? reason}`,
        todo: `It goes on with what it served before.${refusal === undefined ? "" : ` What to do: ${refusal.remedy}.`}`,
        href: "/releases",
        link: "Releases",
      };
    });
}

/** The relay takes events within seconds. */
const outboxLimit = 60_000;

function outboxAlerts(outbox: Outbox | undefined, now: Date): Alert[] {
  if (outbox === undefined) return [];
  const { pending, pendingPublish, oldest } = outbox;
  const late = oldest !== undefined && oldest > outboxLimit;
  if (!late && pendingPublish === 0) return [];
  const count = pending + pendingPublish;
  return [
    {
      key: "outbox",
      severity: "warning",
      text: `${String(count)} ${count === 1 ? "event waits" : "events wait"} to be published`,
      todo: "Changes are stored, but engines do not hear of them. Usually NATS is out of reach; nothing is lost.",
      href: "/system?tab=events",
      link: "Events",
      ...(oldest === undefined ? {} : { since: new Date(now.getTime() - oldest) }),
    },
  ];
}
