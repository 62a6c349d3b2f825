import { describe, expect, it } from "vitest";
import { actionWords, knownActions } from "../../../src/parts/actionwords";

describe("the words of an audited action", () => {
  it.each([
    ["a key that was made", "api_key.create", "API key created"],
    ["a refused call is no change", "access.denied", "Call refused"],
    ["a roll-back", "release.rollback", "Release rolled back"],
    ["an import of many", "rule.import", "Rules imported"],
    ["what no version of ours knows is read out", "sim_card.lock_all", "Sim card lock all"],
    ["a name that every object has is no known action", "constructor", "Constructor"],
    ["nothing stays nothing", "", ""],
  ])("%s", (_, action, expected) => {
    expect(actionWords(action)).toBe(expected);
  });

  it("never shows a raw name", () => {
    for (const action of knownActions) expect(actionWords(action)).toMatch(/^[A-Z][A-Za-z ]+$/);
  });
});
