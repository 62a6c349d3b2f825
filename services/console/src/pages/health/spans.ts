import { timestampDate } from "@bufbuild/protobuf/wkt";
import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import type { HealthTransition } from "@gen/operators/v1/health_pb";
import { bindTone, bindWord, qualityTone, qualityWord, type Tone } from "../../parts/status";
import type { Span } from "../../parts/timeline";
import type { State } from "../../live/present";

/** What a band is about. */
export type Aspect = "both" | "bind" | "quality";

interface Known extends State {
  /** Since when; undefined is longer than anybody remembers. */
  readonly changed?: Date;
}

interface Range {
  readonly from: Date;
  readonly to: Date;
  /** Transitions before this moment were not read; undefined when all of them were. */
  readonly since?: Date;
}

/**
 * The states of one operator over a range, oldest first and without gaps: what its transitions tell, newest first as the API gives them,
 * and at the end how it is now. A word by hand is no transition, so the present may differ from what the last one says.
 */
export function spansOf(transitions: readonly HealthTransition[], now: Known | undefined, { from, to, since }: Range, aspect: Aspect): Span[] {
  const steps = [...transitions]
    .reverse()
    .map((one) => ({
      at: one.occurTime === undefined ? from : timestampDate(one.occurTime),
      before: { bind: one.fromBindState, quality: one.fromQuality },
      after: { bind: one.toBindState, quality: one.toQuality },
    }))
    .filter(({ at }) => at < to);
  const start = since !== undefined && since > from ? since : from;
  const [first] = steps;
  const spans: Span[] = [];
  const add = (begin: Date, end: Date, state: State): void => {
    if (end <= begin) return;
    const [tone, word] = look(state, aspect);
    const last = spans.at(-1);
    if (last?.word === word) spans[spans.length - 1] = { ...last, to: end };
    else spans.push({ from: begin, to: end, tone, word });
  };
  if (start > from) spans.push({ from, to: start, tone: "idle", word: "Not read" });

  const quiet: State = now ?? { bind: BindState.UNSPECIFIED, quality: Quality.UNSPECIFIED };
  // Nothing happened: it has been as it is, unless a word by hand came since.
  if (first === undefined) {
    const since = now?.changed;
    const earlier: State = { bind: BindState.UNSPECIFIED, quality: Quality.UNSPECIFIED };
    if (since !== undefined && since > start) add(start, since < to ? since : to, earlier);
    add(since !== undefined && since > start ? since : start, to, quiet);
    return spans;
  }
  add(start, first.at, first.before);
  steps.forEach(({ at, after }, index) => {
    const end = steps[index + 1]?.at ?? to;
    const begin = at < start ? start : at;
    const isLast = index === steps.length - 1;
    if (isLast && now !== undefined && !same(now, after)) {
      const turn = now.changed !== undefined && now.changed > begin && now.changed < end ? now.changed : end;
      add(begin, turn, after);
      add(turn, end, now);
      return;
    }
    add(begin, end, after);
  });
  return spans;
}

function same(a: State, b: State): boolean {
  return a.bind === b.bind && a.quality === b.quality;
}

const order: readonly Tone[] = ["good", "info", "idle", "warning", "bad"];

function look({ bind, quality }: State, aspect: Aspect): readonly [Tone, string] {
  if (aspect === "bind") return [bindTone(bind), bindWord(bind)];
  if (aspect === "quality") return [qualityTone(quality), qualityWord(quality)];
  if (bind === BindState.UNSPECIFIED && quality === Quality.UNSPECIFIED) return ["idle", "Unknown"];
  const tones = [bindTone(bind), qualityTone(quality)];
  const tone = order.findLast((one) => tones.includes(one)) ?? "idle";
  return [tone, `${bindWord(bind)}, ${qualityWord(quality).toLowerCase()}`];
}
