import { create } from "@bufbuild/protobuf";
import { AuditRowSchema, ListAuditRowsResponseSchema } from "@gen/access/v1/audit_pb";
import { describe, expect, it } from "vitest";
import { recentChanges } from "../../../../src/pages/overview/changes";

/** A log of these actions, newest first, that is read page by page. */
function log(actions: readonly string[]) {
  const asked: number[] = [];
  const list = ({ pageSize, pageToken }: { pageSize: number; pageToken: string }) => {
    asked.push(pageSize);
    const from = Number(pageToken);
    const rows = actions.slice(from, from + pageSize).map((action, index) => create(AuditRowSchema, { auditId: String(from + index), action }));
    const next = from + rows.length;
    return Promise.resolve(create(ListAuditRowsResponseSchema, { rows, nextPageToken: next < actions.length ? String(next) : "" }));
  };
  return { list, asked };
}

const many = (action: string, count: number): string[] => Array.from({ length: count }, () => action);

const cases: Record<string, { given: readonly string[]; ids: readonly string[]; looked: number; whole: boolean; calls: number }> = {
  "an empty log": { given: [], ids: [], looked: 0, whole: true, calls: 1 },
  "changes alone": { given: many("operator.update", 30), ids: ["0", "1", "2", "3", "4"], looked: 20, whole: false, calls: 1 },
  "fewer changes than are shown": { given: many("rule.create", 2), ids: ["0", "1"], looked: 2, whole: true, calls: 1 },
  "calls that were refused, and what was only read": {
    given: ["access.denied", "rule.create", "credentials.read", "decisions.search", "fx.set"], ids: ["1", "4"], looked: 5, whole: true, calls: 1,
  },
  "a page of refused calls before them": {
    given: [...many("access.denied", 90), ...many("rule.delete", 9)], ids: ["90", "91", "92", "93", "94"], looked: 99, whole: true, calls: 2,
  },
  "nothing but refused calls for longer than anybody looks": { given: many("access.denied", 1000), ids: [], looked: 420, whole: false, calls: 5 },
};

describe("recent changes of", () => {
  it.each(Object.entries(cases))("%s", async (_, { given, ids, looked, whole, calls }) => {
    const { list, asked } = log(given);
    const found = await recentChanges(list);
    expect({ ids: found.changes.map(({ auditId }) => auditId), looked: found.looked, whole: found.whole, calls: asked.length }).toEqual({
      ids, looked, whole, calls,
    });
  });
});
