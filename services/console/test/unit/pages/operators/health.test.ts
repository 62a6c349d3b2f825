import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { createConnectQueryKey } from "@connectrpc/connect-query";
import { BindState, OperatorHealthEventSchema, Quality } from "@gen/events/v1/operator_health_event_pb";
import { HealthTransitionSchema, OperatorHealthSchema } from "@gen/operators/v1/health_pb";
import { ListOperatorsResponseSchema } from "@gen/operators/v1/operator_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it } from "vitest";
import { patchHealth, told } from "../../../../src/pages/operators/livehealth";
import { bandsOf } from "../../../../src/pages/operators/spans";

const { BOUND, UNBOUND, UNSPECIFIED } = BindState;
const at = (time: string) => timestampFromDate(new Date(`2026-01-01T${time}Z`));
const health = (bindState: BindState, quality: Quality, version = 5n) =>
  create(OperatorHealthSchema, { operatorId: "a", bindState, quality, version, changeTime: at("10:00:00"), observeTime: at("10:00:00") });
const event = (change: object) => create(OperatorHealthEventSchema, { operatorId: "a", occurredAt: at("11:00:00"), ...change });

describe("the health after an event", () => {
  it.each([
    ["a lost bind makes it unhealthy", health(BOUND, Quality.HEALTHY), { status: UNBOUND, version: 6n }, UNBOUND, Quality.UNHEALTHY],
    ["a bind after a lost one makes it healthy", health(UNBOUND, Quality.UNHEALTHY), { status: BOUND, version: 6n }, BOUND, Quality.HEALTHY],
    ["a repeated bind does not hide a bad quality", health(BOUND, Quality.DEGRADED), { status: BOUND, version: 6n }, BOUND, Quality.DEGRADED],
    ["a quality alone leaves the bind", health(BOUND, Quality.HEALTHY), { quality: Quality.DEGRADED, version: 6n }, BOUND, Quality.DEGRADED],
    ["an older version says nothing", health(BOUND, Quality.HEALTHY), { status: UNBOUND, version: 4n }, BOUND, Quality.HEALTHY],
    ["a word by hand counts without a version", health(BOUND, Quality.HEALTHY), { status: UNBOUND }, UNBOUND, Quality.UNHEALTHY],
  ] as const)("%s", (_, before, change, bind, quality) => {
    const after = told(before, event(change));
    expect([after.bindState, after.quality]).toEqual([bind, quality]);
  });

  it("keeps when it changed while it only repeats itself", () => {
    const before = health(BOUND, Quality.HEALTHY);
    const after = told(before, event({ status: BOUND, quality: Quality.HEALTHY, version: 5n }));
    expect(after.changeTime).toEqual(before.changeTime);
    expect(after.observeTime).toEqual(at("11:00:00"));
  });
});

describe("events and what was read", () => {
  it("are joined in every list at once, and other rows stay the same objects", () => {
    const queries = new QueryClient();
    const key = [...createConnectQueryKey({ schema: OperatorService.method.listOperators, input: { search: "x" }, cardinality: "infinite" }), 200];
    const other = create(OperatorHealthSchema, { operatorId: "b", bindState: BOUND });
    const page = create(ListOperatorsResponseSchema, { health: [health(BOUND, Quality.HEALTHY), other] });
    const second = create(ListOperatorsResponseSchema, {});
    queries.setQueryData(key, { pages: [page, second], pageParams: ["", "t"] });
    patchHealth(queries, new Map([["a", event({ status: UNBOUND, version: 6n })]]));
    const data = queries.getQueryData<{ pages: (typeof page)[] }>(key);
    expect(data?.pages[0]?.health[0]?.bindState).toBe(UNBOUND);
    expect(data?.pages[0]?.health[1]).toBe(other);
    expect(data?.pages[1]).toBe(second);
  });
});

describe("the timeline", () => {
  const from = new Date("2026-01-01T08:00:00Z");
  const to = new Date("2026-01-01T12:00:00Z");
  const lost = create(HealthTransitionSchema, {
    occurTime: at("09:00:00"), fromBindState: BOUND, toBindState: UNBOUND, fromQuality: Quality.HEALTHY, toQuality: Quality.UNHEALTHY,
  });
  const back = create(HealthTransitionSchema, {
    occurTime: at("10:00:00"), fromBindState: UNBOUND, toBindState: BOUND, fromQuality: Quality.UNHEALTHY, toQuality: Quality.HEALTHY,
  });
  const bind = (...args: Parameters<typeof bandsOf>) =>
    bandsOf(...args)[0]?.spans.map(({ word, from: begin, to: end }) => `${begin.toISOString().slice(11, 16)} ${end.toISOString().slice(11, 16)} ${word}`);

  it("begins with the state before the first change and ends with the present one", () => {
    expect(bind([back, lost], health(BOUND, Quality.HEALTHY), from, to, true)).toEqual(["08:00 09:00 Bound", "09:00 10:00 Unbound", "10:00 12:00 Bound"]);
  });
  it("without a change shows the present state all the time", () => {
    expect(bind([], health(BOUND, Quality.HEALTHY), from, to, true)).toEqual(["08:00 12:00 Bound"]);
  });
  it("draws nothing before the oldest change that is known when there are more", () => {
    expect(bind([back], health(BOUND, Quality.HEALTHY), from, to, false)).toEqual(["10:00 12:00 Bound"]);
  });
  it("ends a good word a minute after it was last heard", () => {
    expect(bind([back], health(UNSPECIFIED, Quality.UNSPECIFIED), from, to, true)).toEqual(["08:00 10:00 Unbound", "10:00 10:01 Bound", "10:01 12:00 Unknown"]);
  });
  it("draws one span where only the quality changed", () => {
    const worse = create(HealthTransitionSchema, {
      occurTime: at("11:00:00"), fromBindState: BOUND, toBindState: BOUND, fromQuality: Quality.HEALTHY, toQuality: Quality.DEGRADED,
    });
    expect(bind([worse, back], health(BOUND, Quality.DEGRADED), from, to, true)).toEqual(["08:00 10:00 Unbound", "10:00 12:00 Bound"]);
  });
});
