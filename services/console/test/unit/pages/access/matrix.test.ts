import { Role } from "@gen/options/v1/access_pb";
import { describe, expect, it } from "vitest";
import { matrix, wordsOf } from "../../../../src/pages/access/matrix";

const calls = new Map(matrix().flatMap((area) => area.calls.map((call) => [call.name, call])));

describe("the matrix of roles", () => {
  it("comes from the schema", () => {
    expect(calls.get("ListOperators")).toMatchObject({ role: Role.VIEWER, bound: false });
    expect(calls.get("CreateOperator")).toMatchObject({ role: Role.OPERATOR });
    expect(calls.get("ListAuditRows")).toMatchObject({ role: Role.ADMIN, bound: false });
    expect(calls.get("SelectOperator")).toMatchObject({ role: Role.VIEWER, bound: true });
  });

  it("has no call that only other processes may make", () => {
    expect(calls.has("GetOperatorCredentials")).toBe(false);
  });

  it("leaves no area without calls", () => {
    for (const { name, calls: all } of matrix()) expect(all.length, name).toBeGreaterThan(0);
  });

  it.each([
    ["ListApiKeys", "List api keys"],
    ["BatchSelectOperators", "Batch select operators"],
    ["GetCaller", "Get caller"],
  ])("calls %s in words", (name, want) => {
    expect(wordsOf(name)).toBe(want);
  });
});
