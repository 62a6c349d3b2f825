import { type ReleaseEvent, ReleaseEngineState } from "@gen/events/v1/release_event_pb";
import type { GetReleaseResponse, ReleaseActivation, ReleaseEngine } from "@gen/releases/v1/release_pb";

/** What engines made of an activation. */
export interface Reception {
  readonly heard: number;
  /** Those that serve it, or have it ready while it is scheduled. */
  readonly done: readonly ReleaseEngine[];
  readonly refused: readonly ReleaseEngine[];
  /** Those that have not taken it yet. */
  readonly behind: readonly ReleaseEngine[];
  /** An engine refuses a manifest, which may be the one before: it has a moment to take this one. */
  readonly manifest: boolean;
  /** Whether NATS has it. */
  readonly announced: boolean;
  /** Another publish or rollback came before its time. */
  readonly calledOff: boolean;
}

/**
 * Looks at the words of engines about an activation of the release in the answer. One that serves what came in force later is done
 * with this one; a higher number alone does not tell, because after a restore numbers come again.
 */
export function received(answer: GetReleaseResponse, activation: bigint, scheduled: boolean): Reception {
  const this_: ReleaseActivation | undefined = answer.activations.find((one) => one.activation === activation);
  const id = answer.release?.releaseId ?? "";
  const done: ReleaseEngine[] = [];
  const refused: ReleaseEngine[] = [];
  const behind: ReleaseEngine[] = [];
  let manifest = false;
  for (const engine of answer.engines) {
    const { event } = engine;
    if (event === undefined) continue;
    const about = event.activation === activation && event.releaseId === id;
    if (takesIt(engine, event, id, activation, scheduled && about)) done.push(engine);
    else if (event.state === ReleaseEngineState.REFUSED && isFinal(event.reason) && (about || event.activation === 0n)) {
      manifest ||= !about;
      refused.push(engine);
    } else behind.push(engine);
  }
  const heard = done.length + refused.length + behind.length;
  return { heard, done, refused, behind, manifest, announced: this_?.announced ?? false, calledOff: this_?.cancelled ?? false };
}

function takesIt(engine: ReleaseEngine, event: ReleaseEvent, id: string, activation: bigint, waits: boolean): boolean {
  if (event.servingActivation === activation && event.servingReleaseId === id) return true;
  if (event.servingActivation > activation && engine.current) return true;
  return waits && event.state === ReleaseEngineState.PREPARED;
}

/** How long to wait for any engine, in milliseconds: one that had nothing to serve before has never spoken. */
export const firstEngine = 2_000;

/** How long engines usually need at most, in milliseconds. */
export const engineWait = 30_000;

/** Whether nothing more is to come, waited milliseconds after the publish. */
export function settled(reception: Reception, waited: number): boolean {
  if (reception.calledOff) return true;
  return reception.heard > 0 && reception.behind.length === 0 && (!reception.manifest || waited >= firstEngine);
}

/** Tells a refusal that stays from one that the engine tries again, such as an artifact that is not there yet. */
export function isFinal(reason: string): boolean {
  return reason !== "ARTIFACT_MISSING" && (reason.startsWith("ARTIFACT_") || reason.startsWith("MANIFEST_"));
}
