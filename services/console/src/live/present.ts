import { timestampDate } from "@bufbuild/protobuf/wkt";
import { BindState, type OperatorHealthEvent, Quality } from "@gen/events/v1/operator_health_event_pb";
import type { OperatorHealth } from "@gen/operators/v1/health_pb";
import { BindType, type Operator, OperatorStatus } from "@gen/operators/v1/operator_pb";

/** How one operator is at the moment. */
export interface Present {
  readonly operator: Operator;
  readonly bind: BindState;
  readonly quality: Quality;
  readonly throttled: boolean;
  readonly byHand: boolean;
  readonly version: bigint;
  readonly observed?: Date;
  readonly changed?: Date;
  readonly trouble: Trouble;
}

/** In the order in which somebody has to look. */
export const troubles = ["down", "watch", "unknown", "good", "receives", "unused"] as const;
export type Trouble = (typeof troubles)[number];

export const troubleWords: Readonly<Record<Trouble, string>> = {
  down: "Not carrying",
  watch: "To watch",
  unknown: "Unknown",
  good: "Carrying",
  receives: "Receives only",
  unused: "Not in use",
};

/** A good word that is older than this many milliseconds says nothing any more. */
export const wordLife = 60_000;

/** An event and when this browser heard it. */
export interface Heard {
  readonly event: OperatorHealthEvent;
  readonly at: number;
}

/** An answer that was asked for within this many milliseconds after an event may not know of it yet. */
const behind = 2_000;

/** What the list says, or what was heard since it was read: the list may be moments behind. */
export function presentOf(operator: Operator, health: OperatorHealth | undefined, readAt: number, heard: Heard | undefined, now: Date): Present {
  const listed = {
    bind: health?.bindState ?? BindState.UNSPECIFIED,
    quality: health?.quality ?? Quality.UNSPECIFIED,
    throttled: health?.throttled ?? false,
    byHand: health?.byHand ?? false,
    version: health?.version ?? 0n,
    ...(health?.observeTime === undefined ? {} : { observed: timestampDate(health.observeTime) }),
    ...(health?.changeTime === undefined ? {} : { changed: timestampDate(health.changeTime) }),
  };
  const present = { operator, ...(heard !== undefined && heard.at + behind > readAt ? withWord(listed, heard.event) : listed) };
  return { ...present, trouble: troubleOf(present, now) };
}

type Untold = Omit<Present, "trouble">;
type Listed = Omit<Untold, "operator">;

function withWord(listed: Listed, event: OperatorHealthEvent): Listed {
  const { bind, quality } = readWord(event, listed);
  const said = event.occurredAt === undefined ? undefined : timestampDate(event.occurredAt);
  const changes = bind !== listed.bind || quality !== listed.quality;
  return {
    ...listed,
    bind,
    quality,
    version: event.version > listed.version ? event.version : listed.version,
    // Versions belong to operator-management: a word without one is a neighbour's.
    byHand: event.version === 0n ? changes || listed.byHand : changes ? false : listed.byHand,
    ...(said === undefined ? {} : { observed: said, ...(changes ? { changed: said } : {}) }),
  };
}

export interface State {
  readonly bind: BindState;
  readonly quality: Quality;
}

/** The state after an event. It may speak of the bind or of the quality alone; without a quality, UNBOUND means unhealthy and a bind means healthy unless it is degraded. */
export function readWord({ status, quality }: OperatorHealthEvent, before: State): State {
  const bind = status === BindState.UNSPECIFIED ? before.bind : status;
  if (quality !== Quality.UNSPECIFIED) return { bind, quality };
  if (status === BindState.UNSPECIFIED) return before;
  if (status === BindState.UNBOUND) return { bind, quality: Quality.UNHEALTHY };
  return { bind, quality: before.quality === Quality.DEGRADED ? Quality.DEGRADED : Quality.HEALTHY };
}

/** What may be wrong with an active operator, the worst first. */
export const ailments = ["unbound", "unhealthy", "failback", "degraded", "throttled", "unknown"] as const;
export type Ailment = (typeof ailments)[number];

/** undefined for one that is as it should be, and for one that is not in use. */
export function ailmentOf({ operator, bind, quality, throttled, observed }: Untold, now: Date): Ailment | undefined {
  if (operator.status !== OperatorStatus.ACTIVE) return undefined;
  const known = observed !== undefined && now.getTime() - observed.getTime() <= wordLife;
  // An old word that it was down still counts: nobody has said that it is up.
  if (bind === BindState.UNBOUND) return "unbound";
  if (quality === Quality.UNHEALTHY) return "unhealthy";
  if (!known || bind === BindState.UNSPECIFIED || quality === Quality.UNSPECIFIED) return "unknown";
  if (bind === BindState.FAILBACK) return "failback";
  if (quality === Quality.DEGRADED) return "degraded";
  return throttled ? "throttled" : undefined;
}

/** Whether it is bound to receive alone: receipts and incoming messages. No message is ever sent by it. */
export function receivesOnly({ operator }: Pick<Present, "operator">): boolean {
  return operator.bindType === BindType.RECEIVER;
}

const troubleOfAilment: Readonly<Record<Ailment, Trouble>> = {
  unbound: "down",
  unhealthy: "down",
  failback: "watch",
  degraded: "watch",
  throttled: "watch",
  unknown: "unknown",
};

/** How much of a trouble it is. */
export function troubleOf(present: Untold, now: Date): Trouble {
  if (present.operator.status !== OperatorStatus.ACTIVE) return "unused";
  const ailment = ailmentOf(present, now);
  if (ailment !== undefined) return troubleOfAilment[ailment];
  return receivesOnly(present) ? "receives" : "good";
}

/** Whether messages are sent by it: it is known to be up, and its bind can send. */
export function carries(present: Present): boolean {
  return (present.trouble === "good" || present.trouble === "watch") && !receivesOnly(present);
}

/** The worst first, then by name. */
export function byTrouble(a: Present, b: Present): number {
  return troubles.indexOf(a.trouble) - troubles.indexOf(b.trouble) || a.operator.name.localeCompare(b.operator.name);
}
