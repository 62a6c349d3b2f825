import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { BindState, OperatorHealthEventSchema, Quality } from "@gen/events/v1/operator_health_event_pb";
import { OperatorHealthSchema } from "@gen/operators/v1/health_pb";
import { BindType, OperatorSchema, OperatorStatus } from "@gen/operators/v1/operator_pb";
import { describe, expect, it } from "vitest";
import { EventLog, longest } from "../../../../src/pages/health/log";
import { byTrouble, carries, presentOf } from "../../../../src/live/present";

const { ACTIVE, SUSPENDED } = OperatorStatus;
const operator = create(OperatorSchema, { operatorId: "a", name: "Nordlink", status: ACTIVE });
const bound = create(OperatorHealthSchema, {
  operatorId: "a", bindState: BindState.BOUND, quality: Quality.HEALTHY, version: 3n, observeTime: timestampFromMs(1_000), changeTime: timestampFromMs(1_000),
});
const event = (status: BindState, quality = Quality.UNSPECIFIED, version = 0n, operatorId = "a") =>
  create(OperatorHealthEventSchema, { operatorId, status, quality, version, occurredAt: timestampFromMs(9_000) });

// The report is as old as 60 s, which still counts.
const now = new Date(61_000);

describe("how much trouble an operator is", () => {
  const { TRANSCEIVER, RECEIVER } = BindType;
  for (const [name, status, bindType, bind, quality, throttled, want] of [
    ["bound and healthy", ACTIVE, TRANSCEIVER, BindState.BOUND, Quality.HEALTHY, false, "good"],
    ["unbound", ACTIVE, TRANSCEIVER, BindState.UNBOUND, Quality.UNHEALTHY, false, "down"],
    ["unhealthy although bound", ACTIVE, TRANSCEIVER, BindState.BOUND, Quality.UNHEALTHY, false, "down"],
    ["on its backup", ACTIVE, TRANSCEIVER, BindState.FAILBACK, Quality.HEALTHY, false, "watch"],
    ["degraded", ACTIVE, TRANSCEIVER, BindState.BOUND, Quality.DEGRADED, false, "watch"],
    ["throttled", ACTIVE, TRANSCEIVER, BindState.BOUND, Quality.HEALTHY, true, "watch"],
    ["never heard of", ACTIVE, TRANSCEIVER, BindState.UNSPECIFIED, Quality.UNSPECIFIED, false, "unknown"],
    ["suspended, however it is", SUSPENDED, TRANSCEIVER, BindState.UNBOUND, Quality.UNHEALTHY, false, "unused"],
    ["bound to receive, so that nothing is sent there", ACTIVE, RECEIVER, BindState.BOUND, Quality.HEALTHY, false, "receives"],
    ["meant to receive, and unbound", ACTIVE, RECEIVER, BindState.UNBOUND, Quality.UNHEALTHY, false, "down"],
    ["meant to receive, and never heard of", ACTIVE, RECEIVER, BindState.UNSPECIFIED, Quality.UNSPECIFIED, false, "unknown"],
  ] as const) {
    it(name, () => {
      const present = presentOf(
        create(OperatorSchema, { status, bindType }),
        create(OperatorHealthSchema, { bindState: bind, quality, throttled, observeTime: timestampFromMs(1_000) }),
        5_000, undefined, now,
      );
      expect(present.trouble).toBe(want);
      expect(carries(present)).toBe(want === "good" || want === "watch");
    });
  }

  it("a good word of more than a minute ago says nothing, a bad one still does", () => {
    const later = new Date(61_001);
    expect(presentOf(operator, bound, 5_000, undefined, later).trouble).toBe("unknown");
    const unbound = create(OperatorHealthSchema, { ...bound, bindState: BindState.UNBOUND });
    expect(presentOf(operator, unbound, 5_000, undefined, later).trouble).toBe("down");
  });

  it("one that receives on its backup session carries nothing either", () => {
    const receiver = create(OperatorSchema, { status: ACTIVE, bindType: BindType.RECEIVER });
    const present = presentOf(receiver, create(OperatorHealthSchema, { ...bound, bindState: BindState.FAILBACK }), 5_000, undefined, now);
    expect([present.trouble, carries(present)]).toEqual(["watch", false]);
  });
});

