import { OperatorStatus } from "@gen/operators/v1/operator_pb";
import { type Ailment, ailmentOf, ailments, carries, type Present, receivesOnly } from "../../live/present";
import type { Alert, Severity } from "./alerts";

interface Words {
  readonly severity: Severity;
  /** "is unbound", "are unbound". */
  readonly verb: readonly [one: string, many: string];
  readonly todo: string;
  /** The filter of the health page. */
  readonly state: string;
}

const words: Readonly<Record<Ailment, Words>> = {
  unbound: {
    severity: "critical",
    verb: ["is unbound", "are unbound"],
    todo: "Messages go to the next candidates. Look at the session and the credentials, or call the operator.",
    state: "down",
  },
  unhealthy: {
    severity: "critical",
    verb: ["is unhealthy", "are unhealthy"],
    todo: "Bound, but too many submits fail, so nothing is sent there. Look at the errors, or call the operator.",
    state: "down",
  },
  failback: {
    severity: "warning",
    verb: ["runs on its backup session", "run on their backup sessions"],
    todo: "Messages are carried, with nothing to fall back to. Look at the primary session.",
    state: "watch",
  },
  degraded: {
    severity: "warning",
    verb: ["is degraded", "are degraded"],
    todo: "More than 5 % of submits fail: healthy candidates come first. Look at the errors.",
    state: "watch",
  },
  throttled: {
    severity: "warning",
    verb: ["slows us down", "slow us down"],
    todo: "We are told that we send too fast. Lower the TPS limit, or give others a share.",
    state: "watch",
  },
  unknown: {
    severity: "warning",
    verb: ["has an unknown health", "have an unknown health"],
    todo: "Nothing was reported for a minute: all others come first. Look at the connector.",
    state: "unknown",
  },
};

/** Of those that nobody has ever heard of. */
const neverReported = "Nothing was ever reported: all others come first. Look at the connector.";

function todoOf(ailment: Ailment, ill: readonly Present[]): string {
  return ailment === "unknown" && ill.every(({ observed }) => observed === undefined) ? neverReported : words[ailment].todo;
}

/** Operators with the same ailment that have a line each; more are told together. */
const each = 3;

export function operatorAlerts(all: readonly Present[], now: Date): Alert[] {
  const alerts = ailments.flatMap((ailment) => {
    const ill = all.filter((one) => ailmentOf(one, now) === ailment);
    if (ill.length > each) return [together(ailment, ill)];
    const headline = ill.length > 1 ? { headline: counting(ailment, ill.length) } : {};
    return ill.map((one): Alert => ({ ...alone(ailment, one), ...headline }));
  });
  const none = noneCarries(all);
  return none === undefined ? alerts : [none, ...alerts];
}

function noneCarries(all: readonly Present[]): Alert | undefined {
  if (all.length === 0 || all.some(carries)) return undefined;
  const meant = all.filter((one) => one.operator.status === OperatorStatus.ACTIVE && !receivesOnly(one));
  if (meant.length === 0) {
    const todo = "Activate one that can send: nothing can be routed until then.";
    return { key: "none active", severity: "critical", text: "No operator is active", todo, href: "/operators", link: "Operators" };
  }
  // Without any report ever there are no connectors yet, and what is unknown is still chosen.
  if (meant.every(({ observed }) => observed === undefined)) return undefined;
  const changes = meant.map((one) => one.changed ?? one.observed).filter((time) => time !== undefined);
  return {
    key: "none carries",
    severity: "critical",
    text: "No operator is known to carry",
    todo: "Messages have no route, or one that nobody has heard of. Look at connectors and at NATS first.",
    href: "/health",
    link: "Health",
    ...since(latest(changes)),
  };
}

/** Nobody is sent there anyway. */
const receiving = "It receives only: receipts and incoming messages may be late. Look at its session, or call the operator.";

function alone(ailment: Ailment, present: Present): Alert {
  const { operator } = present;
  const { severity, verb } = words[ailment];
  const todo = receivesOnly(present) ? receiving : todoOf(ailment, [present]);
  return {
    key: `operator ${operator.operatorId}`,
    severity,
    text: `${operator.name} ${verb[0]}`,
    todo,
    href: `/operators/${operator.operatorId}?tab=health`,
    link: "Its health",
    ...since(sinceOf(ailment, present)),
  };
}

function together(ailment: Ailment, ill: readonly Present[]): Alert {
  const { severity, state } = words[ailment];
  const names = ill.slice(0, each).map(({ operator }) => operator.name);
  const times = ill.map((one) => sinceOf(ailment, one)).filter((time) => time !== undefined);
  return {
    key: ailment,
    severity,
    text: `${counting(ailment, ill.length)}: ${names.join(", ")} and ${String(ill.length - each)} more`,
    headline: counting(ailment, ill.length),
    todo: todoOf(ailment, ill),
    href: `/health?state=${state}`,
    link: "Health",
    ...since(earliest(times)),
  };
}

/** "4 operators are unbound". */
function counting(ailment: Ailment, count: number): string {
  return `${String(count)} operators ${words[ailment].verb[1]}`;
}

/** Of the throttling nobody tells when it began. */
function sinceOf(ailment: Ailment, { changed, observed }: Present): Date | undefined {
  if (ailment === "throttled") return undefined;
  return ailment === "unknown" ? observed : changed;
}

function since(time: Date | undefined): { readonly since?: Date } {
  return time === undefined ? {} : { since: time };
}

function earliest(times: readonly Date[]): Date | undefined {
  return times.length === 0 ? undefined : new Date(Math.min(...times.map(Number)));
}

function latest(times: readonly Date[]): Date | undefined {
  return times.length === 0 ? undefined : new Date(Math.max(...times.map(Number)));
}
