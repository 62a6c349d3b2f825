import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import { HealthTransitionSchema } from "@gen/operators/v1/health_pb";
import { describe, expect, it } from "vitest";
import { spansOf } from "../../../../src/pages/health/spans";

const up = { bind: BindState.BOUND, quality: Quality.HEALTHY };
const down = { bind: BindState.UNBOUND, quality: Quality.UNHEALTHY };
const slow = { bind: BindState.BOUND, quality: Quality.DEGRADED };
type State = typeof up;

const at = (minute: number) => new Date(Date.UTC(2026, 10, 22, 1, minute));
const turn = (minute: number, before: State, after: State) =>
  create(HealthTransitionSchema, {
    occurTime: timestampFromDate(at(minute)),
    fromBindState: before.bind, toBindState: after.bind, fromQuality: before.quality, toQuality: after.quality,
  });

const range = { from: at(0), to: at(60) };
const texts = (spans: ReturnType<typeof spansOf>) => spans.map(({ from, to, tone, word }) => `${String(from.getUTCMinutes())}-${String((to.getTime() - at(0).getTime()) / 60_000)} ${tone} ${word}`);

describe("states over time", () => {
  const cases: readonly { name: string; transitions: ReturnType<typeof turn>[]; now?: State & { changed?: Date }; since?: Date; aspect?: "bind" | "quality"; want: string[] }[] = [
    { name: "nothing happened: it has been as it is", transitions: [], now: { ...up, changed: new Date(0) }, want: ["0-60 good Bound, healthy"] },
    { name: "nobody ever said anything", transitions: [], want: ["0-60 idle Unknown"] },
    { name: "first heard of within the range", transitions: [], now: { ...up, changed: at(20) }, want: ["0-20 idle Unknown", "20-60 good Bound, healthy"] },
    {
      name: "down and up again, newest first as the API tells it",
      transitions: [turn(30, down, up), turn(10, up, down)],
      now: { ...up, changed: at(30) },
      want: ["0-10 good Bound, healthy", "10-30 bad Unbound, unhealthy", "30-60 good Bound, healthy"],
    },
    {
      name: "a word by hand after the last transition",
      transitions: [turn(10, down, up)],
      now: { ...down, changed: at(40) },
      want: ["0-10 bad Unbound, unhealthy", "10-40 good Bound, healthy", "40-60 bad Unbound, unhealthy"],
    },
    { name: "the worse of bind and quality gives the tone", transitions: [turn(30, up, slow)], now: slow, want: ["0-30 good Bound, healthy", "30-60 warning Bound, degraded"] },
    { name: "the bind alone does not change with the quality", transitions: [turn(30, up, slow)], now: slow, aspect: "bind", want: ["0-60 good Bound"] },
    { name: "the quality alone", transitions: [turn(30, up, slow)], now: slow, aspect: "quality", want: ["0-30 good Healthy", "30-60 warning Degraded"] },
    {
      name: "what was not read is said",
      transitions: [turn(50, up, down)],
      now: down,
      since: at(45),
      want: ["0-45 idle Not read", "45-50 good Bound, healthy", "50-60 bad Unbound, unhealthy"],
    },
    { name: "a transition of the future, by another clock, is left out", transitions: [turn(70, up, down)], now: { ...up, changed: new Date(0) }, want: ["0-60 good Bound, healthy"] },
  ];
  for (const { name, transitions, now, since, aspect, want } of cases) {
    it(name, () => expect(texts(spansOf(transitions, now, { ...range, ...(since === undefined ? {} : { since }) }, aspect ?? "both"))).toEqual(want));
  }

  it("spans have no gaps", () => {
    const spans = spansOf([turn(40, down, slow), turn(20, up, down), turn(10, slow, up)], slow, range, "both");
    spans.slice(1).forEach((span, index) => expect(span.from).toEqual(spans[index]?.to));
    expect([spans[0]?.from, spans.at(-1)?.to]).toEqual([range.from, range.to]);
  });
});
