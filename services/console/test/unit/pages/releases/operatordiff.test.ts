import { create } from "@bufbuild/protobuf";
import { ReleaseChangeKind, ReleaseChangeSchema, ReleaseDiffSummarySchema, ReleaseSubject } from "@gen/releases/v1/release_pb";
import { describe, expect, test } from "vitest";
import { operatorCounts, operatorsText } from "../../../../src/pages/releases/operatordiff";

const { ADDED, REMOVED, CHANGED } = ReleaseChangeKind;
const { OPERATOR, RULE } = ReleaseSubject;
const changes = (subject: ReleaseSubject, kind: ReleaseChangeKind, count: number) =>
  Array.from({ length: count }, () => create(ReleaseChangeSchema, { subject, kind }));

describe("operators that differ", () => {
  test.each([
    ["are told apart as new, gone and changed", 4n, [...changes(OPERATOR, ADDED, 2), ...changes(OPERATOR, REMOVED, 1), ...changes(OPERATOR, CHANGED, 1)], "2 new, 1 gone, 1 changed"],
    ["leave out what there is none of", 151n, changes(OPERATOR, ADDED, 151), "151 new"],
    ["are not mixed with rules", 1n, [...changes(OPERATOR, CHANGED, 1), ...changes(RULE, ADDED, 3)], "1 changed"],
    ["are only counted while not all were read", 152n, changes(OPERATOR, ADDED, 3), "152 differ"],
    ["may be one", 1n, [], "1 differs"],
    ["may be none", 0n, changes(RULE, ADDED, 1), ""],
  ])("%s", (_, operatorsChanged, read, text) => {
    expect(operatorsText(operatorCounts(create(ReleaseDiffSummarySchema, { operatorsChanged }), read))).toBe(text);
  });
});
