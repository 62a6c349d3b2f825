import { expect, it } from "vitest";
import { maskOf, nameComplaint } from "../../../../src/pages/access/accountvalues";
import { durationOf, endOf, lifetimes, overlaps } from "../../../../src/pages/access/lifetimes";

it("sends only the fields that differ", () => {
  const before = { name: "Acme", notes: "a" };
  expect(maskOf(before, { name: " Acme ", notes: "a" })).toEqual([]);
  expect(maskOf(before, { name: "Acme", notes: "b" })).toEqual(["notes"]);
  expect(maskOf(before, { name: "Acme Ltd", notes: "" })).toEqual(["name", "notes"]);
});

it("counts the characters of a name as the server does", () => {
  expect(nameComplaint("  ")).not.toBeNull();
  expect(nameComplaint("😀".repeat(100))).toBeNull();
  expect(nameComplaint("x".repeat(101))).not.toBeNull();
});

it("offers no overlap above the 30 days that the server takes", () => {
  for (const { value } of overlaps) expect(durationOf(overlaps, value)?.seconds ?? 0n).toBeLessThanOrEqual(2_592_000n);
});

it("says when a lifetime ends, and nothing for one without end", () => {
  const now = new Date("2026-11-22T02:00:00Z");
  expect(endOf(lifetimes, "30d", now)?.toISOString()).toBe("2026-12-22T02:00:00.000Z");
  expect(endOf(lifetimes, "", now)).toBeUndefined();
  expect(durationOf(lifetimes, "")).toBeUndefined();
});
