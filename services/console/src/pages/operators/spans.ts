import { timestampDate } from "@bufbuild/protobuf/wkt";
import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import type { HealthTransition, OperatorHealth } from "@gen/operators/v1/health_pb";
import { bindTone, bindWord, qualityTone, qualityWord, type Tone } from "../../parts/status";

export interface Span {
  readonly from: Date;
  readonly to: Date;
  readonly tone: Tone;
  readonly word: string;
}

/** A state that began at a moment. */
interface Step<S> {
  readonly at: Date;
  readonly state: S;
}

/** A good word that nobody repeats counts for this long, in milliseconds. */
const lifetime = 60_000;

/**
 * States from transitions, newest first as the server gives them, between two moments, and as it is now. Before the first transition it is
 * what that came from; without any it was all the time as it is now. complete: no older transition is missing.
 */
export function spansOf<S>(
  transitions: readonly HealthTransition[],
  from: Date,
  to: Date,
  present: Step<S> | undefined,
  read: { readonly before: (t: HealthTransition) => S; readonly after: (t: HealthTransition) => S; readonly draw: (state: S) => { tone: Tone; word: string } },
  complete = true,
): readonly Span[] {
  const steps: Step<S>[] = [];
  for (const one of [...transitions].reverse()) {
    if (one.occurTime === undefined) continue;
    const at = timestampDate(one.occurTime);
    if (steps.length === 0 && complete) steps.push({ at: from, state: read.before(one) });
    steps.push({ at, state: read.after(one) });
  }
  const last = steps.at(-1);
  if (present !== undefined && last?.state !== present.state) {
    const after = last === undefined ? from : new Date(Math.max(last.at.getTime(), present.at.getTime()));
    steps.push({ at: after, state: present.state });
  }
  const spans: Span[] = [];
  for (const [index, step] of steps.entries()) {
    const begin = clamp(step.at, from, to);
    const end = clamp(steps[index + 1]?.at ?? to, from, to);
    const drawn = read.draw(step.state);
    const former = spans.at(-1);
    // Bind and quality share their transitions: what stays the same is one span.
    if (former?.word === drawn.word && former.to.getTime() === begin.getTime()) spans[spans.length - 1] = { ...former, to: end };
    else if (end > begin) spans.push({ from: begin, to: end, ...drawn });
  }
  return spans;
}

function clamp(time: Date, from: Date, to: Date): Date {
  return new Date(Math.min(Math.max(time.getTime(), from.getTime()), to.getTime()));
}

/** Since when it is as it is now: the last change, or when the last good word was too old. */
function presentSince(health: OperatorHealth, unknown: boolean): Date {
  if (unknown && health.observeTime !== undefined) return new Date(timestampDate(health.observeTime).getTime() + lifetime);
  return health.changeTime === undefined ? new Date(0) : timestampDate(health.changeTime);
}

/** The bands of a timeline: bind state and quality. */
export function bandsOf(transitions: readonly HealthTransition[], health: OperatorHealth | undefined, from: Date, to: Date, complete: boolean) {
  const bind = health && { at: presentSince(health, health.bindState === BindState.UNSPECIFIED), state: health.bindState };
  const quality = health && { at: presentSince(health, health.quality === Quality.UNSPECIFIED), state: health.quality };
  return [
    {
      label: "Bind",
      spans: spansOf(transitions, from, to, bind, {
        before: (t) => t.fromBindState,
        after: (t) => t.toBindState,
        draw: (state) => ({ tone: bindTone(state), word: bindWord(state) }),
      }, complete),
    },
    {
      label: "Quality",
      spans: spansOf(transitions, from, to, quality, {
        before: (t) => t.fromQuality,
        after: (t) => t.toQuality,
        draw: (state) => ({ tone: qualityTone(state), word: qualityWord(state) }),
      }, complete),
    },
  ];
}
