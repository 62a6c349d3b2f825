import { notifications } from "@mantine/notifications";
import { createRouterTransport } from "@connectrpc/connect";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { CreateRoutingRuleRequest, DeleteRoutingRuleRequest, RoutingRule, UpdateRoutingRuleRequest } from "@gen/operators/v1/routing_rule_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { act, fireEvent, renderHook, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Question } from "../../../../src/parts/confirm";
import { useDeletion } from "../../../../src/pages/rules/deletion";
import { valuesOf } from "../../../../src/pages/rules/ruleform";
import { useSave } from "../../../../src/pages/rules/save";
import { stage } from "../../parts/stage";
import { rule } from "./make";

const start = timestampFromDate(new Date("2027-01-01T00:00:30Z"));
const base = rule({ ruleId: "r1", etag: "e1", version: 1n, description: "base", createdBy: "ann", createTime: start, validFrom: start });
const theirs = rule({ ...base, etag: "e2", version: 2n, description: "theirs" });

function ruleServer() {
  const seen = { created: [] as CreateRoutingRuleRequest[], updated: [] as UpdateRoutingRuleRequest[], deleted: [] as DeleteRoutingRuleRequest[] };
  const transport = createRouterTransport(({ service }) => {
    service(RoutingRuleService, {
      createRoutingRule: (request) => (seen.created.push(request), { rule: rule({ ruleId: "r2", etag: "e9" }) }),
      updateRoutingRule: (request) => (seen.updated.push(request), { rule: rule({ ruleId: "r1", etag: "e9" }) }),
      deleteRoutingRule: (request) => (seen.deleted.push(request), {}),
    });
  });
  return { seen, wrapper: stage({ transport }) };
}

async function undo(): Promise<void> {
  fireEvent.click(await screen.findByText("Undo"));
  await screen.findByText("Undone.");
  // They are one list for all that is mounted.
  act(() => notifications.clean());
}

const hasId = (one: { readonly requestId: string } | undefined) => expect(one?.requestId).toMatch(/^[0-9a-f-]{32,36}$/);

describe("undoing", () => {
  it("an update brings back what it changed, under the new etag", async () => {
    const { seen, wrapper } = ruleServer();
    const { result } = renderHook(() => useSave(base), { wrapper });
    await act(() => result.current.save({ ...valuesOf(base), description: "mine" }));
    await undo();
    expect(seen.updated[1]).toMatchObject({ rule: { ruleId: "r1", etag: "e9", description: "base", createdBy: "", version: 0n, validFrom: start }, updateMask: { paths: ["description"] } });
    hasId(seen.updated[1]);
  });

  it("a merge brings back theirs, and an update after it what that changed", async () => {
    const { seen, wrapper } = ruleServer();
    const { result, rerender } = renderHook(({ from }: { from: RoutingRule }) => useSave(from), { wrapper, initialProps: { from: base } });
    await act(() => result.current.merge(theirs, { ...valuesOf(theirs), description: "merged" }));
    await undo();
    expect(seen.updated[1]).toMatchObject({ rule: { etag: "e9", description: "theirs" }, updateMask: { paths: ["description"] } });
    rerender({ from: rule({ ...base, etag: "e5", description: "later" }) });
    await act(() => result.current.save({ ...valuesOf(base), description: "mine" }));
    await undo();
    expect(seen.updated[3]).toMatchObject({ rule: { description: "later" } });
  });

  it("a creation deletes the new rule", async () => {
    const { seen, wrapper } = ruleServer();
    const { result } = renderHook(() => useSave(undefined), { wrapper });
    await act(() => result.current.save(valuesOf(base)));
    await undo();
    expect(seen.deleted[0]).toMatchObject({ ruleId: "r2", etag: "e9" });
    hasId(seen.deleted[0]);
  });

  it("a deletion makes the rule anew, of what can be set", async () => {
    const { seen, wrapper } = ruleServer();
    const asked: Question[] = [];
    const { result } = renderHook(() => useDeletion((question) => asked.push(question), () => undefined), { wrapper });
    result.current(base);
    await act(async () => {
      await asked[0]?.action();
    });
    await undo();
    const again = seen.created[0]?.rule;
    expect(again).toMatchObject({ ruleId: "", etag: "", version: 0n, createdBy: "", description: "base", validFrom: start, active: true });
    expect(again?.createTime).toBeUndefined();
    expect(again?.candidates.map(({ operatorId, operatorName }) => [operatorId, operatorName])).toEqual([[base.candidates[0]?.operatorId, ""]]);
    hasId(seen.created[0]);
  });
});
