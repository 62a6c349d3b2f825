import { ReleaseEngineState } from "@gen/events/v1/release_event_pb";
import type { ReleaseEngine } from "@gen/releases/v1/release_pb";
import { shortId } from "./shortid";

/** What an engine does with what the manifest asks for. */
export type EngineWord = "refused" | "behind" | "prepared" | "serving";

export function engineWord({ event, current }: ReleaseEngine): EngineWord {
  if (event?.state === ReleaseEngineState.REFUSED) return "refused";
  if (event?.state === ReleaseEngineState.PREPARED) return "prepared";
  return current ? "serving" : "behind";
}

const order: Readonly<Record<EngineWord, number>> = { refused: 0, behind: 1, prepared: 2, serving: 3 };

/** What needs somebody first, then by host. */
export function enginesInOrder(engines: readonly ReleaseEngine[]): readonly ReleaseEngine[] {
  return [...engines].sort(
    (a, b) => order[engineWord(a)] - order[engineWord(b)] || hostOf(a).localeCompare(hostOf(b)) || idOf(a).localeCompare(idOf(b)),
  );
}

const hostOf = ({ event }: ReleaseEngine): string => event?.host ?? "";
const idOf = ({ event }: ReleaseEngine): string => event?.engineId ?? "";

/** Where an engine runs, with the end of its id where several run on one host. */
export function engineName(engines: readonly ReleaseEngine[], one: ReleaseEngine): string {
  const host = hostOf(one) === "" ? "an unnamed host" : hostOf(one);
  const alone = engines.every((other) => other === one || hostOf(other) !== hostOf(one));
  return alone ? host : `${host} (${shortId(idOf(one))})`;
}
