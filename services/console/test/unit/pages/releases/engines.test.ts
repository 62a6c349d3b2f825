import { create } from "@bufbuild/protobuf";
import { ReleaseEngineState, ReleaseEventSchema } from "@gen/events/v1/release_event_pb";
import { GetReleaseResponseSchema, type ReleaseEngine, ReleaseEngineSchema } from "@gen/releases/v1/release_pb";
import { describe, expect, test } from "vitest";
import { firstEngine, isFinal, received, settled } from "../../../../src/pages/releases/engines";
import { engineName, enginesInOrder, engineWord } from "../../../../src/parts/engines";
import { verdict } from "../../../../src/pages/releases/uptake";

const ours = "01a20104-2004-739a-9be5-eb8b31525789";
const other = "01a20104-1f0c-73d5-88e9-905703f84bc2";

interface Word {
  readonly state?: ReleaseEngineState;
  readonly about?: string;
  readonly activation?: bigint;
  readonly reason?: string;
  readonly serves?: string;
  readonly serving?: bigint;
  readonly current?: boolean;
  readonly host?: string;
  readonly id?: string;
}

function engine({
  state = ReleaseEngineState.SERVING, about = ours, activation = 7n, reason = "", serves = ours, serving = 7n, current = true, host = "a", id = "11111111-x",
}: Word = {}): ReleaseEngine {
  const event = create(ReleaseEventSchema, {
    engineId: id, host, state, releaseId: about, activation, reason, servingReleaseId: serves, servingActivation: serving,
  });
  return create(ReleaseEngineSchema, { event, current });
}

function answer(engines: ReleaseEngine[], activation: { announced?: boolean; cancelled?: boolean } = { announced: true }) {
  return create(GetReleaseResponseSchema, { release: { releaseId: ours }, activations: [{ activation: 7n, releaseId: ours, ...activation }], engines });
}

const behind = { serves: other, serving: 6n, current: false, about: other, activation: 6n };
const refused = { ...behind, about: ours, activation: 7n, state: ReleaseEngineState.REFUSED };

describe("what engines made of an activation", () => {
  test.each([
    ["an engine that serves it is done", {}, false, "done"],
    ["an engine that serves what came later is done", { serves: other, serving: 8n, about: other, activation: 8n }, false, "done"],
    ["a higher number alone does not tell", { serves: other, serving: 8n, current: false, about: other, activation: 8n }, false, "behind"],
    ["an engine that serves the former one is behind", behind, false, "behind"],
    ["an engine that has a scheduled one ready is done", { ...behind, about: ours, activation: 7n, state: ReleaseEngineState.PREPARED }, true, "done"],
    ["one that has it ready is not done when it should serve it", { ...behind, about: ours, activation: 7n, state: ReleaseEngineState.PREPARED }, false, "behind"],
    ["one that refuses the artifact has refused", { ...refused, reason: "ARTIFACT_DIGEST" }, false, "refused"],
    ["one that waits for the artifact is behind", { ...refused, reason: "ARTIFACT_MISSING" }, false, "behind"],
    ["one that refuses a manifest has refused", { ...refused, about: "", activation: 0n, reason: "MANIFEST_OLD" }, false, "refused"],
    ["one that refused another release is behind", { ...refused, about: other, activation: 6n, reason: "ARTIFACT_CUT" }, false, "behind"],
  ] as const)("%s", (_, word, scheduled, where) => {
    const reception = received(answer([engine(word)]), 7n, scheduled);
    expect({ done: reception.done.length, refused: reception.refused.length, behind: reception.behind.length }).toEqual({ done: 0, refused: 0, behind: 0, [where]: 1 });
  });

  test("nothing is settled while no engine was heard or one is behind", () => {
    expect(settled(received(answer([]), 7n, false), 60_000)).toBe(false);
    expect(settled(received(answer([engine(), engine(behind)]), 7n, false), 60_000)).toBe(false);
  });

  test("an engine that refused the manifest before this one has a moment", () => {
    const reception = received(answer([engine({ ...refused, about: "", activation: 0n, reason: "MANIFEST_SIGNATURE" })]), 7n, false);
    expect(settled(reception, firstEngine - 1)).toBe(false);
    expect(settled(reception, firstEngine)).toBe(true);
  });

  test("what is called off is settled", () => {
    const reception = received(answer([engine(behind)], { cancelled: true }), 7n, true);
    expect(settled(reception, 0)).toBe(true);
    expect(verdict(reception, true, 0)).toEqual(["warning", "called off"]);
  });

  test.each([
    ["counts engines", [{}, {}, behind], 0, ["info", "2 of 3 engines serve it"]],
    ["says all", [{}, {}], 0, ["good", "all 2 engines serve it"]],
    ["speaks of one", [{}], 0, ["good", "the engine serves it"]],
    ["tells who refused", [{}, { ...refused, reason: "ARTIFACT_SIZE" }], 0, ["bad", "1 of 2 engines serve it, 1 refused"]],
    ["warns when it takes long", [{}, behind], 31_000, ["warning", "1 of 2 engines serve it after 31 s"]],
    ["waits for the first word", [], 0, ["info", "waiting for engines"]],
    ["says that none runs in release mode", [], firstEngine, ["idle", "no engine runs in release mode"]],
  ] as const)("the verdict %s", (_, words, waited, expected) => {
    expect(verdict(received(answer(words.map((word) => engine(word))), 7n, false), false, waited)).toEqual(expected);
  });
});

test("engines that need somebody come first", () => {
  const engines = [engine({ host: "b" }), engine({ host: "a" }), engine({ ...behind, host: "c" }), engine({ ...refused, host: "z", reason: "MANIFEST_KEY" })];
  expect(enginesInOrder(engines).map((one) => [one.event?.host, engineWord(one)])).toEqual([["z", "refused"], ["c", "behind"], ["a", "serving"], ["b", "serving"]]);
});

test("engines of one host are told apart by their ids", () => {
  const engines = [engine({ id: "01a20104-2004-739a-9be5-eb8b31525789" }), engine({ id: "01a20104-2004-739a-9be5-eb8b9a593610" }), engine({ host: "alone" })];
  expect(engines.map((one) => engineName(engines, one))).toEqual(["a (…31525789)", "a (…9a593610)", "alone"]);
});

test("only refusals that trying again does not mend are final", () => {
  expect(["ARTIFACT_DIGEST", "MANIFEST_OLD", "ARTIFACT_MISSING", "RELEASE_NONE", ""].map(isFinal)).toEqual([true, true, false, false, false]);
});
