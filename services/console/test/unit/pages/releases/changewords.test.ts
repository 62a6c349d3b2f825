import { create } from "@bufbuild/protobuf";
import { ReleaseChangeKind, ReleaseChangeSchema, ReleaseSubject } from "@gen/releases/v1/release_pb";
import { describe, expect, test } from "vitest";
import { filtered } from "../../../../src/pages/releases/changewords";
import { Keys } from "../../../../src/pages/releases/diff";

const change = (fields: object) => create(ReleaseChangeSchema, fields);
const rule = change({ subject: ReleaseSubject.RULE, kind: ReleaseChangeKind.ADDED, entityId: "r1", prefix: "+4479", details: ["strategy COST"] });
const price = change({ subject: ReleaseSubject.RATE, kind: ReleaseChangeKind.CHANGED, entityId: "p1", prefix: "+49", operatorName: "Meridian Carrier" });
const fx = change({ subject: ReleaseSubject.FX_RATE, kind: ReleaseChangeKind.CHANGED, details: ["USD 0.92 -> 0.93"] });
const rows = [rule, price, fx].map((one, index) => ({ key: String(index), change: one }));
const all = { subjects: [], kinds: [], search: "" };

describe("the changes that are shown", () => {
  test.each([
    ["are all without a filter", all, ["0", "1", "2"]],
    ["are those of a subject", { ...all, subjects: ["price"] }, ["1"]],
    ["are those of several subjects", { ...all, subjects: ["rule", "fx"] }, ["0", "2"]],
    ["are those of a kind", { ...all, kinds: ["changed"] }, ["1", "2"]],
    ["begin with the digits that were typed", { ...all, search: "+44" }, ["0"]],
    ["begin with digits without a plus too", { ...all, search: "4 9" }, ["1"]],
    ["have the operator that was typed", { ...all, search: "meridian" }, ["1"]],
    ["have the detail that was typed", { ...all, search: "USD" }, ["2"]],
    ["are none when nothing is like that", { ...all, search: "+1" }, []],
    ["are not narrowed by a word in the address that nobody knows", { ...all, subjects: ["<b>"] }, ["0", "1", "2"]],
  ])("%s", (_, filter, keys) => {
    expect(filtered(rows, filter).map(({ key }) => key)).toEqual(keys);
  });
});

test("changes have names that last, also two of one thing", () => {
  const keys = new Keys();
  expect([rule, price, fx, rule].map((one) => keys.of(one))).toEqual(["3-r1", "4-p1", "2-USD-0.92-0.93", "3-r1-2"]);
});
