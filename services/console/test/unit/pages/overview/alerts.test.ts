import { create } from "@bufbuild/protobuf";
import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import { ReleaseEngineState } from "@gen/events/v1/release_event_pb";
import { BindType, OperatorStatus } from "@gen/operators/v1/operator_pb";
import { ReleaseEngineSchema } from "@gen/releases/v1/release_pb";
import { describe, expect, it } from "vitest";
import { alertsOf, type Situation } from "../../../../src/pages/overview/alerts";
import { headlineOf } from "../../../../src/pages/overview/headline";
import { ago, now, operator } from "./make";

const fine = { ready: true, dependencies: [] };
const dependency = { name: "nats", required: false, state: "down", latency: 2, since: ago(90), lastError: "connection refused" } as const;
const unbound = (name: string) => operator({ name, bind: BindState.UNBOUND, quality: Quality.UNHEALTHY });
const well = operator({ name: "Well" });
const engine = create(ReleaseEngineSchema, {
  event: { engineId: "e1", host: "edge-1", state: ReleaseEngineState.REFUSED, reason: "ARTIFACT_DIGEST" }, current: false,
});
const traffic = (decisions: number, failed: number, p95?: number) => ({ perSecond: 42, decisions, failed, ...(p95 === undefined ? {} : { p95 }) });

const cases: Record<string, { given: Partial<Situation>; alerts: readonly string[] }> = {
  "nothing is known yet": { given: {}, alerts: [] },
  "all operators carry": { given: { operators: [well], process: fine }, alerts: [] },
  "one is unbound": { given: { operators: [well, unbound("Andes")] }, alerts: ["critical: Andes is unbound"] },
  "one is bound and unhealthy": {
    given: { operators: [well, operator({ name: "Andes", quality: Quality.UNHEALTHY })] }, alerts: ["critical: Andes is unhealthy"],
  },
  "one is degraded": { given: { operators: [well, operator({ name: "Andes", quality: Quality.DEGRADED })] }, alerts: ["warning: Andes is degraded"] },
  "one carries by its backup session": {
    given: { operators: [well, operator({ name: "Andes", bind: BindState.FAILBACK })] }, alerts: ["warning: Andes runs on its backup session"],
  },
  "one throttles": { given: { operators: [well, operator({ name: "Andes", throttled: true })] }, alerts: ["warning: Andes slows us down"] },
  "the last report is 61 s old": {
    given: { operators: [well, operator({ name: "Andes", observed: ago(61) })] }, alerts: ["warning: Andes has an unknown health"],
  },
  "the last report is 60 s old": { given: { operators: [well, operator({ name: "Andes", observed: ago(60) })] }, alerts: [] },
  "an old report said unbound": {
    given: { operators: [well, operator({ name: "Andes", bind: BindState.UNBOUND, observed: ago(3600) })] }, alerts: ["critical: Andes is unbound"],
  },
  "suspended and inactive ones are unbound": {
    given: {
      operators: [
        well,
        operator({ bind: BindState.UNBOUND, status: OperatorStatus.SUSPENDED }),
        operator({ bind: BindState.UNBOUND, status: OperatorStatus.INACTIVE }),
      ],
    },
    alerts: [],
  },
  "four are unbound and one carries": {
    given: { operators: [well, ...["A", "B", "C", "D"].map(unbound)] }, alerts: ["critical: 4 operators are unbound: A, B, C and 1 more"],
  },
  "the only one is unbound": { given: { operators: [unbound("Andes")] }, alerts: ["critical: No operator is known to carry", "critical: Andes is unbound"] },
  "only a receiver is bound": {
    given: { operators: [operator({ bindType: BindType.RECEIVER }), unbound("Andes")] },
    alerts: ["critical: No operator is known to carry", "critical: Andes is unbound"],
  },
  "all are suspended": { given: { operators: [operator({ status: OperatorStatus.SUSPENDED })] }, alerts: ["critical: No operator is active"] },
  "nothing was ever reported": {
    given: { operators: [operator({ name: "Andes", bind: BindState.UNSPECIFIED, quality: Quality.UNSPECIFIED, observed: undefined })] },
    alerts: ["warning: Andes has an unknown health"],
  },
  "there are no operators": { given: { operators: [] }, alerts: [] },
  "an optional dependency is down": {
    given: { process: { ready: true, dependencies: [dependency] } }, alerts: ["warning: nats is down: connection refused"],
  },
  "a required dependency is down": {
    given: { process: { ready: false, dependencies: [{ ...dependency, name: "secrets", required: true }] } },
    alerts: ["critical: secrets is down: connection refused"],
  },
  "it drains": { given: { process: { ready: false, dependencies: [] } }, alerts: ["warning: The server is not ready"] },
  "an error of the past": { given: { process: { ready: true, dependencies: [{ ...dependency, state: "up" }] } }, alerts: [] },
  "the server is silent": {
    given: { process: { ready: true, dependencies: [dependency] }, silent: { since: ago(20) }, lost: { since: ago(20) } },
    alerts: ["critical: The server does not answer"],
  },
  "live updates stopped": { given: { lost: { since: ago(20) } }, alerts: ["warning: Live updates stopped"] },
  "1 of 100 has no route": { given: { traffic: traffic(100, 1) }, alerts: [] },
  "2 of 100 have no route": {
    given: { traffic: traffic(100, 2) }, alerts: ["warning: No route for 2.0 % of decisions in the last 5 minutes"],
  },
  "10 of 100 have no route": {
    given: { traffic: traffic(100, 10) }, alerts: ["warning: No route for 10.0 % of decisions in the last 5 minutes"],
  },
  "11 of 100 have no route": {
    given: { traffic: traffic(100, 11) }, alerts: ["critical: No route for 11.0 % of decisions in the last 5 minutes"],
  },
  "too few decisions for a share": { given: { traffic: traffic(19, 19, 100) }, alerts: [] },
  "p95 of 40 ms": { given: { traffic: traffic(100, 0, 40) }, alerts: [] },
  "p95 of 50 ms": { given: { traffic: traffic(100, 0, 50) }, alerts: ["warning: Deciding takes long: p95 is 50 ms over the last 2 minutes"] },
  "p95 of 100 ms": { given: { traffic: traffic(100, 0, 100) }, alerts: ["critical: Deciding takes long: p95 is 100 ms over the last 2 minutes"] },
  "an engine refuses": {
    given: { engines: [engine] },
    alerts: ["warning: The engine on edge-1 refuses the release: the bytes of the release are not those that the manifest names"],
  },
  "an event waits for 60 s": { given: { outbox: { pending: 1, pendingPublish: 0, oldest: 60_000 } }, alerts: [] },
  "an event waits for longer": { given: { outbox: { pending: 1, pendingPublish: 0, oldest: 60_001 } }, alerts: ["warning: 1 event waits to be published"] },
  "events failed three times": { given: { outbox: { pending: 1, pendingPublish: 2, oldest: 900 } }, alerts: ["warning: 3 events wait to be published"] },
  "the worst comes first": {
    given: { outbox: { pending: 0, pendingPublish: 1 }, lost: { since: ago(9) }, operators: [well, unbound("Andes")] },
    alerts: ["critical: Andes is unbound", "warning: Live updates stopped", "warning: 1 event waits to be published"],
  },
};

