import { create } from "@bufbuild/protobuf";
import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import { CandidateTraceSchema, Rejection } from "@gen/routing/v1/routing_pb";
import { RoutingStrategy } from "@gen/routing/v1/types_pb";
import { expect, it } from "vitest";
import { behind } from "../../../../src/pages/explore/behind";

const fine = { bindState: BindState.BOUND, quality: Quality.HEALTHY };
const degraded = { bindState: BindState.BOUND, quality: Quality.DEGRADED };
const failback = { bindState: BindState.FAILBACK, quality: Quality.HEALTHY };
const silent = { bindState: BindState.UNSPECIFIED, quality: Quality.UNSPECIFIED };
const { COST, PRIORITY, FAILOVER, WEIGHTED } = RoutingStrategy;

it.each([
  { name: "cheaper, but nobody has heard of it", strategy: COST, first: fine, one: silent, want: "Behind, because its health is not known." },
  { name: "cheaper, but degraded", strategy: COST, first: fine, one: degraded, want: "Behind, because it is degraded." },
  { name: "cheaper, but on its backup", strategy: PRIORITY, first: fine, one: failback, want: "Behind, because only a backup session is up." },
  { name: "as healthy and dearer", strategy: COST, first: fine, one: fine, want: "Behind by price, then priority." },
  { name: "as unknown and dearer", strategy: COST, first: silent, one: silent, want: "Behind by price, then priority." },
  { name: "degraded, which failover does not mind", strategy: FAILOVER, first: fine, one: degraded, want: "Behind by priority." },
  { name: "degraded, which the draw does not mind", strategy: WEIGHTED, first: fine, one: degraded, want: "Behind by the draw." },
])("$name", ({ strategy, first, one, want }) => {
  const second = create(CandidateTraceSchema, { ...one, rank: 2 });
  const candidates = [second, create(CandidateTraceSchema, { ...first, rank: 1 })];
  expect(behind({ strategy, candidates }, second)).toBe(want);
  expect(behind({ strategy, candidates }, create(CandidateTraceSchema, { ...first, rank: 1 })), "the first").toBe("");
});

it("says nothing of who is not used at all", () => {
  const one = create(CandidateTraceSchema, { ...silent, rejection: Rejection.NO_RATE });
  expect(behind({ strategy: COST, candidates: [create(CandidateTraceSchema, { ...fine, rank: 1 }), one] }, one)).toBe("");
});
