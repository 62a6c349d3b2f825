import { create } from "@bufbuild/protobuf";
import { AuditRowSchema } from "@gen/access/v1/audit_pb";
import { describe, expect, it } from "vitest";
import { headComplaint } from "../../../../src/pages/audit/advice";
import { exportText } from "../../../../src/pages/audit/exporttext";
import { actionFilter, actionHint, actions, entityPath } from "../../../../src/pages/audit/kinds";
import { endsNow, spanOf } from "../../../../src/pages/audit/range";
import { timeOf } from "../../../../src/pages/audit/uuidtime";

const row = create(AuditRowSchema, {
  auditId: "01a2011b-e138-77ca-9b84-b600b9e5881d",
  occurTime: { seconds: 1_795_314_934n, nanos: 71_824_000 },
  actor: "=cmd()",
  action: "operator.update",
  entity: "operator",
  entityId: "7",
  after: '{"nanos":9007199254740993}',
  sequence: 9n,
  hash: "ab",
});

describe("an export", () => {
  it("has one head, and no formula for a spreadsheet", () => {
    const first = exportText("csv", [row], true);
    expect(first.split("\r\n")[0]).toBe("sequence,occur_time,actor,action,entity,entity_id,request_id,before,after,audit_id,hash");
    expect(first).toContain("'=cmd()");
    const next = exportText("csv", [row], false);
    expect(next).not.toContain("occur_time");
    expect(next.split("\r\n")).toHaveLength(2);
  });

  it("has a line of JSON a row, with content as it was written", () => {
    const lines = exportText("jsonl", [row, row], true).trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ sequence: "9", actor: "=cmd()", after: '{"nanos":9007199254740993}' });
    expect(lines[0]).toMatch(/"occur_time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.071824Z"/);
  });
});

it.each([
  ["all of a kind", "rule.", "All of this kind"],
  ["one in words", "rule.update", "Rule changed"],
])("offers %s", (_, action, hint) => {
  expect(actions).toContain(action);
  expect(actionHint(action)).toBe(hint);
});

it("takes a word for all actions of its kind", () => {
  expect([" rule ", "rule.", "rule.update", ""].map(actionFilter)).toEqual(["rule.", "rule.", "rule.update", ""]);
});

it("links what the console shows, and quotes ids", () => {
  expect(entityPath("operator", "a/b?c")).toBe("/operators/a%2Fb%3Fc");
  expect(entityPath("api_key", "k")).toBe("/access?tab=keys&ended=1&key=k");
  expect(entityPath("procedure", "/x/Y")).toBeUndefined();
  expect(entityPath("rule", "")).toBeUndefined();
});

it("ends now unless it says when", () => {
  const now = new Date("2026-11-22T02:00:00Z");
  expect(spanOf("1h", "", "", now)).toMatchObject({ fromTime: { seconds: BigInt(Date.parse("2026-11-22T01:00:00Z") / 1000) } });
  expect(spanOf("", "", "", now)).toEqual({});
  expect(spanOf("custom", "2026-11-20T00:00", "2026-11-21T00:00", now)).toHaveProperty("toTime");
  expect(endsNow("1h", "2026-11-21T00:00")).toBe(true);
  expect(endsNow("", "2026-11-21T00:00")).toBe(false);
});

it("reads the time of an id of version 7 only", () => {
  expect(timeOf("01a2011b-e138-77ca-9b84-b600b9e5881d")?.toISOString().slice(0, 19)).toBe("2026-11-22T02:35:34");
  expect(timeOf("0f590a0e-3a90-4c6d-822e-baebe5abc037")).toBeUndefined();
  expect(timeOf("x")).toBeUndefined();
});

it("takes a whole head or none", () => {
  expect(headComplaint("")).toBeNull();
  expect(headComplaint(` ${"AB".repeat(32)} `)).toBeNull();
  expect(headComplaint("ab")).not.toBeNull();
});
