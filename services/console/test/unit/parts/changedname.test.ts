import { expect, it } from "vitest";
import { changedName } from "../../../src/parts/changedname";

it.each([
  { name: "an operator that was made", row: { before: "", after: '{"name":"Aurora"}' }, want: "Aurora" },
  { name: "an operator that has a new name", row: { before: '{"name":"Aurora"}', after: '{"name":"Borealis"}' }, want: "Borealis" },
  { name: "a rule that was deleted", row: { before: '{"prefix":"+447911"}', after: "" }, want: "+447911" },
  { name: "something without a name", row: { before: "", after: '{"count":3}' }, want: undefined },
  { name: "a name that is no text", row: { before: "", after: '{"name":7}' }, want: undefined },
  { name: "a list", row: { before: "", after: "[1]" }, want: undefined },
  { name: "text that is no JSON", row: { before: "{", after: "{" }, want: undefined },
])("$name", ({ row, want }) => {
  expect(changedName(row)).toBe(want);
});