describe("what needs attention", () => {
  it("says of what time the figures are, once", () => {
    const todo = (given: Partial<Situation>) => alertsOf({ now, ...given }).map((alert) => [alert.todo, alert.since]);
    const figures = `Figures are from ${ago(20).toLocaleTimeString()}. `;
    expect(todo({ silent: { since: ago(20) }, lost: { since: ago(25) } })).toEqual([[expect.stringMatching(new RegExp(`^${figures}Engines`)), undefined]]);
    expect(todo({ lost: { since: ago(20) } })).toEqual([[expect.stringMatching(new RegExp(`^${figures}They`)), undefined]]);
    expect(todo({ silent: {} })).toEqual([[expect.stringMatching(/^Engines/), undefined]]);
  });

  it.each([
    ["nothing was ever reported of one", [undefined], /^Nothing was ever reported:/],
    ["nothing was reported of one for a while", [ago(61)], /^Nothing was reported for a minute:/],
    ["nothing was ever reported of four", [undefined, undefined, undefined, undefined], /^Nothing was ever reported:/],
    ["something was reported of one of four", [undefined, ago(61), undefined, undefined], /^Nothing was reported for a minute:/],
  ])("%s", (_, observed, todo) => {
    const operators = [well, ...observed.map((time, index) => operator({ name: `Andes ${String(index)}`, observed: time }))];
    expect(alertsOf({ now, operators })[0]?.todo).toMatch(todo);
  });

  it("does not send messages elsewhere because of one that receives only", () => {
    const [alert] = alertsOf({ now, operators: [well, operator({ name: "R", bindType: BindType.RECEIVER, bind: BindState.UNBOUND })] });
    expect(alert).toMatchObject({ text: "R is unbound", todo: expect.stringMatching(/^It receives only/) as string });
  });

  it.each(Object.entries(cases))("%s", (_, { given, alerts }) => {
    expect(alertsOf({ now, ...given }).map(({ severity, text }) => `${severity}: ${text}`)).toEqual(alerts);
  });

  it("keys tell alerts apart", () => {
    const keys = alertsOf({
      now, engines: [engine], operators: [unbound("A"), unbound("B")], lost: { since: now }, traffic: traffic(100, 50, 100),
      process: { ready: false, dependencies: [dependency, { ...dependency, name: "redis" }] },
    }).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("says since when, as far as that is known", () => {
    const since = (given: Partial<Situation>) => alertsOf({ now, ...given })[0]?.since;
    expect(since({ operators: [well, unbound("Andes")] })).toEqual(ago(600));
    expect(since({ operators: [well, operator({ observed: ago(120) })] })).toEqual(ago(120));
    expect(since({ operators: [well, operator({ throttled: true })] })).toBeUndefined();
    expect(since({ outbox: { pending: 1, pendingPublish: 0, oldest: 90_000 } })).toEqual(ago(90));
    expect(since({ process: { ready: true, dependencies: [dependency] } })).toEqual(ago(90));
  });
});

const headlines: Record<string, { given: Partial<Situation>; says: string | undefined }> = {
  "nothing is known yet": { given: {}, says: undefined },
  "the process has not told how it is": { given: { operators: [well] }, says: undefined },
  "two carry": { given: { operators: [well, operator({ name: "B" })], process: fine }, says: "good: All good: 2 operators carry" },
  "a suspended one and a receiver do not carry": {
    given: { operators: [well, operator({ status: OperatorStatus.SUSPENDED }), operator({ bindType: BindType.RECEIVER })], process: fine },
    says: "good: All good: 1 operator carries",
  },
  "there are none": { given: { operators: [], process: fine }, says: "idle: Nothing to route yet: there are no operators" },
  "one is unbound": { given: { operators: [well, unbound("Andes")], process: fine }, says: "bad: Andes is unbound" },
  "two are unbound": { given: { operators: [well, unbound("A"), unbound("B")], process: fine }, says: "bad: 2 operators are unbound" },
  "two are unbound and events wait": {
    given: { operators: [well, unbound("A"), unbound("B")], process: fine, outbox: { pending: 0, pendingPublish: 1 } },
    says: "bad: 2 operators are unbound, and 1 more thing needs attention",
  },
  "only a receiver slows us down": {
    given: { operators: [well, operator({ bindType: BindType.RECEIVER, throttled: true })], process: fine }, says: "warning: Nordlink slows us down",
  },
  "something is odd": { given: { lost: { since: ago(9) } }, says: "warning: Live updates stopped" },
};

describe("the headline", () => {
  it.each(Object.entries(headlines))("%s", (_, { given, says }) => {
    const situation = { now, ...given };
    const headline = headlineOf(situation, alertsOf(situation));
    expect(headline && `${headline.tone}: ${headline.text}`).toBe(says);
  });

  it("is about the one thing that it names, and about none where several are alike", () => {
    const about = (given: Partial<Situation>) => {
      const situation = { now, ...given };
      return headlineOf(situation, alertsOf(situation))?.alert?.text;
    };
    expect(about({ operators: [well, unbound("Andes")], lost: { since: ago(9) } })).toBe("Andes is unbound");
    expect(about({ operators: [well, ...["A", "B", "C", "D"].map(unbound)] })).toBeUndefined();
    expect(about({ operators: [well, unbound("A"), unbound("B")] })).toBeUndefined();
    expect(about({ operators: [well], process: fine })).toBeUndefined();
  });

  it("has the rate aside", () => {
    const situation = { now, operators: [well], process: fine, traffic: traffic(100, 0) };
    expect(headlineOf(situation, [])?.aside).toBe("42 decisions/s");
  });
});