describe("the list and what was heard since", () => {
  it("the list, when nothing was heard", () => {
    expect(presentOf(operator, bound, 5_000, undefined, now)).toMatchObject({ bind: BindState.BOUND, quality: Quality.HEALTHY, trouble: "good", byHand: false });
  });

  it("an event that came after the list was read counts at once", () => {
    expect(presentOf(operator, bound, 5_000, { event: event(BindState.UNBOUND, Quality.UNHEALTHY, 4n), at: 6_000 }, now)).toMatchObject({
      bind: BindState.UNBOUND, quality: Quality.UNHEALTHY, trouble: "down", byHand: false, version: 4n, observed: new Date(9_000), changed: new Date(9_000),
    });
  });

  it("a word without a version that changes something is by hand", () => {
    expect(presentOf(operator, bound, 5_000, { event: event(BindState.UNBOUND), at: 6_000 }, now)).toMatchObject({ quality: Quality.UNHEALTHY, byHand: true, version: 3n });
  });

  it("a heartbeat moves the report and not the change", () => {
    expect(presentOf(operator, bound, 5_000, { event: event(BindState.BOUND, Quality.HEALTHY, 3n), at: 6_000 }, now)).toMatchObject({
      observed: new Date(9_000), changed: new Date(1_000), byHand: false,
    });
  });

  it("a list that was read later knows better", () => {
    expect(presentOf(operator, bound, 9_000, { event: event(BindState.UNBOUND), at: 6_000 }, now).bind).toBe(BindState.BOUND);
  });

  it("a list that was read a moment after the event may not know of it yet", () => {
    expect(presentOf(operator, bound, 6_300, { event: event(BindState.UNBOUND), at: 6_000 }, now).bind).toBe(BindState.UNBOUND);
  });

  it("a word about the quality leaves the bind", () => {
    expect(presentOf(operator, bound, 5_000, { event: event(BindState.UNSPECIFIED, Quality.DEGRADED), at: 6_000 }, now)).toMatchObject({
      bind: BindState.BOUND, quality: Quality.DEGRADED, trouble: "watch",
    });
  });
});

it("those in trouble come first, then by name", () => {
  const named = (name: string, bind: BindState) =>
    presentOf(create(OperatorSchema, { operatorId: name, name, status: ACTIVE }), create(OperatorHealthSchema, { ...bound, bindState: bind }), 0, undefined, now);
  const list = [named("b", BindState.BOUND), named("d", BindState.UNBOUND), named("a", BindState.BOUND), named("c", BindState.FAILBACK)];
  expect(list.sort(byTrouble).map(({ operator: one }) => one.name)).toEqual(["d", "c", "a", "b"]);
});

describe("the log of events", () => {
  it("tells changes from heartbeats", () => {
    const log = new EventLog();
    log.know("a", { bind: BindState.BOUND, quality: Quality.HEALTHY });
    log.hear(event(BindState.BOUND, Quality.HEALTHY, 3n));
    log.hear(event(BindState.UNBOUND));
    log.hear(event(BindState.UNBOUND));
    expect(log.entries(true)).toHaveLength(3);
    expect(log.entries(false).map(({ bind, before }) => [before?.bind, bind])).toEqual([[BindState.BOUND, BindState.UNBOUND]]);
  });

  it("what is first heard of an operator that nobody knew is no change", () => {
    const log = new EventLog();
    log.hear(event(BindState.UNBOUND));
    expect(log.entries(false)).toEqual([]);
  });

  it("what is known later does not rewrite what was heard", () => {
    const log = new EventLog();
    log.hear(event(BindState.UNBOUND));
    log.know("a", { bind: BindState.BOUND, quality: Quality.HEALTHY });
    log.hear(event(BindState.UNBOUND));
    expect(log.entries(false)).toEqual([]);
  });

  it("is bounded, newest first, and heartbeats push no change out", () => {
    const log = new EventLog();
    log.know("a", { bind: BindState.BOUND, quality: Quality.HEALTHY });
    log.hear(event(BindState.UNBOUND));
    for (let count = 0; count < longest + 50; count++) log.hear(event(BindState.UNBOUND));
    expect(log.entries(true)).toHaveLength(longest);
    expect(log.entries(true)[0]?.key).toBe(longest + 50);
    expect(log.entries(false)).toHaveLength(1);
  });
});
