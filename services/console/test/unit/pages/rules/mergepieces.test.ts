import { RoutingStrategy } from "@gen/routing/v1/types_pb";
import { describe, expect, it } from "vitest";
import { assembled, carriersOf, piecesOf } from "../../../../src/pages/rules/mergepieces";
import { plain, type RuleValues, valuesOf } from "../../../../src/pages/rules/ruleform";
import { type Choice, mergeOf, threeWay } from "../../../../src/parts/threeway";
import { rule } from "./make";

const ids: Readonly<Record<string, string>> = {
  North: "0190a8f0-0000-7000-8000-000000000001",
  South: "0190a8f0-0000-7000-8000-000000000002",
  East: "0190a8f0-0000-7000-8000-000000000003",
  West: "0190a8f0-0000-7000-8000-000000000004",
};
const nameOf = (id: string): string => Object.keys(ids).find((name) => ids[name] === id) ?? id;
const named = (text: string): string => text.replace(/[0-9a-f-]{36}/, nameOf);

/** "North 1 100, South 2 50": operator, priority, weight. */
function version(text: string, strategy = RoutingStrategy.PRIORITY): RuleValues {
  const candidates = text === "" ? [] : text.split(", ").map((one) => {
    const [name = "", priority, weight] = one.split(" ");
    return { operatorId: ids[name] ?? "", operatorName: name, priority: Number(priority), weight: Number(weight) };
  });
  return plain(valuesOf(rule({ strategy, candidates })));
}

function textOf({ candidates }: RuleValues): string {
  return candidates.map(({ operatorId, priority, weight }) => `${nameOf(operatorId)} ${priority} ${weight}`).join(", ");
}

/** Every conflict is decided for one side; gives the merged candidates and what was in conflict. */
function merged(before: string, own: string, other: string, choice: Choice, strategy = RoutingStrategy.PRIORITY): { text: string; conflicts: string[] } {
  const versions = [version(before, strategy), version(own, strategy), version(other, strategy)] as const;
  const carriers = carriersOf(versions);
  const base = piecesOf(versions[0], carriers);
  const mine = piecesOf(versions[1], carriers);
  const theirs = piecesOf(versions[2], carriers);
  const names = Object.keys(base);
  const conflicts = names.filter((name) => threeWay(base, mine, theirs, names)[name] === "conflict");
  const pieces = mergeOf(base, mine, theirs, names, Object.fromEntries(conflicts.map((name) => [name, choice])));
  return { text: textOf(assembled(pieces, versions[2], carriers)), conflicts: conflicts.map(named) };
}

const two = "North 1 100, South 2 100";

describe("merging the operators of a rule", () => {
  it.each([
    ["what only I added is added to theirs", two, `${two}, East 3 100`, two, `${two}, East 3 100`],
    ["what only they added stays", two, two, `${two}, East 3 100`, `${two}, East 3 100`],
    ["what each added is there", two, `${two}, East 3 100`, `${two}, West 4 100`, `${two}, East 3 100, West 4 100`],
    ["what only I removed is gone", two, "North 1 100", two, "North 1 100"],
    ["what only they removed is gone, and what I changed of another counts", two, "North 1 70, South 2 100", "North 1 100", "North 1 70"],
    ["what both removed is gone", two, "North 1 100", "North 1 100", "North 1 100"],
    ["what both added alike is there once", two, `${two}, East 3 100`, `${two}, East 3 100`, `${two}, East 3 100`],
    ["my weight and their weight of different operators both count", two, "North 1 70, South 2 100", "North 1 100, South 2 30", "North 1 70, South 2 30"],
    ["my weight and their priority of one operator both count", two, "North 1 70, South 2 100", "North 3 100, South 2 100", "South 2 100, North 3 70"],
    ["equal priorities of what each added are dealt anew, theirs first", two, `${two}, East 3 100`, `${two}, West 3 100`, "North 1 100, South 2 100, West 3 100, East 4 100"],
  ])("%s", (_, before, mine, theirs, expected) => {
    expect(merged(before, mine, theirs, "mine")).toEqual({ text: expected, conflicts: [] });
    expect(merged(before, mine, theirs, "theirs")).toEqual({ text: expected, conflicts: [] });
  });

  it.each([
    ["one weight that both changed", "North 1 70, South 2 100", "North 1 30, South 2 100", "weight North", "North 1 70, South 2 100", "North 1 30, South 2 100"],
    ["one that I removed and they changed", "North 1 100", "North 1 100, South 2 30", "row South", "North 1 100", "North 1 100, South 2 30"],
    ["one that I changed and they removed", "North 1 100, South 2 30", "North 1 100", "row South", "North 1 100, South 2 30", "North 1 100"],
    ["one that both added with different weights", `${two}, East 3 70`, `${two}, East 3 30`, "row East", `${two}, East 3 70`, `${two}, East 3 30`],
  ])("%s is asked for", (_, mine, theirs, conflict, chosenMine, chosenTheirs) => {
    expect(merged(two, mine, theirs, "mine")).toEqual({ text: chosenMine, conflicts: [conflict] });
    expect(merged(two, mine, theirs, "theirs")).toEqual({ text: chosenTheirs, conflicts: [conflict] });
  });

  it("equal priorities stay where only weights count", () => {
    const all = "North 1 100, South 1 100";
    expect(merged(all, `${all}, East 1 50`, `${all}, West 1 20`, "mine", RoutingStrategy.WEIGHTED).text).toBe(`${all}, West 1 20, East 1 50`);
  });

  it("leaves nobody where each removed another one, which is for the caller to refuse", () => {
    expect(merged(two, "North 1 100", "South 2 100", "mine")).toEqual({ text: "", conflicts: [] });
  });
});
